#include "models/shots/shot_head.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/store/archive.h"
#include "models/net/tensor_file.h"
#include "models/train/random.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {
namespace {

constexpr std::int64_t kSignals = ShotSignals::kCount;

definition::Parameters some_parameters(std::uint64_t seed) {
  definition::Parameters out;
  Random random({seed});
  for (const ShotTensor& part : shot_tensors()) {
    const at::Tensor tensor = at::empty(part.shape);
    for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<float>()[i] = static_cast<float>(0.1 * random.normal());
    if (part.name == "signals.scale") tensor.abs_().add_(0.5);
    out[part.name] = tensor;
  }
  return out;
}

TensorFile file_of(const definition::Parameters& parameters) {
  TensorFile file;
  for (const auto& [name, tensor] : parameters) file.tensors[name] = stored(tensor, TensorType::kF32);
  return file;
}

std::vector<ShotSignals::Values> some_signals(int slots) {
  Random random({77});
  std::vector<ShotSignals::Values> out(static_cast<std::size_t>(slots));
  for (auto& values : out) {
    for (float& value : values) value = static_cast<float>(2 * random.normal());
  }
  return out;
}

// LibTorch's convolutions over the whole film at once, in double, the first slot before it and `still` after it.
at::Tensor oracle(const definition::Parameters& parameters, const std::vector<ShotSignals::Values>& slots,
                  const ShotSignals::Values& still) {
  std::vector<at::Tensor> rows;
  const auto row = [](const ShotSignals::Values& values) {
    return at::from_blob(const_cast<float*>(values.data()), {kSignals}, at::kFloat).to(at::kDouble);
  };
  for (int i = 0; i < 8; ++i) rows.push_back(row(slots.front()));
  for (const auto& values : slots) rows.push_back(row(values));
  for (int i = 0; i < 8; ++i) rows.push_back(row(still));
  const auto part = [&](const char* name) { return parameters.at(name).to(at::kDouble); };
  at::Tensor x = (at::stack(rows) - part("signals.mean")) / part("signals.scale");
  x = at::clamp(x, -6, 6).t().unsqueeze(0);
  x = at::relu(at::conv1d(x, part("first.weight"), part("first.bias")));
  x = at::relu(at::conv1d(x, part("second.weight"), part("second.bias")));
  return at::conv1d(x, part("last.weight"), part("last.bias"))[0];
}

TEST(ShotHead, SlotBySlotItGivesWhatTheConvolutionsGive) {
  const definition::Parameters parameters = some_parameters(5);
  const auto weights = load_shots(file_of(parameters));
  ASSERT_TRUE(weights) << weights.error().message;
  for (const int slots : {1, 5, 8, 9, 40}) {
    const auto signals = some_signals(slots);
    const ShotSignals::Values still = some_signals(50).back();
    const at::Tensor expected = oracle(parameters, signals, still);
    ASSERT_EQ(expected.size(1), slots);
    ShotHead head(*weights);
    // Twice: after flush() a new stream begins.
    for (int round = 0; round < 2; ++round) {
      std::vector<ShotHead::Logits> got;
      for (const auto& values : signals) {
        if (const auto logits = head.step(values)) got.push_back(*logits);
      }
      for (const auto& logits : head.flush(still)) got.push_back(logits);
      ASSERT_EQ(std::ssize(got), slots);
      for (int i = 0; i < slots; ++i) {
        const double limit = 1e-5;
        EXPECT_NEAR(got[static_cast<std::size_t>(i)].transition, expected[0][i].item<double>(), limit) << slots << ": " << i;
        EXPECT_NEAR(got[static_cast<std::size_t>(i)].cut, expected[1][i].item<double>(), limit) << slots << ": " << i;
      }
    }
  }
}

TEST(ShotHead, ContinuesFromItsSavedState) {
  const auto weights = load_shots(file_of(some_parameters(6)));
  ASSERT_TRUE(weights);
  const auto signals = some_signals(40);
  for (const std::size_t split : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{23}}) {
    ShotHead whole(*weights), first(*weights), second(*weights);
    for (std::size_t i = 0; i < split; ++i) {
      (void)whole.step(signals[i]);
      (void)first.step(signals[i]);
    }
    TensorFile file;
    StateWriter(file, "")("head", first);
    StateReader reader(file, "");
    reader("head", second);
    ASSERT_TRUE(reader.result());
    for (std::size_t i = split; i < signals.size(); ++i) {
      const auto expected = whole.step(signals[i]), got = second.step(signals[i]);
      ASSERT_EQ(got.has_value(), expected.has_value());
      if (!got) continue;
      EXPECT_EQ(got->transition, expected->transition);
      EXPECT_EQ(got->cut, expected->cut);
    }
  }
}

TEST(ShotHead, RefusesWeightsThatDoNotFit) {
  const TensorFile good = file_of(some_parameters(7));
  ASSERT_TRUE(load_shots(good));
  for (const ShotTensor& part : shot_tensors()) {
    TensorFile file = good;
    file.tensors.erase(part.name);
    EXPECT_FALSE(load_shots(file)) << part.name << " is missing";
    file = good;
    std::reverse(file.tensors[part.name].shape.begin(), file.tensors[part.name].shape.end());
    file.tensors[part.name].shape.push_back(1);
    EXPECT_FALSE(load_shots(file)) << part.name << " has another shape";
    file = good;
    std::vector<float> values = *good.floats(part.name, part.shape);
    values.back() = std::numeric_limits<float>::quiet_NaN();
    file.tensors[part.name] = Tensor::of(values, part.shape);
    const auto refused = load_shots(file);
    ASSERT_FALSE(refused) << part.name;
    EXPECT_EQ(refused.error().kind, ErrorKind::kModel);
  }
}

}  // namespace
}  // namespace longtake
