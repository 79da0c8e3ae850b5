// The definition: its gradients against finite differences, and the streaming layer against it.
#include <cstdio>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/ttt/ttt_definition.h"
#include "tests/models/ttt/random_layer.h"

namespace longtake {
namespace {

using definition::Parameters;

template <class T>
at::Tensor tensor(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  const auto type = sizeof(T) == 8 ? at::kDouble : at::kFloat;
  return at::from_blob(const_cast<T*>(values.data()), shape, type).clone();
}

template <class T>
Parameters parameters(const RandomTensors& tensors) {
  Parameters out;
  for (const auto& [name, stored] : tensors.file<T>().tensors) {
    if constexpr (sizeof(T) == 8) {
      out[name] = tensor(*tensors.doubles.doubles(name, stored.shape), stored.shape);
    } else {
      out[name] = tensor(*tensors.singles.floats(name, stored.shape), stored.shape);
    }
  }
  return out;
}

template <class T>
double distance(const at::Tensor& a, const std::vector<T>& b) {
  return (a - tensor(b, a.sizes().vec())).abs().max().template item<double>();
}

RopeTable rope_of(const TttLayerConfig& c) {
  return mini_batch_rope(c.mini_batch, c.width / c.heads, c.rope_theta);
}

int length_of(const TttLayerConfig& c) {
  return c.form == TttForm::kFrame ? 3 * c.mini_batch : 2 * c.mini_batch + c.mini_batch / 2 + 1;
}

template <class T>
class Definition : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Definition, Precisions);

TYPED_TEST(Definition, IsWhatTheLayerComputesOnAStream) {
  using T = TypeParam;
  double worst = 0;
  for (const auto& config : layer_configs()) {
    RandomTensors tensors(1);
    add_layer(tensors, config);
    const int n = length_of(config);
    const auto x = tensors.draw<T>(std::size_t(n) * config.width, 1);
    const auto want = definition::layer(config, rope_of(config), parameters<T>(tensors), "",
                                        tensor(x, {1, n, config.width}));

    auto weights = load_ttt_layer<T>(config, tensors.file<T>(), "");
    ASSERT_TRUE(weights.ok()) << weights.error().message;
    auto state = start_state(*weights);
    TttScratch<T> scratch;
    TttLayerProbe<T> probe;
    TttLayerOptions<T> options;
    options.probe = &probe;
    std::vector<T> y(x.size(), std::numeric_limits<T>::quiet_NaN());
    ttt_layer_forward<T>(*weights, state, scratch, x, y, options);

    // Numbers of order 1 after some ten sums in a row; a width of 2 leaves LN almost nothing to divide
    // by.
    const double limit =
        64 * std::numeric_limits<T>::epsilon() * (config.width / config.heads <= 2 ? 1000 : 1);
    for (const double error : {distance(want.y, y), distance(want.before.select(0, 0), probe.before)}) {
      EXPECT_TRUE(error <= limit) << testing::PrintToString(config) << ": " << error << ", limit " << limit;
      worst = std::max(worst, error / limit);
    }
  }
  std::printf("worst error %.2f of its limit\n", worst);
}

TYPED_TEST(Definition, IsWhatTheBlockComputesOnAStream) {
  using T = TypeParam;
  for (const bool gated : {false, true}) {
    for (const bool pre_conv : {false, true}) {
      TttBlockConfig config;
      config.layer.width = 24;
      config.inner_width = 40;
      config.gated_residual = gated;
      config.pre_conv = pre_conv;
      RandomTensors tensors(2);
      add_block(tensors, config, "b.");
      const auto x = tensors.draw<T>(32 * 24, 1);
      const auto want = definition::block(config, rope_of(config.layer), parameters<T>(tensors), "b.",
                                          tensor(x, {1, 32, 24}));
      auto weights = load_ttt_block<T>(config, tensors.file<T>(), "b.");
      ASSERT_TRUE(weights.ok()) << weights.error().message;
      auto state = start_state(*weights);
      TttScratch<T> scratch;
      auto y = x;
      ttt_block_forward<T>(*weights, state, scratch, std::span(y).first(16 * 24));
      ttt_block_forward<T>(*weights, state, scratch, std::span(y).subspan(16 * 24));
      EXPECT_TRUE(distance(want.y, y) <= 64 * std::numeric_limits<T>::epsilon()) << distance(want.y, y);
    }
  }
}

TEST(DefinitionGradients, EqualFiniteDifferences) {
  double worst = 0;
  for (const auto& config : layer_configs()) {
    if (config.width / config.heads <= 2) continue;  // LN of two numbers is a step function
    RandomTensors tensors(3);
    add_layer(tensors, config);
    const int n = length_of(config);
    auto leaves = parameters<double>(tensors);
    leaves["x"] = tensor(tensors.draw<double>(std::size_t(2 * n) * config.width, 1), {2, n, config.width});
    const auto weight =
        tensor(tensors.draw<double>(std::size_t(2 * n) * config.width, 1), {2, n, config.width});
    const auto rope = rope_of(config);
    // Of the output, the state that is carried on, and the inner loss: all that training may look at.
    const auto loss = [&](const Parameters& at_these) {
      const auto out = definition::layer(config, rope, at_these, "", at_these.at("x"));
      return (out.y * weight).sum() + out.end.w1.square().sum() + out.end.b1.sum() + out.before.sum();
    };
    Parameters tracked;
    for (const auto& [name, leaf] : leaves) tracked[name] = leaf.clone().requires_grad_(true);
    loss(tracked).backward();
    for (const auto& [name, leaf] : leaves) {
      const auto direction = tensor(tensors.draw<double>(leaf.numel(), 1), leaf.sizes().vec());
      const double step = 1e-6;
      const auto moved = [&](double by) {
        Parameters other = leaves;
        other[name] = leaf + by * direction;
        return loss(other).item<double>();
      };
      const double numeric = (moved(step) - moved(-step)) / (2 * step);
      const auto gradient = tracked[name].grad();
      ASSERT_TRUE(gradient.defined()) << name;
      const double exact = (gradient * direction).sum().item<double>();
      const double scale = gradient.norm().item<double>() + 1e-3;
      const double error = std::abs(numeric - exact) / scale;
      EXPECT_TRUE(error <= 2e-6) << testing::PrintToString(config) << " " << name << ": " << numeric << " "
                                 << exact;
      worst = std::max(worst, error);
    }
  }
  std::printf("worst relative error %.1e\n", worst);
}

TEST(DefinitionState, CarriedOnEqualsOneRun) {
  for (const auto& config : layer_configs()) {
    if (config.share_qk) continue;  // the definition starts its convolutions from zeros
    RandomTensors tensors(4);
    add_layer(tensors, config);
    const auto leaves = parameters<double>(tensors);
    const int n = 2 * config.mini_batch;
    const auto x = tensor(tensors.draw<double>(std::size_t(2 * n) * config.width, 1), {2, n, config.width});
    const auto rope = rope_of(config);
    const auto whole = definition::layer(config, rope, leaves, "", x);
    const auto first = definition::layer(config, rope, leaves, "", x.narrow(1, 0, n / 2));
    const auto second = definition::layer(config, rope, leaves, "", x.narrow(1, n / 2, n / 2), first.end);
    EXPECT_TRUE(at::allclose(at::cat({first.y, second.y}, 1), whole.y, 1e-10, 1e-10))
        << testing::PrintToString(config);
  }
}

TEST(DefinitionState, SequencesDoNotTouchEachOther) {
  const auto config = layer_configs()[0];
  RandomTensors tensors(5);
  add_layer(tensors, config);
  const auto leaves = parameters<double>(tensors);
  const auto x = tensor(tensors.draw<double>(std::size_t(3 * 32) * config.width, 1), {3, 32, config.width});
  const auto all = definition::layer(config, rope_of(config), leaves, "", x).y;
  for (int i = 0; i < 3; ++i) {
    const auto one = definition::layer(config, rope_of(config), leaves, "", x.narrow(0, i, 1)).y;
    EXPECT_TRUE(at::allclose(one, all.narrow(0, i, 1), 1e-12, 1e-12));
  }
}

TEST(DefinitionState, RefusesFramesThatAreNotWhole) {
  const auto config = layer_configs()[0];
  RandomTensors tensors(6);
  add_layer(tensors, config);
  const auto x = at::zeros({1, 17, config.width}, at::kDouble);
  EXPECT_THROW(definition::layer(config, rope_of(config), parameters<double>(tensors), "", x),
               std::invalid_argument);
}

}  // namespace
}  // namespace longtake
