#include "models/train/next_latent.h"

#include <algorithm>
#include <cmath>
#include <span>

#include <ATen/ATen.h>

#include "models/train/stack_streams.h"

namespace longtake {
namespace {

// Of each frame, [n]: mean square over tokens and numbers.
std::vector<double> mean_squares(const at::Tensor& apart) {
  const at::Tensor rows = apart.square().mean(at::IntArrayRef{1, 2}).to(at::kDouble).contiguous();
  return {rows.data_ptr<double>(), rows.data_ptr<double>() + rows.numel()};
}

}  // namespace

void watch_clip(const StackNet& net, const Clip& clip, double fps,
                const std::function<void(const WatchedFrame&)>& on_frame, std::stop_token stop) {
  const at::NoGradGuard no_grad;
  constexpr std::size_t kWindow = 64;
  const auto& horizons = net.config().horizons_s;
  const Features& features = *clip.features;
  const std::vector<std::int64_t> frames = frames_at(clip, fps);
  NetState state;
  for (std::size_t at = 0; at < frames.size() && !stop.stop_requested(); at += kWindow) {
    const auto window = std::span(frames).subspan(at, std::min(kWindow, frames.size() - at));
    std::vector<WatchedFrame> watched(window.size());
    for (std::size_t i = 0; i < window.size(); ++i) {
      const std::size_t n = at + i;
      watched[i].seen = static_cast<std::int64_t>(n) + 1;
      watched[i].seconds = features.seconds(frames[n]) - clip.start_s();
      watched[i].horizons.resize(horizons.size());
    }
    const at::Tensor x = net.latents(frame_tokens(features, window));
    NetOutputs out = net.forward(x.unsqueeze(0), gaps(clip, frames, at, window.size()).unsqueeze(0), state);
    state = std::move(out.state);
    for (const at::Tensor& layer : out.before) {
      for (std::size_t i = 0; i < window.size(); ++i) {
        watched[i].before.push_back(layer.defined() ? layer[0][static_cast<std::int64_t>(i)].item<double>() : NAN);
      }
    }
    for (std::size_t h = 0; h < horizons.size(); ++h) {
      std::vector<std::int64_t> rows, targets;
      for (std::size_t i = 0; i < window.size(); ++i) {
        const std::int64_t after = frame_after(clip, window[i], horizons[h]);
        if (after < 0) continue;
        rows.push_back(static_cast<std::int64_t>(i));
        targets.push_back(after);
      }
      if (rows.empty()) continue;
      const at::Tensor wanted = net.latents(frame_tokens(features, targets)), which = at::tensor(rows);
      const auto errors = [&](const at::Tensor& got) { return mean_squares(got.index_select(0, which) - wanted); };
      const auto horizon = static_cast<std::int64_t>(h);
      const auto stack = errors(out.predictions[horizon][0]);
      const auto running_means = errors(out.drawn[horizon][0]);
      const auto persistence = errors(x);
      const auto added = mean_squares((out.predictions[horizon][0] - out.drawn[horizon][0]).index_select(0, which));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        watched[static_cast<std::size_t>(rows[i])].horizons[h] = {true, stack[i], running_means[i], persistence[i], added[i]};
      }
    }
    for (const WatchedFrame& frame : watched) on_frame(frame);
  }
}

}  // namespace longtake
