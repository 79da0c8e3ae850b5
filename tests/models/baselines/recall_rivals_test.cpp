#include "models/baselines/recall_rivals.h"

#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/fresh_weights.h"
#include "models/recall/recall_net.h"

namespace longtake {
namespace {

constexpr std::int64_t kValues = 5, kFrames = 6;

RecallConfig small(const std::string& rule) {
  RecallConfig config;
  config.rule = rule;
  config.keys = 4;
  config.hidden = 3;
  config.features = 7;
  config.window = 3;
  return config;
}

double worst(const at::Tensor& got, const at::Tensor& want) {
  if (got.numel() == 0) return 0;
  return ((got - want).abs().max() / at::clamp_min(want.abs().max(), 1e-12)).item<double>();
}

class EveryRival : public testing::TestWithParam<std::string> {
 protected:
  EveryRival() {
    at::manual_seed(11);
    for (const ParameterStart& part : rival_->parameters()) {
      parameters_[part.name] = (0.5 * at::randn(part.shape, at::kDouble)).set_requires_grad(true);
    }
  }
  // Two streams; frames 1 and 4 are written in part, frame 2 not at all.
  RecallRivalInputs inputs() const {
    const std::int64_t memories = 4;
    RecallRivalInputs in;
    in.features = at::randn({memories, kFrames, config_.features}, at::kDouble);
    const at::Tensor raw = at::randn({memories, kFrames, config_.keys}, at::kDouble);
    in.keys = raw / raw.norm(2, -1, true);
    in.values = at::randn({memories, kFrames, kValues}, at::kDouble);
    in.write = at::tensor({1.0, 0.5, 0.0, 1.0, 0.3, 1.0}, at::kDouble).expand({memories, kFrames});
    in.c = in.write * at::rand({memories, kFrames}, at::kDouble);
    in.start = 0.3 * at::randn({memories, rival_->state_size()}, at::kDouble).abs();
    return in;
  }
  static RecallRivalInputs frames(const RecallRivalInputs& in, std::int64_t first, std::int64_t count,
                                  const at::Tensor& start) {
    const auto cut = [&](const at::Tensor& of) { return of.narrow(1, first, count); };
    return {cut(in.features), cut(in.keys), cut(in.values), cut(in.write), cut(in.c), start};
  }

