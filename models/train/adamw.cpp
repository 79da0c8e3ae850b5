#include "models/train/adamw.h"

#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "models/net/tensor_file.h"

namespace longtake {
namespace {

constexpr char kFirst[] = "adamw.first.";
constexpr char kSecond[] = "adamw.second.";
constexpr char kSteps[] = "adamw.steps";

}  // namespace

void AdamW::step(definition::Parameters& parameters, double rate) {
  const at::NoGradGuard no_grad;
  ++steps_;
  const double scale1 = 1 / (1 - std::pow(options_.beta1, static_cast<double>(steps_)));
  const double scale2 = 1 / std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(steps_)));
  for (auto& [name, parameter] : parameters) {
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    at::Tensor& first = first_[name];
    at::Tensor& second = second_[name];
    if (!first.defined()) {
      first = at::zeros_like(parameter);
      second = at::zeros_like(parameter);
    }
    first.lerp_(gradient, 1 - options_.beta1);
    second.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    if (!options_.decays || options_.decays(name)) parameter.mul_(1 - rate * options_.weight_decay);
    parameter.addcdiv_(first, second.sqrt().add_(options_.eps / scale2), -rate * scale1 / scale2);
  }
}

void AdamW::save(TensorFile& file) const {
  for (const auto& [name, moment] : first_) file.tensors[kFirst + name] = stored(moment, TensorType::kF32);
  for (const auto& [name, moment] : second_) file.tensors[kSecond + name] = stored(moment, TensorType::kF32);
  file.tensors[kSteps] = Tensor::of(std::vector<std::int64_t>{steps_}, {1});
}

Result<void> AdamW::load(const TensorFile& file, const definition::Parameters& parameters) {
  auto steps = file.integers(kSteps, {1});
  if (!steps) return std::move(steps).error();
  definition::Parameters first, second;
  for (const auto& [name, parameter] : parameters) {
    if (!file.contains(kFirst + name)) continue;  // never had a gradient
    auto one = tensor_of(file, kFirst + name, parameter.sizes().vec());
    if (!one) return std::move(one).error();
    auto two = tensor_of(file, kSecond + name, parameter.sizes().vec());
    if (!two) return std::move(two).error();
    first[name] = std::move(*one);
    second[name] = std::move(*two);
  }
  steps_ = steps->front();
  first_ = std::move(first);
  second_ = std::move(second);
  return {};
}

double clip_gradients(const definition::Parameters& parameters, double longest) {
  double square = 0;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) square += parameter.grad().square().sum().item<double>();
  }
  const double length = std::sqrt(square);
  if (length > longest) {
    for (const auto& [name, parameter] : parameters) {
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(longest / length);
    }
  }
  return length;
}

}  // namespace longtake
