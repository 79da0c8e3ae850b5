// Learns labels from stretches that a person named, and says what the rest of the video is like. In the background: each new
// example is learned as soon as a few of its frames were looked at, and the video is looked at a few times a second, from its
// start to its end, so that what is learned next is judged at once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/settings.h"
#include "app/studio/edits.h"
#include "app/studio/labelled_moments.h"
#include "app/studio/model_holder.h"
#include "core/media/source.h"
#include "core/pipeline/stages.h"
#include "models/labels/label_head.h"

namespace longtake {

class Labeller {
 public:
  static constexpr std::size_t kMostMoments = 4096;
  static constexpr double kMomentsPerSecond = 2;  // fewer in a video that would have more than kMostMoments

  struct Told {
    LabelledMoments moments;
    std::size_t examples = 0;
    double learned_s = 0;   // that learning took
    bool complete = false;  // the video was looked at to its end
    std::string problem;    // one sentence: why nothing, or not all, was learned
  };

  // settings: as of an analysis of the video. `file`: where the examples are kept for `longtake analyze --labels`. `tell`: on
  // the labeller's thread, may wait. `model` has to outlive this.
  Labeller(Settings settings, ModelHolder& model, std::filesystem::path file, std::function<void(Told)> tell);
  ~Labeller() = default;

  // From now on these; what was wanted before and is not done yet is left out.
  void learn(std::vector<RangeLabel> labels);

 private:
  void run(const std::stop_token& stop);
  Result<void> prepare();
  Result<void> record_all(const std::vector<RangeLabel>& labels, const std::stop_token& stop);
  void relearn(const std::vector<RangeLabel>& labels);
  Result<void> look_further(const std::stop_token& stop);
  void judge_new();

  const Settings settings_;
  ModelHolder& model_;
  const std::filesystem::path file_;
  const std::function<void(Told)> tell_;

  // Of the thread.
  SourceSpec source_spec_;
  std::string encoder_sha256_;
  std::unique_ptr<FrameEncoder> encoder_;
  std::map<std::pair<double, double>, LabelExample> recorded_;  // by their stretch
  std::unique_ptr<FrameSource> source_;
  std::vector<std::vector<float>> features_;  // [moments.t]
  std::optional<LabelHead> head_;
  Told told_;

  std::mutex mutex_;
  std::condition_variable_any wished_;
  std::optional<std::vector<RangeLabel>> wish_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
