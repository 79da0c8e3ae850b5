#include "models/train/stack_training.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/net/tensor_file.h"

namespace longtake {
namespace {

constexpr char kMeans[] = "streams.means";
constexpr char kCounts[] = "streams.counts";
std::string layer_name(std::size_t layer, std::size_t tensor) { return fmt::format("streams.{}.{}", layer, tensor); }

}  // namespace

StackTraining::StackTraining(StackNet& net, const Split& split, const StackTrainingOptions& options)
    : net_(net), options_(options), streams_(net, split.train, options.streams), held_out_(split.held_out) {}

bool StackTraining::decays(std::string_view name) const {
  // Matrices of the outer net only: not vectors, and not the start of the inner one.
  const at::Tensor& parameter = net_.parameters().find(name)->second;
  const bool inner = name.ends_with(".W1") || name.ends_with(".W2");
  return parameter.dim() == 2 && parameter.size(0) > 1 && parameter.size(1) > 1 && !inner && name != "mean_weights";
}

at::Tensor StackTraining::loss(std::int64_t step, Figures& parts) {
  const StackBatch batch = streams_.batch(step);
  const NetState state = state_.means.defined() ? net_.restarted(state_, batch.fresh) : NetState();
  const NetOutputs out = net_.forward(batch.x, batch.dt, state);
  state_ = detached(out.state);
  const at::Tensor errors = (out.predictions - batch.targets).square().mean(at::IntArrayRef{3, 4});  // [H][B][T]
  at::Tensor total = at::zeros({});
  for (std::int64_t h = 0; h < errors.size(0); ++h) {
    const double scale = streams_.persistence()[static_cast<std::size_t>(h)];
    const at::Tensor capped = at::clamp_max(errors[h] / scale, options_.cap);
    const at::Tensor mean = (capped * batch.has_target[h]).sum() / at::clamp_min(batch.has_target[h].sum(), 1);
    parts[fmt::format("{}_s", net_.config().horizons_s[static_cast<std::size_t>(h)])] = mean.item<double>();
    total = total + mean / static_cast<double>(errors.size(0));
  }
  for (std::size_t i = 0; i < out.before.size(); ++i) {
    if (out.before[i].defined()) parts[fmt::format("inner_{}", i)] = out.before[i].mean().item<double>();
  }
  return total;
}

std::string StackTraining::describe(std::int64_t step) const { return fmt::format("the window of step {}", step + 1); }

Figures StackTraining::judge() {
  Figures out = prediction_error(net_, held_out_, options_.streams.fps.front());
  double sum = 0;
  for (const auto& [name, value] : out) sum += value;
  out["score"] = out.empty() ? 0 : sum / static_cast<double>(out.size());
  return out;
}

void StackTraining::save(TensorFile& file) const {
  if (!state_.means.defined()) return;
  file.tensors[kMeans] = stored(state_.means, TensorType::kF32);
  file.tensors[kCounts] = Tensor::of(state_.counts, {std::ssize(state_.counts)});
  for (std::size_t i = 0; i < state_.layers.size(); ++i) {
    for (std::size_t j = 0; j < state_.layers[i].tensors.size(); ++j) {
      file.tensors[layer_name(i, j)] = stored(state_.layers[i].tensors[j], TensorType::kF32);
    }
  }
}

Result<void> StackTraining::load(const TensorFile& file) {
  NetState state;
  if (!file.contains(kMeans)) {
    state_ = state;
    return {};
  }
  const auto take = [&](const std::string& name, at::Tensor& to) -> Result<void> {
    auto tensor = tensor_of(file, name, file.tensors.find(name)->second.shape);
    if (!tensor) return std::move(tensor).error();
    to = std::move(*tensor);
    return {};
  };
  if (auto done = take(kMeans, state.means); !done) return done;
  auto counts = file.integers(kCounts, {-1});
  if (!counts) return std::move(counts).error();
  state.counts = std::move(*counts);
  state.layers.resize(static_cast<std::size_t>(net_.config().layers));
  for (std::size_t i = 0; i < state.layers.size(); ++i) {
    for (std::size_t j = 0; file.contains(layer_name(i, j)); ++j) {
      if (auto done = take(layer_name(i, j), state.layers[i].tensors.emplace_back()); !done) return done;
    }
  }
  state_ = std::move(state);
  return {};
}

Figures prediction_error(const StackNet& net, const std::vector<Clip>& clips, double fps) {
  const at::NoGradGuard no_grad;
  constexpr std::size_t kWindow = 64;
  const auto& horizons = net.config().horizons_s;
  std::vector<double> model(horizons.size()), persistence(horizons.size());
  for (const Clip& clip : clips) {
    std::vector<std::int64_t> frames;
    for (double t = 0; t <= clip.duration_s(); t += 1 / fps) {
      const std::int64_t frame = std::clamp(clip.features->nearest(clip.start_s() + t), clip.first, clip.end - 1);
      if (frames.empty() || frame != frames.back()) frames.push_back(frame);
    }
    NetState state;
    for (std::size_t at = 0; at < frames.size(); at += kWindow) {
      const auto window = std::span(frames).subspan(at, std::min(kWindow, frames.size() - at));
      std::vector<float> dt;
      for (std::size_t i = 0; i < window.size(); ++i) {
        const std::size_t n = at + i;
        dt.push_back(n == 0 ? 0.0F
                            : static_cast<float>(clip.features->seconds(frames[n]) - clip.features->seconds(frames[n - 1])));
      }
      const at::Tensor x = net.latents(frame_tokens(*clip.features, window));
      const NetOutputs out = net.forward(x.unsqueeze(0), at::tensor(dt).unsqueeze(0), state);
      state = out.state;
      for (std::size_t h = 0; h < horizons.size(); ++h) {
        std::vector<std::int64_t> rows, targets;
        for (std::size_t i = 0; i < window.size(); ++i) {
          const std::int64_t after = frame_after(clip, window[i], horizons[h]);
          if (after < 0) continue;
          rows.push_back(static_cast<std::int64_t>(i));
          targets.push_back(after);
        }
        if (rows.empty()) continue;
        const at::Tensor wanted = net.latents(frame_tokens(*clip.features, targets));
        const auto sum = [&](const at::Tensor& got) {
          return (got.index_select(0, at::tensor(rows)) - wanted).square().sum().item<double>();
        };
        model[h] += sum(out.predictions[static_cast<std::int64_t>(h)][0]);
        persistence[h] += sum(x);
      }
    }
  }
  Figures out;
  for (std::size_t h = 0; h < horizons.size(); ++h) {
    if (persistence[h] > 0) out[fmt::format("{}_s", horizons[h])] = model[h] / persistence[h];
  }
  return out;
}

}  // namespace longtake