  const RecallConfig config_ = small(GetParam());
  const std::unique_ptr<const RecallRival> rival_ = make_recall_rival(config_, kValues);
  definition::Parameters parameters_;
};
INSTANTIATE_TEST_SUITE_P(Rule, EveryRival, testing::Values("none", "gla", "gru", "attention"),
                         [](const auto& test) { return test.param; });

double number(const at::Tensor& tensor) { return tensor.item<double>(); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double gelu(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

// As recall_rivals.h has it, number by number, for memory m. z [T][V]
std::vector<std::vector<double>> by_hand(const RecallConfig& config, const definition::Parameters& p,
                                         const RecallRivalInputs& in, std::int64_t m) {
  const std::int64_t half = m / (in.start.size(0) / 2), d = config.keys, h = config.hidden, g = config.features;
  const auto of = [&](const char* name, std::int64_t i, std::int64_t j) { return number(p.at(name)[half][i][j]); };
  const auto key = [&](std::int64_t t, std::int64_t i) { return number(in.keys[m][t][i]); };
  const auto value = [&](std::int64_t t, std::int64_t i) { return number(in.values[m][t][i]); };
  const auto feature = [&](std::int64_t t, std::int64_t i) { return number(in.features[m][t][i]); };
  std::vector<double> state;
  for (std::int64_t i = 0; i < in.start.size(1); ++i) state.push_back(number(in.start[m][i]));
  std::vector<std::vector<double>> z(kFrames, std::vector<double>(kValues));
  for (std::int64_t t = 0; t < kFrames; ++t) {
    auto& now = z[std::size_t(t)];
    const double c = number(in.c[m][t]), write = number(in.write[m][t]);
    if (config.rule == "gla") {
      for (std::int64_t i = 0; i < d; ++i) {
        double decay = of("decay.bias", 0, i);
        for (std::int64_t j = 0; j < g; ++j) decay += feature(t, j) * of("decay.weight", j, i);
        for (std::int64_t j = 0; j < kValues; ++j) {
          double& w = state[std::size_t(i * kValues + j)];
          now[std::size_t(j)] += key(t, i) * w;
          w = (1 - write * (1 - sigmoid(decay))) * w +
              std::exp(number(p.at("log_strength"))) * c * key(t, i) * value(t, j);
        }
      }
    } else if (config.rule == "gru") {
      for (std::int64_t r = 0; r < g; ++r) {
        double sum = of("read.bias", 0, r);
        for (std::int64_t i = 0; i < h; ++i) sum += state[std::size_t(i)] * of("read.weight", i, r);
        for (std::int64_t i = 0; i < g; ++i) sum += feature(t, i) * of("read.weight", h + i, r);
        for (std::int64_t j = 0; j < kValues; ++j) now[std::size_t(j)] += gelu(sum) * of("answer.weight", r, j);
      }
      const auto gate = [&](std::int64_t at, const char* weight, const char* bias, bool from_state) {
        double sum = of(bias, 0, at);
        if (from_state) {
          for (std::int64_t i = 0; i < h; ++i) sum += state[std::size_t(i)] * of(weight, i, at);
          return sum;
        }
        for (std::int64_t i = 0; i < g; ++i) sum += feature(t, i) * of(weight, i, at);
        for (std::int64_t i = 0; i < kValues; ++i) sum += value(t, i) * of(weight, g + i, at);
        return sum;
      };
      std::vector<double> next;
      for (std::int64_t i = 0; i < h; ++i) {
        const auto in_gate = [&](std::int64_t which) {
          return gate(which * h + i, "input.weight", "input.bias", false);
        };
        const auto old_gate = [&](std::int64_t which) {
          return gate(which * h + i, "recurrent.weight", "recurrent.bias", true);
        };
        const double r = sigmoid(in_gate(0) + old_gate(0)), u = sigmoid(in_gate(1) + old_gate(1));
        const double n = std::tanh(in_gate(2) + r * old_gate(2)), was = state[std::size_t(i)];
        next.push_back(was + c * ((1 - u) * n + u * was - was));
      }
      state = next;
    } else if (config.rule == "attention") {
      const std::int64_t w = config.window;
      double sum = std::exp(number(p.at("nothing")));
      for (std::int64_t i = t - w; i < t; ++i) {  // before 0: of the state, oldest first
        double score = 0;
        for (std::int64_t j = 0; j < d; ++j)
          score += key(t, j) * (i < 0 ? state[std::size_t((i + w) * d + j)] : key(i, j));
        const double weight = i < 0 ? state[std::size_t(w * d + w * kValues + i + w)] : number(in.c[m][i]);
        const double share = weight * std::exp(std::exp(number(p.at("log_sharpness"))) * score);
        sum += share;
        for (std::int64_t j = 0; j < kValues; ++j) {
          now[std::size_t(j)] += share * (i < 0 ? state[std::size_t(w * d + (i + w) * kValues + j)] : value(i, j));
        }
      }
      for (double& number : now) number /= sum;
    }
  }
  return z;
}

TEST_P(EveryRival, AnswersAsWrittenDown) {
  const RecallRivalInputs in = inputs();
  const at::Tensor z = rival_->forward(parameters_, in).z;
  for (std::int64_t m = 0; m < 4; ++m) {
    const auto want = by_hand(config_, parameters_, in, m);
    for (std::int64_t t = 0; t < kFrames; ++t) {
      for (std::int64_t j = 0; j < kValues; ++j) {
        EXPECT_NEAR(number(z[m][t][j]), want[std::size_t(t)][std::size_t(j)], 1e-12) << m << " " << t;
      }
    }
  }
}

TEST_P(EveryRival, AnyWindowsGiveWhatTheWholeStreamGives) {
  const RecallRivalInputs in = inputs();
  const RecallOutputs whole = rival_->forward(parameters_, in);
  for (const std::vector<std::int64_t>& windows : {std::vector<std::int64_t>{1, 1, 1, 1, 1, 1}, {4, 2}, {1, 5}}) {
    at::Tensor state = in.start;
    std::vector<at::Tensor> parts;
    std::int64_t at = 0;
    for (const std::int64_t count : windows) {
      const RecallOutputs out = rival_->forward(parameters_, frames(in, at, count, state));
      parts.push_back(out.z);
      state = out.end;
      at += count;
    }
    EXPECT_LE(worst(at::cat(parts, 1), whole.z), 1e-12);
    EXPECT_LE(worst(state, whole.end), 1e-12);
  }
}

TEST_P(EveryRival, ManyFramesAtOnceAreTheSame) {
  at::manual_seed(3);
  const std::int64_t count = 150;
  RecallRivalInputs in;
  in.features = at::randn({2, count, config_.features}, at::kDouble);
  in.keys = at::randn({2, count, config_.keys}, at::kDouble);
  in.values = at::randn({2, count, kValues}, at::kDouble);
  in.write = at::ones({2, count}, at::kDouble);
  in.c = at::rand({2, count}, at::kDouble);
  in.start = at::zeros({2, rival_->state_size()}, at::kDouble);
  const RecallOutputs whole = rival_->forward(parameters_, in);
  at::Tensor state = in.start;
  for (std::int64_t t = 0; t < count; ++t) {
    const RecallOutputs out = rival_->forward(parameters_, frames(in, t, 1, state));
    EXPECT_LE(worst(out.z, whole.z.narrow(1, t, 1)), 1e-10);
    state = out.end;
  }
}

TEST_P(EveryRival, ReadingAloneIsReadingFromTheStateAsItIs) {
  RecallRivalInputs in = inputs();
  const RecallOutputs written = rival_->forward(parameters_, in);
  in.write = in.c = at::Tensor();
  const RecallOutputs read = rival_->forward(parameters_, in);
  EXPECT_TRUE(at::equal(read.end, in.start));
  EXPECT_LE(worst(read.z.narrow(1, 0, 1), written.z.narrow(1, 0, 1)), 1e-12) << "no frame was written before the first";
}

TEST_P(EveryRival, AFrameThatIsNotWrittenIsNotRemembered) {
  RecallRivalInputs in = inputs();
  const at::Tensor before = rival_->forward(parameters_, in).z;
  in.values = in.values.clone();
  in.values.select(1, 2).add_(1);  // of write 0
  EXPECT_TRUE(at::equal(rival_->forward(parameters_, in).z, before) || GetParam() == "none");
}

TEST_P(EveryRival, GradientsAreThoseOfFiniteDifferences) {
  if (GetParam() == "none") GTEST_SKIP() << "has nothing to learn";
  const RecallRivalInputs in = inputs();
  std::vector<at::Tensor> leaves{in.features, in.keys, in.values, in.c, in.start};
  for (at::Tensor& leaf : leaves) leaf.set_requires_grad(true);
  for (auto& [name, parameter] : parameters_) leaves.push_back(parameter);
  const auto loss = [&] {
    const RecallOutputs out = rival_->forward(parameters_, in);
    return out.z.sin().sum() + out.end.cos().sum();
  };
  loss().backward();
  const at::NoGradGuard no_grad;
  for (std::size_t n = 0; n < leaves.size(); ++n) {
    if (!leaves[n].grad().defined()) {
      const bool is_of_no_use = (n == 0 && GetParam() == "attention") || (n == 1 && GetParam() == "gru");
      EXPECT_TRUE(is_of_no_use) << n;
      continue;
    }
    const at::Tensor flat = leaves[n].detach().view(-1), gradient = leaves[n].grad().reshape(-1);
    for (std::int64_t i = 0; i < flat.numel(); i += 1 + flat.numel() / 5) {
      const double was = number(flat[i]), step = 1e-5;
      flat[i] = was + step;
      const double above = number(loss());
      flat[i] = was - step;
      const double below = number(loss());
      flat[i] = was;
      const double want = (above - below) / (2 * step);
      EXPECT_NEAR(number(gradient[i]), want, 1e-7 * std::max(1.0, std::abs(want))) << n << " " << i;
    }
  }
}

// A scene comes back after others: what helps to fill it in is to have remembered it.
TEST_P(EveryRival, WorksInsideARecallNet) {
  const RecallConfig config = recall_config_of(GetParam());
  constexpr int kLatent = 4;
  RecallNet net = *RecallNet::load(config, kLatent, fresh_recall(config, kLatent, 1));
  for (auto& [name, parameter] : net.parameters()) parameter.set_requires_grad(true);
  const at::Tensor x = at::randn({2, 9, 16, kLatent}), written = at::ones({2, 9});
  const auto whole = net.forward(x, {}, written);
  EXPECT_EQ(std::size_t(whole.state.numel()) / 2 * sizeof(float), net.state_bytes());
  const auto first = net.forward(x.narrow(1, 0, 4), {}, written.narrow(1, 0, 4));
  const auto rest = net.forward(x.narrow(1, 4, 5), first.state, written.narrow(1, 4, 5));
  EXPECT_LE(worst(at::cat({first.predictions, rest.predictions}, 1), whole.predictions), 1e-5);
  EXPECT_TRUE(at::equal(net.forward(x, whole.state, {}).state, whole.state));
  (whole.predictions - x).square().mean().backward();
  for (const auto& [name, parameter] : net.parameters()) EXPECT_TRUE(parameter.grad().defined()) << name;
}

TEST(RecallRivals, TheTttRulesAreNone) {
  for (const std::string& rule : recall_rule_names()) {
    EXPECT_EQ(make_recall_rival(recall_config_of(rule), 8) != nullptr, recall_rule_is_rival(rule)) << rule;
  }
}

}  // namespace
}  // namespace longtake
