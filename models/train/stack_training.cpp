#include "models/train/stack_training.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "models/net/rows.h"
#include "models/net/tensor_file.h"
#include "models/on_threads.h"
#include "models/train/head_share.h"
#include "models/train/mean_weights.h"

namespace longtake {
namespace {

constexpr std::int64_t kJudgedFrames = 4096;  // often, so it has to be quick
constexpr std::int64_t kFittedFrames = 32768;

std::string means_name(std::size_t shard) { return fmt::format("streams.{}.means", shard); }
std::string counts_name(std::size_t shard) { return fmt::format("streams.{}.counts", shard); }
std::string layer_name(std::size_t shard, std::size_t layer, std::size_t tensor) {
  return fmt::format("streams.{}.{}.{}", shard, layer, tensor);
}

// Evenly spread stretches, no more than `most` frames in all.
std::vector<Clip> sampled(const std::vector<Clip>& clips, std::int64_t most) {
  constexpr std::int64_t kStretch = 256;
  std::vector<Clip> stretches;
  for (const Clip& clip : clips) {
    for (std::int64_t first = clip.first; first + 1 < clip.end; first += kStretch) {
      stretches.push_back({clip.features, first, std::min(first + kStretch, clip.end), clip.degraded});
    }
  }
  if (std::ssize(stretches) * kStretch <= most) return clips;
  std::vector<Clip> out;
  const std::int64_t count = most / kStretch;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(stretches[static_cast<std::size_t>(i * std::ssize(stretches) / count)]);
  return out;
}

}  // namespace

StackTraining::StackTraining(StackNet& net, const Split& split, const StackTrainingOptions& options)
    : net_(net),
      options_(options),
      streams_(net, split.train, options.streams),
      held_out_(sampled(split.held_out, kJudgedFrames)),
      states_(static_cast<std::size_t>(options.shards)) {
  if (options.shards < 1 || options.streams.rows % options.shards != 0) {
    throw std::invalid_argument("StackTraining: the rows must be shared out evenly among the shards");
  }
  if (!has_ttt_layers(net.config())) options_.remember = 0;  // rivals have no inner loss to tell by
  if (options_.remember > 0 && !split.held_out.empty()) {
    StackStreamOptions streams = options.streams;
    streams.seed ^= 0x6a75646765000000ULL;
    held_out_streams_.emplace(net, split.held_out, streams);
  }
  if (options.fit_means) {
    net.parameters().at("mean_weights") =
        fit_mean_weights(net, sampled(split.train, kFittedFrames), options.streams.fps.front(), streams_.persistence(), options.cap);
  }
}

bool StackTraining::decays(std::string_view name) const {
  // Matrices of the outer net only: not vectors, and not the start of the inner one.
  const at::Tensor& parameter = net_.parameters().find(name)->second;
  const bool inner = name.ends_with(".W1") || name.ends_with(".W2");
  const bool rates = name.ends_with(".a_log");  // of Mamba's states
  return parameter.dim() == 2 && parameter.size(0) > 1 && parameter.size(1) > 1 && !inner && !rates;
}

at::Tensor StackTraining::loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) {
  NetState& state = states_[static_cast<std::size_t>(shard)];
  const std::int64_t rows = streams_.options().rows / shards();
  StackNet net = net_;
  net.parameters() = parameters;
  const StackBatch batch = streams_.batch(step, shard * rows, rows);
  const NetOutputs out = net.forward(batch.x, batch.dt, state.means.defined() ? net.restarted(state, batch.fresh) : NetState());
  state = detached(out.state);
  at::Tensor total = at::zeros({});
  if (options_.remember > 0) {
    const ProbeBatch probes = streams_.probes(step, shard * rows, rows, options_.probe_frames);
    const at::Tensor seen = net.familiarity(probes.seen, probes.dt, out.state.layers);
    if (seen.defined()) {
      // Whatever was seen against whatever was not, of all rows: scores have to mean the same everywhere.
      const at::Tensor other = net.familiarity(probes.other, probes.dt, out.state.layers);
      const at::Tensor margin = seen.unsqueeze(2) - other.unsqueeze(1);  // [layers][B][B]
      const at::Tensor asked = at::clamp_min(probes.has_other.sum(), 1) * static_cast<double>(margin.size(0) * margin.size(1));
      const at::Tensor ranking = (at::softplus(-margin) * probes.has_other).sum() / asked;
      parts["remember"] = ranking.item<double>();
      total = total + options_.remember * ranking;
    }
  }
  const at::Tensor errors = fast_mean_square(out.predictions, batch.targets);  // [H][B][T]
  for (std::int64_t h = 0; h < errors.size(0); ++h) {
    const double scale = streams_.persistence()[static_cast<std::size_t>(h)];
    const at::Tensor capped = at::clamp_max(errors[h] / scale, options_.cap);
    const at::Tensor mean = (capped * batch.has_target[h]).sum() / at::clamp_min(batch.has_target[h].sum(), 1);
    parts[fmt::format("{}_s", net.config().horizons_s[static_cast<std::size_t>(h)])] = mean.item<double>();
    total = total + mean / static_cast<double>(errors.size(0));
  }
  for (std::size_t i = 0; i < out.before.size(); ++i) {
    if (out.before[i].defined()) parts[fmt::format("inner_{}", i)] = out.before[i].mean().item<double>();
  }
  return total;
}

