#include "models/train/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/train/trainer.h"

namespace longtake {
namespace {

definition::Parameters two() {
  definition::Parameters out;
  out["w"] = at::tensor({0.5, -1.0, 2.0, 0.25}, at::kDouble).view({2, 2});
  out["b"] = at::tensor({0.1, -0.2, 0.3}, at::kDouble);
  return out;
}

void set_gradients(definition::Parameters& parameters, int k) {
  parameters["w"].mutable_grad() = at::tensor({0.3 * (k + 1), -0.2, 0.0, 1e-5 * (k + 1)}, at::kDouble).view({2, 2});
  parameters["b"].mutable_grad() = k == 1 ? at::Tensor() : at::tensor({1.0, -2.0 * k, 0.5}, at::kDouble);
}

AdamWOptions options() {
  AdamWOptions out;
  out.decays = [](std::string_view name) { return name == "w"; };
  return out;
}

constexpr double kRates[] = {1e-3, 3e-3, 1e-2, 3e-3};

// torch.optim.AdamW of PyTorch 2.15 in doubles: betas .9 and .95, eps 1e-8, weight decay .05 for w and 0 for b, these rates and
// gradients.
TEST(AdamW, IsPyTorchs) {
  definition::Parameters parameters = two();
  AdamW optimiser(options());
  for (int k = 0; k < 4; ++k) {
    set_gradients(parameters, k);
    // (One that is left out falls behind in PyTorch, each parameter counts its own steps; here all have one count.)
    if (k == 1) parameters["b"].mutable_grad() = at::zeros({3}, at::kDouble);
    optimiser.step(parameters, kRates[k]);
  }
  const std::vector<double> w{0.483437593944461, -0.982154462932424, 1.99830042496025, 0.23365815596565}, b{0.0861494317505412, -0.191513504118126, 0.286149431920158};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(parameters["w"].flatten()[i].item<double>(), w[static_cast<std::size_t>(i)], 1e-13) << i;
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(parameters["b"][i].item<double>(), b[static_cast<std::size_t>(i)], 1e-13) << i;
}

TEST(AdamW, WhatHasNoGradientStaysAsItIs) {
  definition::Parameters parameters = two();
  AdamW optimiser(AdamWOptions{});
  parameters["w"].mutable_grad() = at::ones({2, 2}, at::kDouble);
  optimiser.step(parameters, 0.1);
  EXPECT_TRUE(at::equal(parameters["b"], two()["b"]));
  EXPECT_FALSE(at::equal(parameters["w"], two()["w"]));
}

TEST(AdamW, SavedItGoesOnToTheSameBits) {
  const auto floats = [] {
    definition::Parameters out;
    for (const auto& [name, parameter] : two()) out[name] = parameter.to(at::kFloat);
    return out;
  };
  const auto gradients = [](definition::Parameters& parameters, int k) {
    set_gradients(parameters, k);
    for (auto& [name, parameter] : parameters) {
      if (parameter.grad().defined()) parameter.mutable_grad() = parameter.grad().to(at::kFloat);
    }
  };
  definition::Parameters whole = floats(), split = floats();
  AdamW one(options()), two(options()), three(options());
  for (int k = 0; k < 4; ++k) {
    gradients(whole, k);
    one.step(whole, kRates[k]);
    if (k == 2) {
      TensorFile file;
      two.save(file);
      ASSERT_TRUE(three.load(*parse_tensors(serialize_tensors(file), "optimiser"), split).ok());
    }
    gradients(split, k);
    (k < 2 ? two : three).step(split, kRates[k]);
  }
  EXPECT_TRUE(at::equal(whole["w"], split["w"]));
  EXPECT_TRUE(at::equal(whole["b"], split["b"]));
  // Not of these parameters.
  TensorFile file;
  three.save(file);
  definition::Parameters other = floats();
  other["w"] = at::zeros({3, 3});
  EXPECT_FALSE(three.load(file, other).ok());
  EXPECT_FALSE(three.load(TensorFile(), split).ok());
}

TEST(ClipGradients, ShortensThemAllTogether) {
  definition::Parameters parameters = two();
  parameters["w"].mutable_grad() = at::tensor({3.0, 0.0, 0.0, 0.0}, at::kDouble).view({2, 2});
  parameters["b"].mutable_grad() = at::tensor({0.0, 4.0, 0.0}, at::kDouble);
  EXPECT_DOUBLE_EQ(clip_gradients(parameters, 10), 5);
  EXPECT_DOUBLE_EQ(parameters["b"].grad()[1].item<double>(), 4);
  EXPECT_DOUBLE_EQ(clip_gradients(parameters, 1), 5);
  EXPECT_DOUBLE_EQ(parameters["w"].grad()[0][0].item<double>(), 0.6);
  EXPECT_DOUBLE_EQ(parameters["b"].grad()[1].item<double>(), 0.8);
  EXPECT_DOUBLE_EQ(clip_gradients({{"none", at::zeros({2})}}, 1), 0);
  parameters["w"].mutable_grad()[0][1] = std::nan("");
  EXPECT_TRUE(std::isnan(clip_gradients(parameters, 1)));
}

TEST(ScheduledRate, RisesAndFallsAsACosine) {
  TrainerOptions options;
  options.steps = 100;
  options.rate = 2;
  options.warm_up = 0.1;
  options.last_rate = 0.01;
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 9), 2.0);
  EXPECT_NEAR(scheduled_rate(options, 54), 2 * (0.01 + 0.99 / 2), 1e-12);  // half of the way down
  EXPECT_NEAR(scheduled_rate(options, 99), 0.02, 1e-12);
  for (std::int64_t step = 10; step < 99; ++step) EXPECT_GT(scheduled_rate(options, step), scheduled_rate(options, step + 1));
  options.steps = 1;
  EXPECT_DOUBLE_EQ(scheduled_rate(options, 0), 2);
}

}  // namespace
}  // namespace longtake
