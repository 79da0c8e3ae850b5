#include "models/recall/recall_config.h"

#include <array>
#include <stdexcept>
#include <string_view>

namespace longtake {
namespace {

struct Rule {
  std::string_view name;
  RecallRule rule;
  bool keys;    // what it learns from: keys,
  bool hidden;  // features of them, or both
};
constexpr std::array kRules{Rule{"delta", RecallRule::kDelta, true, false},
                            Rule{"rls", RecallRule::kRls, true, false},
                            Rule{"mlp", RecallRule::kMlp, true, false},
                            Rule{"mlp-last", RecallRule::kDelta, false, true},
                            Rule{"mlp-rls", RecallRule::kRls, false, true},
                            Rule{"both-rls", RecallRule::kRls, true, true}};

const Rule& named(const std::string& name) {
  for (const Rule& rule : kRules) {
    if (rule.name == name) return rule;
  }
  throw std::invalid_argument("recall: no rule is called \"" + name + "\"");
}

}  // namespace

std::vector<std::int64_t> recall_hidden_tokens(int half) {
  constexpr int kSide = 4;
  std::vector<std::int64_t> out;
  for (std::int64_t token = 0; token < kRecallTokens; ++token) {
    if ((token / kSide + token % kSide) % 2 == half) out.push_back(token);
  }
  return out;
}

bool recall_rule_known(const std::string& rule) {
  for (const Rule& known : kRules) {
    if (known.name == rule) return true;
  }
  return false;
}

RecallShape recall_shape(const RecallConfig& config, int values) {
  const Rule& rule = named(config.rule);
  RecallShape shape;
  shape.rule = rule.rule;
  shape.keys = (rule.keys ? config.keys : 0) + (rule.hidden ? config.hidden : 0);
  shape.hidden = config.hidden;
  shape.values = values;
  return shape;
}

bool recall_uses_hidden(const RecallConfig& config) { return named(config.rule).hidden; }

}  // namespace longtake