std::string StackTraining::describe(std::int64_t step) const { return streams_.describe(step); }

Figures StackTraining::judge(int threads) {
  Figures out;
  double sum = 0;
  for (const HeadShare& horizon : fit_head_shares(net_, held_out_, options_.streams.fps.front(), threads)) {
    if (std::isnan(horizon.error)) continue;
    out[fmt::format("{}_s", horizon.seconds)] = horizon.error;
    sum += horizon.error;
  }
  out["score"] = out.empty() ? 0 : sum / static_cast<double>(out.size());
  if (!held_out_streams_) return out;

  constexpr std::int64_t kWindows = 4;
  struct Answers {
    std::vector<at::Tensor> seen, other;  // [layers] each
  };
  std::vector<Answers> of_rows(static_cast<std::size_t>(options_.streams.rows));
  on_threads(std::ssize(of_rows), threads, [&](const auto& next) {
    at::init_num_threads();
    const at::NoGradGuard no_grad;
    for (std::int64_t row = next(); row >= 0; row = next()) {
      Answers& answers = of_rows[static_cast<std::size_t>(row)];
      NetState state;
      for (std::int64_t step = 0; step < kWindows; ++step) {
        const StackBatch batch = held_out_streams_->batch(step, row, 1);
        state = net_.forward(batch.x, batch.dt, step == 0 ? state : net_.restarted(state, batch.fresh)).state;
        const ProbeBatch probes = held_out_streams_->probes(step, row, 1, options_.probe_frames);
        const at::Tensor seen = net_.familiarity(probes.seen, probes.dt, state.layers);
        if (!seen.defined()) return;
        answers.seen.push_back(seen.select(1, 0));
        if (probes.has_other[0].item<double>() == 0) continue;
        answers.other.push_back(net_.familiarity(probes.other, probes.dt, state.layers).select(1, 0));
      }
    }
  });
  Answers all;
  for (const Answers& answers : of_rows) {
    all.seen.insert(all.seen.end(), answers.seen.begin(), answers.seen.end());
    all.other.insert(all.other.end(), answers.other.begin(), answers.other.end());
  }
  if (all.seen.empty() || all.other.empty()) return out;
  const at::Tensor margin = at::stack(all.seen, 1).unsqueeze(2) - at::stack(all.other, 1).unsqueeze(1);  // [layers][seen][other]
  out["told"] = (margin.mean(0) > 0).to(at::kDouble).mean().item<double>();
  out["remember"] = at::softplus(-margin).mean().item<double>();  // as in the loss: goes on falling when all are told
  out["score"] += options_.remember * out["remember"];
  return out;
}

void StackTraining::finish(int threads) {
  take_head_shares(net_, fit_head_shares(net_, held_out_, options_.streams.fps.front(), threads));
}

void StackTraining::save(TensorFile& file) const {
  for (std::size_t shard = 0; shard < states_.size(); ++shard) {
    const NetState& state = states_[shard];
    if (!state.means.defined()) continue;
    file.tensors[means_name(shard)] = stored(state.means, TensorType::kF32);
    file.tensors[counts_name(shard)] = Tensor::of(state.counts, {std::ssize(state.counts)});
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      for (std::size_t j = 0; j < state.layers[i].tensors.size(); ++j) {
        file.tensors[layer_name(shard, i, j)] = stored(state.layers[i].tensors[j], TensorType::kF32);
      }
    }
  }
}

Result<void> StackTraining::load(const TensorFile& file) {
  std::vector<NetState> states(states_.size());
  const auto take = [&](const std::string& name, at::Tensor& to) -> Result<void> {
    auto tensor = tensor_of(file, name, file.tensors.find(name)->second.shape);
    if (!tensor) return std::move(tensor).error();
    to = std::move(*tensor);
    return {};
  };
  for (std::size_t shard = 0; shard < states.size(); ++shard) {
    NetState& state = states[shard];
    if (!file.contains(means_name(shard))) continue;
    if (auto done = take(means_name(shard), state.means); !done) return done;
    auto counts = file.integers(counts_name(shard), {-1});
    if (!counts) return std::move(counts).error();
    state.counts = std::move(*counts);
    state.layers.resize(static_cast<std::size_t>(net_.config().layers));
    for (std::size_t i = 0; i < state.layers.size(); ++i) {
      for (std::size_t j = 0; file.contains(layer_name(shard, i, j)); ++j) {
        if (auto done = take(layer_name(shard, i, j), state.layers[i].tensors.emplace_back()); !done) return done;
      }
    }
  }
  states_ = std::move(states);
  return {};
}

}  // namespace longtake
