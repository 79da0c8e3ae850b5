#include "models/recall/recall_config.h"

#include <algorithm>
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
constexpr std::array<std::string_view, 4> kRivals{"none", "gla", "gru", "attention"};

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

std::vector<std::string> recall_rule_names() {
  std::vector<std::string> out;
  for (const Rule& rule : kRules) out.emplace_back(rule.name);
  out.insert(out.end(), kRivals.begin(), kRivals.end());
  return out;
}

bool recall_rule_is_rival(const std::string& rule) {
  return std::find(kRivals.begin(), kRivals.end(), rule) != kRivals.end();
}

RecallConfig recall_config_of(const std::string& rule) {
  RecallConfig config;
  config.rule = rule;
  // Memory of a GRU is its width; that of the others is as wide as a frame.
  if (rule == "gru") config.hidden = 256;
  return config;
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

bool recall_uses_hidden(const RecallConfig& config) {
  return !recall_rule_is_rival(config.rule) && named(config.rule).hidden;
}

}  // namespace longtake
