#include "models/train/clips.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/net/products.h"

namespace longtake {

Clip whole(std::shared_ptr<const Features> features, std::shared_ptr<const Features> degraded) {
  const std::int64_t frames = features->frames();
  return {std::move(features), 0, frames, std::move(degraded)};
}

Result<std::vector<Clip>> clips_of(FeatureCache& cache, FeatureCache* degraded, const std::vector<std::string>& videos,
                                   const Note& note, std::stop_token stop) {
  std::vector<Clip> out;
  for (const std::string& video : videos) {
    auto features = cache.get(video, stop);
    if (!features) return std::move(features).error();
    if ((*features)->frames() < 2) {
      note(fmt::format("left out: \"{}\" has a single frame", video));
      continue;
    }
    std::shared_ptr<const Features> changed;
    if (degraded != nullptr) {
      auto also = degraded->get(video, stop);
      if (!also) return std::move(also).error();
      changed = std::move(*also);
    }
    out.push_back(whole(*features, changed));
  }
  return out;
}

Split hold_out(const std::vector<Clip>& clips) {
  constexpr std::int64_t kShare = 8;
  Split split;
  if (clips.size() >= kShare) {
    for (std::size_t i = 0; i < clips.size(); ++i) {
      (i % kShare == kShare - 1 ? split.held_out : split.train).push_back(clips[i]);
    }
    return split;
  }
  for (const Clip& clip : clips) {
    const std::int64_t border = clip.end - clip.frames() / kShare;
    split.train.push_back({clip.features, clip.first, border, clip.degraded});
    if (border < clip.end) split.held_out.push_back({clip.features, border, clip.end, clip.degraded});
  }
  return split;
}

std::vector<std::int64_t> frames_at(const Clip& clip, double fps) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; static_cast<double>(i) / fps <= clip.duration_s(); ++i) {
    const double t = clip.start_s() + static_cast<double>(i) / fps;
    const std::int64_t frame = std::clamp(clip.features->nearest(t), clip.first, clip.end - 1);
    if (out.empty() || frame != out.back()) out.push_back(frame);
  }
  return out;
}

at::Tensor gaps(const Clip& clip, std::span<const std::int64_t> frames, std::size_t first, std::size_t count) {
  std::vector<float> out;
  for (std::size_t i = first; i < first + count; ++i) {
    const double gap = i == 0 ? 0 : clip.features->seconds(frames[i]) - clip.features->seconds(frames[i - 1]);
    out.push_back(static_cast<float>(gap));
  }
  return at::tensor(out);
}

at::Tensor frame_tokens(const Features& features, std::span<const std::int64_t> frames) {
  const at::Tensor halves = at::empty(
      {static_cast<std::int64_t>(frames.size()), Encoder::kTokens, Encoder::kTokenChannels}, at::kHalf);
  auto* to = static_cast<std::uint16_t*>(halves.data_ptr());
  for (const std::int64_t frame : frames) {
    const auto from = features.tokens(frame);
    to = std::copy(from.begin(), from.end(), to);
  }
  return halves.to(at::kFloat);
}

TokenProjection fit_projection(const std::vector<Clip>& clips, int latent) {
  constexpr std::int64_t kMost = 20000;
  constexpr std::int64_t kAtATime = 512;
  std::int64_t total = 0;
  for (const Clip& clip : clips) total += clip.frames();
  const std::int64_t every = std::max<std::int64_t>(1, (total + kMost - 1) / kMost);

  at::Tensor sum = at::zeros({Encoder::kTokenChannels}, at::kDouble);
  at::Tensor products = at::zeros({Encoder::kTokenChannels, Encoder::kTokenChannels}, at::kDouble);
  double count = 0;
  for (const Clip& clip : clips) {
    std::vector<std::int64_t> frames;
    for (std::int64_t frame = clip.first; frame < clip.end; frame += every) frames.push_back(frame);
    for (std::size_t at = 0; at < frames.size(); at += kAtATime) {
      const auto part = std::span(frames).subspan(at, std::min<std::size_t>(kAtATime, frames.size() - at));
      const at::Tensor rows = frame_tokens(*clip.features, part).flatten(0, 1);
      sum += rows.sum(0, false, at::kDouble);
      // Floats within a part, doubles across: the sums of a part are short enough.
      products += linear_product(rows.t(), rows.t()).to(at::kDouble);
      count += static_cast<double>(rows.size(0));
    }
  }
  TokenProjection out;
  const at::Tensor mean = sum / count;
  const at::Tensor covariance = products / count - at::outer(mean, mean);
  // A channel that never varies is not blown up.
  const at::Tensor scale = at::clamp_min(at::sqrt(at::clamp_min(at::diagonal(covariance), 0)), 1e-3);
  const at::Tensor correlation = covariance / at::outer(scale, scale);
  const auto [values, vectors] = at::linalg_eigh(correlation);  // ascending
  at::Tensor rows = vectors.t().flip(0).narrow(0, 0, latent);
  const at::Tensor variance = values.flip(0).narrow(0, 0, latent);
  // An eigenvector's sign is arbitrary: the largest entry is positive.
  const at::Tensor largest = rows.gather(1, at::argmax(at::abs(rows), 1, true));
  rows = rows * at::sign(largest) / std::sqrt(variance.mean().item<double>());
  out.mean = mean.to(at::kFloat);
  out.scale = scale.to(at::kFloat);
  out.projection = rows.to(at::kFloat).contiguous();
  out.kept = (variance.sum() / values.sum()).item<double>();
  return out;
}

}  // namespace longtake
