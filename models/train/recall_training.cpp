#include "models/train/recall_training.h"

#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/net/tensor_file.h"

namespace longtake {
namespace {

constexpr char kState[] = "streams.recall";

RecallStreamOptions judging(RecallStreamOptions options) {
  options.seed ^= 0x6a75646765000000ULL;
  return options;
}

}  // namespace

RecallTraining::RecallTraining(RecallNet& net, LatentsOf latents, const Split& split, const RecallTrainingOptions& options)
    : net_(net),
      options_(options),
      streams_(latents, split.train, options.streams),
      held_out_(std::move(latents), split.held_out.empty() ? split.train : split.held_out, judging(options.streams)) {}

bool RecallTraining::decays(std::string_view name) const {
  return name == "features.weight" || name == "base.weight" || name == "keys.weight" || name == "keys.features" ||
         name == "gates.weight";
}

RecallTraining::Passed RecallTraining::pass(const RecallBatch& batch, const at::Tensor& state) const {
  at::Tensor start;
  if (state.defined()) {
    const at::Tensor begins = batch.fresh.repeat({2}).unsqueeze(1);  // half by half
    start = at::where(begins, net_.start(batch.x.size(0)), state);
  }
  const auto out = net_.forward(batch.x, start, at::ones({batch.x.size(0), batch.x.size(1)}));
  return {(out.predictions - batch.x).square().mean(at::IntArrayRef{2, 3}), out.state.detach()};
}

at::Tensor RecallTraining::loss(std::int64_t step, Figures& parts) {
  const RecallBatch batch = streams_.batch(step);
  const Passed passed = pass(batch, state_);
  state_ = passed.state;
  const at::Tensor weights = 1 + (options_.return_weight - 1) * batch.is_return;
  const double variance = batch.x.var().item<double>();
  parts["return"] = (passed.errors * batch.is_return).sum().item<double>() /
                    std::max(1.0, batch.is_return.sum().item<double>()) / variance;
  return (passed.errors * weights).sum() / weights.sum() / variance;
}

std::string RecallTraining::describe(std::int64_t step) const { return fmt::format("the window of step {}", step + 1); }

Figures RecallTraining::judge() {
  const at::NoGradGuard no_grad;
  at::Tensor state;
  double all = 0, back = 0, backs = 0, variance = 0;
  for (int step = 0; step < options_.judged_windows; ++step) {
    const RecallBatch batch = held_out_.batch(step);
    const Passed passed = pass(batch, state);
    state = passed.state;
    all += passed.errors.mean().item<double>();
    back += (passed.errors * batch.is_return).sum().item<double>();
    backs += batch.is_return.sum().item<double>();
    variance += batch.x.var().item<double>();
  }
  variance /= options_.judged_windows;
  Figures out;
  out["all"] = all / options_.judged_windows / variance;
  out["return"] = back / std::max(1.0, backs) / variance;
  out["score"] = out["all"] + out["return"];
  return out;
}

void RecallTraining::save(TensorFile& file) const {
  if (state_.defined()) file.tensors[kState] = stored(state_, TensorType::kF32);
}

Result<void> RecallTraining::load(const TensorFile& file) {
  if (!file.contains(kState)) {
    state_ = at::Tensor();
    return {};
  }
  auto state = tensor_of(file, kState, file.tensors.find(kState)->second.shape);
  if (!state) return std::move(state).error();
  state_ = std::move(*state);
  return {};
}

}  // namespace longtake
