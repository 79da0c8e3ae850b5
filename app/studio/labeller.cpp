#include "app/studio/labeller.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <variant>

#include "core/records/time.h"
#include "core/store/sha256.h"
#include "models/labels/record_example.h"
#include "models/memory_file.h"
#include "models/model.h"

namespace longtake {
namespace {

constexpr std::size_t kMomentsAtOnce = 16;  // between two looks for a newer wish
constexpr double kThousand = 1000;

TimePoint at(double seconds) {
  constexpr std::int64_t kMillion = 1'000'000;
  return {Rational{std::llround(seconds * static_cast<double>(kMillion)), kMillion}};
}

}  // namespace

Labeller::Labeller(Settings settings, ModelHolder& model, std::filesystem::path file, std::function<void(Told)> tell)
    : settings_(std::move(settings)),
      model_(model),
      file_(std::move(file)),
      tell_(std::move(tell)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Labeller::learn(std::vector<RangeLabel> labels) {
  {
    const std::scoped_lock lock(mutex_);
    wish_ = std::move(labels);
  }
  wished_.notify_one();
}

void Labeller::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<std::vector<RangeLabel>> wish;
    {
      std::unique_lock lock(mutex_);
      // With nothing learned there is nothing to look for.
      const bool busy = head_ && !told_.complete;
      if (!busy) wished_.wait(lock, stop, [this] { return wish_.has_value(); });
      wish = std::exchange(wish_, std::nullopt);
    }
    Result<void> done;
    if (wish) {
      told_.problem.clear();
      head_.reset();
      done = encoder_ || wish->empty() ? Result<void>() : prepare();
      if (done) done = record_all(*wish, stop);
      if (done) relearn(*wish);
    } else if (head_) {
      done = look_further(stop);
      if (!done) told_.complete = true;
    }
    if (stop.stop_requested()) return;
    if (!done) told_.problem = done.error().message;
    judge_new();
    tell_(told_);
  }
}

Result<void> Labeller::prepare() {
  const std::string& input = settings_.inputs.front();
  if (source_key(input).empty())
    return Error{ErrorKind::kInput, "labels can be learned from files only, not from streams"};
  auto analysis = analysis_settings(settings_, input);
  if (!analysis) return std::move(analysis).error();
  auto model = model_.get();
  if (!model) return std::move(model).error();
  auto sha256 = sha256_file((*model)->folder().encoder());
  if (!sha256) return std::move(sha256).error();
  encoder_sha256_ = std::move(*sha256);
  source_spec_ = analysis->source;
  source_spec_.decoder_threads = 1;
  source_spec_.fps = {0, 1};
  encoder_ = ModelAnalyzer(*model, {.scene = false, .roi = analysis->roi, .mask = analysis->mask}).make_encoder();
  return {};
}

Result<void> Labeller::record_all(const std::vector<RangeLabel>& labels, const std::stop_token& stop) {
  std::map<std::pair<double, double>, LabelExample> still;
  for (const RangeLabel& label : labels) {
    const std::pair stretch{label.from_s, label.to_s};
    auto known = recorded_.extract(stretch);
    if (known.empty() && !still.contains(stretch)) {
      SourceSpec spec = source_spec_;
      spec.from = at(label.from_s);
      spec.to = at(label.to_s);
      auto source = open_source(spec, stop);
      if (!source) return std::move(source).error();
      auto example = record_example(**source, *encoder_, stop);
      if (!example) return std::move(example).error();
      example->video_key = source_key(spec.uri);
      example->from_s = label.from_s;
      example->to_s = label.to_s;
      still.emplace(stretch, std::move(*example));
    } else if (!known.empty()) {
      still.insert(std::move(known));
    }
  }
  recorded_ = std::move(still);
  return {};
}

void Labeller::relearn(const std::vector<RangeLabel>& labels) {
  LabelSet set{encoder_sha256_, {}};
  for (const RangeLabel& label : labels) {
    set.examples.push_back(recorded_.at({label.from_s, label.to_s}));
    set.examples.back().name = label.name;
  }
  told_.moments.names.clear();
  told_.moments.scores.clear();
  told_.examples = set.examples.size();
  if (set.examples.empty()) return;
  const auto start = std::chrono::steady_clock::now();
  auto head = LabelHead::learn(set.examples, label_width());
  told_.learned_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!head) {
    told_.problem = head.error().message;
    return;
  }
  told_.moments.names = head->names();
  head_ = std::move(*head);
  if (auto written = write_label_set(file_, set); !written) told_.problem = written.error().message;
}

Result<void> Labeller::look_further(const std::stop_token& stop) {
  if (!source_) {
    SourceSpec spec = source_spec_;
    auto source = open_source(spec, stop);
    if (!source) return std::move(source).error();
    const double seconds = (*source)->info().duration_s.value_or(0);
    const double rate = std::min(kMomentsPerSecond, static_cast<double>(kMostMoments) / std::max(1.0, seconds));
    spec.fps = {std::max<std::int64_t>(1, std::llround(rate * kThousand)), static_cast<std::int64_t>(kThousand)};
    source = open_source(spec, stop);
    if (!source) return std::move(source).error();
    source_ = std::move(*source);
  }
  const Rational base = source_->info().time_base;
  for (std::size_t i = 0; i < kMomentsAtOnce; ++i) {
    auto item = source_->next(stop);
    if (!item) return std::move(item).error();
    told_.complete = std::holds_alternative<EndOfStream>(*item) || features_.size() == kMostMoments;
    if (told_.complete) return {};
    const auto* frame = std::get_if<Frame>(&*item);
    if (frame == nullptr) continue;
    auto encoded = encoder_->encode(*frame);
    if (!encoded) return std::move(encoded).error();
    features_.push_back(label_feature(encoded->embedding));
    told_.moments.t.push_back(seconds_truncated(frame->pts, base.num, base.den));
  }
  return {};
}

// All that the head has not judged yet.
void Labeller::judge_new() {
  if (!head_) return;
  std::vector<float>& scores = told_.moments.scores;
  for (std::size_t i = scores.size() / head_->names().size(); i < features_.size(); ++i) {
    const auto judged = head_->judge(features_[i]);
    scores.insert(scores.end(), judged.begin(), judged.end());
  }
}

}  // namespace longtake
