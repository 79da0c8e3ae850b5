#include "models/train/familiarity_fit.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/store/half.h"
#include "core/store/sha256.h"
#include "models/eval/calibration.h"
#include "models/eval/statistics.h"
#include "models/model.h"
#include "models/on_threads.h"
#include "models/train/clips.h"
#include "models/train/metric_fit.h"
#include "models/train/random.h"
#include "models/train/recall_streams.h"

namespace longtake {
namespace {

constexpr int kViews = 8;
constexpr double kPull = 1e-4;  // of a weight towards 0, in answers

// A clip's latents, a row a frame.
struct Seen {
  std::vector<std::vector<float>> own, degraded, copy;  // [frames][frame_numbers]; copy: or none
  std::vector<double> t;
};

std::vector<float> latents_of(const Model& model, std::span<const std::uint16_t> tokens) {
  std::vector<float> wide(tokens.size()), out(static_cast<std::size_t>(Encoder::kTokens * model.stack().projection.out));
  std::ranges::transform(tokens, wide.begin(), half_to_float);
  apply_dense<float>(model.stack().projection, wide, out);
  return out;
}

std::vector<float> turned(std::span<const float> x, std::span<const std::int64_t> grid) {
  const std::size_t latent = x.size() / grid.size();
  std::vector<float> out;
  out.reserve(x.size());
  for (const std::int64_t token : grid) {
    const auto from = x.subspan(static_cast<std::size_t>(token) * latent, latent);
    out.insert(out.end(), from.begin(), from.end());
  }
  return out;
}

std::vector<float> mean_of(const std::vector<std::vector<float>>& frames) {
  std::vector<float> out(frames.front().size());
  for (const auto& frame : frames) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += frame[i] / static_cast<float>(frames.size());
  }
  return out;
}

struct Drawn {
  std::vector<FittedAnswer> all;    // pictures and seconds of anything
  std::vector<FittedAnswer> alike;  // seconds, half of them of unwatched clips that look most like watched ones

  void add(const Drawn& other) {
    all.insert(all.end(), other.all.begin(), other.all.end());
    alike.insert(alike.end(), other.alike.begin(), other.alike.end());
  }
};

HeldOut held_out(const FamiliarityScale& scale, std::span<const FittedAnswer> answers, bool several) {
  std::vector<Judged> judged;
  std::vector<double> known, strange;
  for (const FittedAnswer& one : answers) {
    if ((one.evidence.frames > 1) != several) continue;
    judged.push_back({scale.familiarity(one.evidence), one.seen});
    (one.seen ? known : strange).push_back(scale.odds(one.evidence));
  }
  return {auroc(known, strange), calibration_error(judged)};
}

class Draws {
 public:
  Draws(const Model& model, const std::vector<Seen>& clips, const FamiliarityFitRequest& request)
      : model_(model), clips_(clips), request_(request) {
    for (int view = 0; view < kViews; ++view) {
      const at::Tensor grid = turned_grid(view).contiguous();
      grids_.emplace_back(grid.data_ptr<std::int64_t>(), grid.data_ptr<std::int64_t>() + grid.numel());
    }
    for (const Seen& clip : clips) means_.push_back(mean_of(clip.own));
  }

