#include "models/train/recall_training.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "models/net/rows.h"
#include "models/net/tensor_file.h"
#include "models/on_threads.h"

namespace longtake {
namespace {

std::string state_name(std::size_t shard) { return fmt::format("streams.{}", shard); }

RecallStreamOptions judging(RecallStreamOptions options) {
  options.seed ^= 0x6a75646765000000ULL;
  return options;
}

struct Passed {
  at::Tensor errors;  // [B][T] mean squares
  at::Tensor state;
};

Passed pass(const RecallNet& net, const RecallBatch& batch, const at::Tensor& state) {
  at::Tensor start;
  if (state.defined()) {
    const at::Tensor begins = batch.fresh.repeat({2}).unsqueeze(1);  // half by half
    start = at::where(begins, net.start(batch.x.size(0)), state);
  }
  const auto out = net.forward(batch.x, start, at::ones({batch.x.size(0), batch.x.size(1)}));
  return {fast_mean_square(out.predictions, batch.x), out.state.detach()};
}

}  // namespace

RecallTraining::RecallTraining(RecallNet& net, LatentsOf latents, const Split& split, const RecallTrainingOptions& options)
    : net_(net),
      options_(options),
      streams_(latents, split.train, options.streams),
      held_out_(std::move(latents), split.held_out.empty() ? split.train : split.held_out, judging(options.streams)),
      states_(static_cast<std::size_t>(options.shards)) {
  if (options.shards < 1 || options.streams.rows % options.shards != 0) {
    throw std::invalid_argument("RecallTraining: the rows must be shared out evenly among the shards");
  }
}

bool RecallTraining::decays(std::string_view name) const {
  return name == "features.weight" || name == "base.weight" || name == "keys.weight" || name == "keys.features" ||
         name == "gates.weight" || name == "decay.weight" || name == "input.weight" || name == "recurrent.weight" ||
         name == "read.weight" || name == "answer.weight";
}

at::Tensor RecallTraining::loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) {
  at::Tensor& state = states_[static_cast<std::size_t>(shard)];
  const std::int64_t rows = streams_.options().rows / shards();
  RecallNet net = net_;
  net.parameters() = parameters;
  const RecallBatch batch = streams_.batch(step, shard * rows, rows);
  const Passed passed = pass(net, batch, state);
  state = passed.state;
  const at::Tensor weights = 1 + (options_.return_weight - 1) * batch.is_return;
  parts["return"] = (passed.errors * batch.is_return).sum().item<double>() /
                    std::max(1.0, batch.is_return.sum().item<double>()) / streams_.variance();
  return (passed.errors * weights).sum() / weights.sum() / streams_.variance();
}

std::string RecallTraining::describe(std::int64_t step) const { return streams_.describe(step); }

Figures RecallTraining::judge(int threads) {
  struct Sums {
    double all = 0, frames = 0, back = 0, backs = 0, fresh = 0, news = 0, variance = 0;
  };
  std::vector<Sums> sums(static_cast<std::size_t>(shards()));
  const std::int64_t rows = held_out_.options().rows / shards();
  on_threads(std::ssize(sums), threads, [&](const auto& next) {
    at::init_num_threads();
    const at::NoGradGuard no_grad;
    for (std::int64_t shard = next(); shard >= 0; shard = next()) {
      Sums& sum = sums[static_cast<std::size_t>(shard)];
      at::Tensor state;
      for (int step = 0; step < options_.judged_windows; ++step) {
        const RecallBatch batch = held_out_.batch(step, shard * rows, rows);
        const Passed passed = pass(net_, batch, state);
        state = passed.state;
        sum.variance += batch.x.var().item<double>();  // of scenes as they are shown, which is more than of the clips
        sum.all += passed.errors.sum().item<double>();
        sum.frames += static_cast<double>(passed.errors.numel());
        sum.back += (passed.errors * batch.is_return).sum().item<double>();
        sum.backs += batch.is_return.sum().item<double>();
        sum.fresh += (passed.errors * batch.is_new).sum().item<double>();
        sum.news += batch.is_new.sum().item<double>();
      }
    }
  });
  Sums total;
  for (const Sums& sum : sums) {
    total.all += sum.all, total.frames += sum.frames;
    total.back += sum.back, total.backs += sum.backs;
    total.fresh += sum.fresh, total.news += sum.news;
    total.variance += sum.variance / static_cast<double>(shards() * options_.judged_windows);
  }
  Figures out;
  out["all"] = total.all / total.frames / total.variance;
  out["return"] = total.back / std::max(1.0, total.backs) / total.variance;
  out["new"] = total.fresh / std::max(1.0, total.news) / total.variance;
  out["score"] = out["all"] + out["return"];
  return out;
}

void RecallTraining::save(TensorFile& file) const {
  for (std::size_t shard = 0; shard < states_.size(); ++shard) {
    if (states_[shard].defined()) file.tensors[state_name(shard)] = stored(states_[shard], TensorType::kF32);
  }
}

Result<void> RecallTraining::load(const TensorFile& file) {
  std::vector<at::Tensor> states(states_.size());
  for (std::size_t shard = 0; shard < states.size(); ++shard) {
    const auto there = file.tensors.find(state_name(shard));
    if (there == file.tensors.end()) continue;
    auto state = tensor_of(file, state_name(shard), there->second.shape);
    if (!state) return std::move(state).error();
    states[shard] = std::move(*state);
  }
  states_ = std::move(states);
  return {};
}

}  // namespace longtake
