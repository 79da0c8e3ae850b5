#include "models/train/mean_weights.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include <ATen/ATen.h>

#include "models/train/stack_streams.h"

namespace longtake {

at::Tensor fit_mean_weights(const StackNet& net, const std::vector<Clip>& clips, double fps,
                            const std::vector<double>& persistence, double cap) {
  const at::NoGradGuard no_grad;
  constexpr std::size_t kWindow = 256;
  const auto& seconds = net.config().horizons_s;
  const auto horizons = static_cast<std::int64_t>(seconds.size());
  const auto means = static_cast<std::int64_t>(net.config().running_means_s.size());
  // Normal equations of each horizon: products a = b.
  at::Tensor products = at::zeros({horizons, means, means}, at::kDouble), b = at::zeros({horizons, means}, at::kDouble);
  for (const Clip& clip : clips) {
    const std::vector<std::int64_t> frames = frames_at(clip, fps);
    NetState state;
    for (std::size_t at = 0; at < frames.size(); at += kWindow) {
      const auto window = std::span(frames).subspan(at, std::min(kWindow, frames.size() - at));
      const at::Tensor x = net.latents(frame_tokens(*clip.features, window));
      const at::Tensor apart = net.means_apart(x.unsqueeze(0), gaps(clip, frames, at, window.size()).unsqueeze(0), state)
                                   .squeeze(1);  // [means][T][tokens][latent]
      for (std::int64_t h = 0; h < horizons; ++h) {
        const double horizon = seconds[static_cast<std::size_t>(h)];
        std::vector<std::int64_t> rows, targets;
        for (std::size_t i = 0; i < window.size(); ++i) {
          const std::int64_t after = frame_after(clip, window[i], horizon);
          if (after < 0) continue;
          rows.push_back(static_cast<std::int64_t>(i));
          targets.push_back(after);
        }
        if (rows.empty()) continue;
        const at::Tensor change =
            net.latents(frame_tokens(*clip.features, targets)) - x.index_select(0, at::tensor(rows));  // [n][tokens][latent]
        const at::Tensor kept = (change.square().mean(at::IntArrayRef{1, 2}) <= cap * persistence[static_cast<std::size_t>(h)])
                                    .to(at::kFloat)
                                    .view({-1, 1, 1});
        const at::Tensor from = (apart.index_select(1, at::tensor(rows)) * kept).flatten(1).to(at::kDouble);  // [means][N]
        products[h] += at::matmul(from, from.t());
        b[h] += at::matmul(from, (change * kept).flatten().to(at::kDouble));
      }
    }
  }
  // Means that never differ from the frame say nothing; their share is then 0.
  const at::Tensor ridge = 1e-6 * products.diagonal(0, 1, 2).sum(1).view({-1, 1, 1}) * at::eye(means, at::kDouble) +
                           1e-9 * at::eye(means, at::kDouble);
  return std::get<0>(at::linalg_solve_ex(products + ridge, b.unsqueeze(-1))).squeeze(-1).to(at::kFloat);
}

}  // namespace longtake