  // One memory: what it was asked, in an order of its own.
  Drawn draw(std::uint64_t number) const {
    Random random{request_.seed, number};
    const auto count = static_cast<std::int64_t>(clips_.size()) * kViews;
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    for (std::int64_t i = count; i > 1; --i) {
      std::swap(order[static_cast<std::size_t>(i - 1)], order[static_cast<std::size_t>(random.below(i))]);
    }
    const double most = std::min<double>(request_.most_watched, static_cast<double>(clips_.size() - 1));
    const auto watched = static_cast<std::int64_t>(std::round(std::exp(random.uniform(0, std::log(most)))));

    RecallMemory memory(*model_.recall()), blank(*model_.recall());
    for (std::int64_t i = 0; i < watched; ++i) {
      const std::int64_t view = order[static_cast<std::size_t>(i)];
      const auto& grid = grids_[static_cast<std::size_t>(view % kViews)];
      for (const auto& frame : clips_[static_cast<std::size_t>(view / kViews)].own) memory.step(turned(frame, grid));
    }
    const auto ask = [&](std::int64_t view, bool seen, bool second) {
      const Seen& of = clips_[static_cast<std::size_t>(view / kViews)];
      const auto& grid = grids_[static_cast<std::size_t>(view % kViews)];
      const auto first = static_cast<std::size_t>(random.below(std::ssize(of.degraded)));
      // A picture, or about a second.
      const double end = of.t[first] + (second || !random.chance(0.5) ? 1 : 0);
      const auto& shown = !of.copy.empty() && random.chance(0.5) ? of.copy : of.degraded;
      FittedAnswer answer{{.error = 0, .blank = 0, .frames = 0}, seen};
      for (std::size_t f = first; f < of.t.size() && of.t[f] <= end; f += 2) {
        const auto x = turned(shown[f], grid);
        answer.evidence.error += memory.read(x).error;
        answer.evidence.blank += blank.read(x).error;
        ++answer.evidence.frames;
      }
      answer.evidence.error /= static_cast<double>(answer.evidence.frames);
      answer.evidence.blank /= static_cast<double>(answer.evidence.frames);
      return answer;
    };
    Drawn out;
    for (int i = 0; i < request_.asked; ++i) {
      out.all.push_back(ask(order[static_cast<std::size_t>(random.below(watched))], true, false));
      out.all.push_back(ask(order[static_cast<std::size_t>(watched + random.below(count - watched))], false, false));
    }
    for (int i = 0; i < request_.asked; ++i) {
      const std::int64_t known = order[static_cast<std::size_t>(random.below(watched))];
      const std::int64_t strange = most_alike(known, std::span(order).first(static_cast<std::size_t>(watched)));
      if (strange < 0) continue;
      out.alike.push_back(ask(known, true, true));
      out.alike.push_back(ask(strange, false, true));
    }
    return out;
  }

 private:
  // The unwatched clip that, as a whole, looks most like this one, in the same view; −1: all of that view were watched.
  std::int64_t most_alike(std::int64_t view, std::span<const std::int64_t> watched) const {
    std::int64_t best = -1;
    double least = 0;
    for (std::int64_t other = view % kViews; other < std::ssize(clips_) * kViews; other += kViews) {
      if (std::ranges::find(watched, other) != watched.end()) continue;
      const double apart = frame_distance(means_[static_cast<std::size_t>(view / kViews)],
                                          means_[static_cast<std::size_t>(other / kViews)]);
      if (best < 0 || apart < least) {
        best = other;
        least = apart;
      }
    }
    return best;
  }

  const Model& model_;
  const std::vector<Seen>& clips_;
  const FamiliarityFitRequest& request_;
  std::vector<std::vector<std::int64_t>> grids_;
  std::vector<std::vector<float>> means_;  // of each clip's frames
};

// Frames spread evenly over each of the clips.
std::vector<float> background_of(const std::vector<Seen>& clips, int frames) {
  std::vector<float> out;
  for (int i = 0; i < frames; ++i) {
    const Seen& clip = clips[static_cast<std::size_t>(i) % clips.size()];
    const double share = (static_cast<double>(i / static_cast<int>(clips.size())) + 0.5) /
                         std::ceil(static_cast<double>(frames) / static_cast<double>(clips.size()));
    const auto& frame = clip.own[static_cast<std::size_t>(share * static_cast<double>(clip.own.size()))];
    out.insert(out.end(), frame.begin(), frame.end());
  }
  return out;
}

std::vector<float> metric_of(const std::vector<Seen>& clips, std::int64_t latent) {
  MetricFit fit(static_cast<std::size_t>(latent));
  for (const Seen& clip : clips) {
    for (std::size_t i = 0; i < clip.own.size(); ++i) {
      fit.add(clip.own[i], clip.degraded[i]);
      if (!clip.copy.empty()) fit.add(clip.own[i], clip.copy[i]);
    }
  }
  return fit.metric();
}

}  // namespace

std::array<double, 3> fit_odds(std::span<const FittedAnswer> answers) {
  constexpr int kSteps = 100;
  const auto n = static_cast<double>(answers.size());
  const at::Tensor x = at::ones({std::ssize(answers), 3}, at::kDouble), y = at::zeros({std::ssize(answers)}, at::kDouble);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    x[row][0] = std::log(answers[i].evidence.error);
    x[row][1] = std::log(answers[i].evidence.blank);
    y[row] = answers[i].seen ? 1.0 : 0.0;
  }
  at::Tensor w = at::zeros({3}, at::kDouble);
  for (int step = 0; step < kSteps; ++step) {
    const at::Tensor p = at::sigmoid(at::mv(x, w));
    const at::Tensor gradient = at::mv(x.t(), y - p) - kPull * n * w;
    const at::Tensor curvature = at::mm(x.t(), x * (p * (1 - p)).unsqueeze(1)) + kPull * n * at::eye(3, at::kDouble);
    const at::Tensor move = at::linalg_solve(curvature, gradient);
    w = w + move;
    if (move.abs().max().item<double>() < 1e-9) break;
  }
  return {w[0].item<double>(), w[1].item<double>(), w[2].item<double>()};
}

