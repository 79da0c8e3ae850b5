#include "models/eval/prediction.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "models/eval/evaluated.h"
#include "models/eval/prediction_sums.h"
#include "models/on_threads.h"

namespace longtake {
namespace {

constexpr double kFps = 12.5;
constexpr double kInnerLossSeconds = 80;

// Mean inner loss of each layer by whole seconds.
class InnerLossSums {
 public:
  void add(const WatchedFrame& frame) {
    sums_[static_cast<std::int64_t>(std::ceil(frame.seconds - 1e-6))].add({frame.before, 1});
  }
  void add(const InnerLossSums& other) {
    for (const auto& [second, sum] : other.sums_) sums_[second].add(sum);
  }
  void append(const std::string& model, double up_to, std::vector<PredictionCurves::InnerLoss>& out) const {
    for (const auto& [second, sum] : sums_) {
      if (static_cast<double>(second) > up_to) return;
      PredictionCurves::InnerLoss point{model, static_cast<double>(second), sum.layers};
      for (double& layer : point.layers) layer /= static_cast<double>(sum.frames);
      // A rival without an inner loss has no curve.
      if (std::any_of(point.layers.begin(), point.layers.end(), [](double v) { return std::isfinite(v); })) {
        out.push_back(std::move(point));
      }
    }
  }

 private:
  struct Sum {
    std::vector<double> layers;
    std::int64_t frames = 0;
    void add(const Sum& other) {
      layers.resize(other.layers.size());
      for (std::size_t i = 0; i < layers.size(); ++i) layers[i] += other.layers[i];
      frames += other.frames;
    }
  };
  std::map<std::int64_t, Sum> sums_;
};

}  // namespace

Result<PredictionCurves> evaluate_prediction(const EvalRequest& request, const Note& note, std::stop_token stop) {
  std::vector<double> horizons;  // the first model's
  const Suits suits = [&](const EvaluatedModel& model) -> Result<void> {
    if (horizons.empty()) horizons = model.net.config().horizons_s;
    if (model.net.config().horizons_s == horizons) return {};
    return Error{ErrorKind::kModel,
                 fmt::format("model \"{}\" looks other times ahead than \"{}\", so their errors cannot be compared",
                             model.folder.path.string(), request.models.front().string())};
  };
  auto loaded = load_evaluated(request, suits, note, stop);
  if (!loaded) return std::move(loaded).error();
  const auto& models = loaded->models;
  const auto& clips = loaded->clips;
  const std::vector<std::string> names = distinct_names(models, learner_name);
  double longest = 0;
  for (const Clip& clip : clips) longest = std::max(longest, clip.duration_s());
  const double lasting = std::min(longest, kInnerLossSeconds);

  PredictionCurves out;
  std::vector<PredictionSums> sums;
  for (std::size_t m = 0; m < models.size(); ++m) {
    struct OfClip {
      PredictionSums errors;
      InnerLossSums inner;
    };
    std::vector<OfClip> of_clips(clips.size(), {PredictionSums(horizons.size()), {}});
    on_threads(std::ssize(clips), request.threads, [&](const auto& next) {
      at::init_num_threads();
      for (std::int64_t i = next(); i >= 0; i = next()) {
        const Clip& clip = clips[static_cast<std::size_t>(i)];
        OfClip& sum = of_clips[static_cast<std::size_t>(i)];
        const bool lasts = clip.duration_s() >= lasting;
        watch_clip(
            models[m].net, clip, kFps,
            [&](const WatchedFrame& frame) {
              sum.errors.add(frame);
              if (lasts) sum.inner.add(frame);
            },
            stop);
      }
    });
    if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
    PredictionSums& all = sums.emplace_back(horizons.size());
    InnerLossSums inner;
    for (const OfClip& one : of_clips) {
      all.add(one.errors);
      inner.add(one.inner);
    }
    inner.append(names[m], lasting, out.inner_loss);
  }
  const auto compared = [&](const auto& errors_of) {
    Compared named;
    for (std::size_t m = 0; m < sums.size(); ++m) named.emplace_back(names[m], errors_of(sums[m]).stack);
    named.emplace_back("running_means", errors_of(sums.front()).running_means);
    named.emplace_back("persistence", errors_of(sums.front()).persistence);
    return named;
  };
  for (std::size_t h = 0; h < horizons.size(); ++h) {
    out.horizons.push_back({horizons[h], compared([h](const PredictionSums& sum) { return sum.by_horizon()[h]; })});
  }
  for (const auto& [frames, bucket] : sums.front().by_context()) {
    out.context.push_back({frames, bucket.clips, compared([at = frames](const PredictionSums& sum) {
                             return sum.by_context().at(at).ratio;
                           })});
  }
  out.clips = std::ssize(clips);
  out.frames = sums.front().frames();
  return out;
}

}  // namespace longtake