double fit_several(std::span<const FittedAnswer> answers, const FamiliarityScale& scale) {
  constexpr int kSteps = 100;
  FamiliarityScale moved = scale;
  moved.several = 0;
  for (int step = 0; step < kSteps; ++step) {
    double gradient = 0, curvature = 0;
    for (const FittedAnswer& one : answers) {
      if (one.evidence.frames <= 1) continue;
      const double p = moved.familiarity(one.evidence);
      gradient += (one.seen ? 1 : 0) - p - kPull * moved.several;
      curvature += p * (1 - p) + kPull;
    }
    if (curvature == 0) return 0;
    // Where all are far on one side, Newton's steps would be too long.
    const double move = std::clamp(gradient / curvature, -1.0, 1.0);
    moved.several += move;
    if (std::abs(move) < 1e-9) break;
  }
  return moved.several;
}

Result<FamiliarityFit> fit_familiarity(const FamiliarityFitRequest& request, const Note& note, std::stop_token stop) {
  auto model = Model::load(request.model);
  if (!model) return std::move(model).error();
  if ((*model)->recall() == nullptr) {
    return Error{ErrorKind::kModel,
                 fmt::format("cannot calibrate model \"{}\": it has no recall memory", request.model.string())};
  }
  auto videos = videos_of(request.videos, note, stop);
  if (!videos) return std::move(videos).error();
  auto hash = sha256_file((*model)->folder().encoder());
  if (!hash) return std::move(hash).error();
  const std::shared_ptr<const Encoder> encoder(*model, &(*model)->encoder());
  FeatureCacheOptions changed = request.cache;
  changed.view = FrameView::kDegraded;
  FeatureCache cache(encoder, *hash, request.cache), degraded(encoder, *hash, changed);
  auto found = clips_of(cache, &degraded, *videos, note, stop);
  if (!found) return std::move(found).error();
  constexpr std::size_t kFewest = 4;
  if (found->size() < kFewest) {
    return Error{ErrorKind::kInput,
                 fmt::format("{} clips are too few to calibrate by: it takes {}", found->size(), kFewest)};
  }
  std::vector<Seen> clips;
  for (const Clip& clip : *found) {
    Seen& seen = clips.emplace_back();
    std::shared_ptr<const Features> copy;
    if (!request.copies.empty()) {
      auto made = cache.get((request.copies / clip.features->name()).string(), stop);
      if (!made) return std::move(made).error();
      copy = std::move(*made);
    }
    for (std::int64_t frame = clip.first; frame < clip.end; ++frame) {
      seen.own.push_back(latents_of(**model, clip.features->tokens(frame)));
      seen.degraded.push_back(latents_of(**model, clip.degraded->tokens(frame)));
      const double t = clip.features->seconds(frame);
      if (copy) seen.copy.push_back(latents_of(**model, copy->tokens(copy->nearest(t))));
      seen.t.push_back(t);
    }
  }

  const Draws draws(**model, clips, request);
  std::vector<Drawn> answers(static_cast<std::size_t>(request.draws));
  on_threads(request.draws, request.threads, [&](const auto& next) {
    for (std::int64_t i = next(); i >= 0 && !stop.stop_requested(); i = next()) {
      answers[static_cast<std::size_t>(i)] = draws.draw(static_cast<std::uint64_t>(i));
    }
  });
  if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};

  std::array<Drawn, 2> halves;
  for (std::size_t i = 0; i < answers.size(); ++i) halves[i % 2].add(answers[i]);
  FamiliarityFit out;
  out.clips = std::ssize(clips);
  FamiliarityScale half;
  half.weights = fit_odds(halves[0].all);
  half.several = fit_several(halves[0].alike, half);
  out.pictures = held_out(half, halves[1].all, false);
  out.alike = held_out(half, halves[1].alike, true);
  halves[0].add(halves[1]);
  out.answers = std::ssize(halves[0].all) + std::ssize(halves[0].alike);
  out.scale.weights = fit_odds(halves[0].all);
  out.scale.several = fit_several(halves[0].alike, out.scale);
  out.scale.background = background_of(clips, request.background_frames);
  out.scale.metric = metric_of(clips, (*model)->stack().projection.out);
  out.scale.fitted = true;
  if (auto done = write_familiarity((*model)->folder(), out.scale); !done) return std::move(done).error();
  return out;
}

}  // namespace longtake
