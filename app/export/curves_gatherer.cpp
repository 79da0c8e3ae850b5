#include "app/export/curves_gatherer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace longtake {
namespace {

constexpr std::size_t kMostLayers = 12;
constexpr std::size_t kMostMarks = 400;
constexpr std::int64_t kColumns = 700;  // of a picture 760 wide
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

}  // namespace

void CurvesGatherer::take(const Record& record) {
  if (std::holds_alternative<DiscontinuityRecord>(record)) {  // a gap in every curve
    for (CurvePyramid* one : {&t_, &surprise_, &novelty_}) one->append(kNone);
    for (Layer& layer : layers_) layer.before.append(kNone), layer.after.append(kNone);
    return;
  }
  const auto* frame = std::get_if<FrameRecord>(&record);
  if (frame == nullptr) return;
  if (layers_.empty()) {
    for (std::size_t i = 0; i < std::min(kMostLayers, frame->layers.size()); ++i) {
      layers_.push_back({CurvePyramid(kLog), CurvePyramid(kLog)});
      for (std::int64_t k = 0; k < t_.size(); ++k)
        layers_.back().before.append(kNone), layers_.back().after.append(kNone);
    }
  }
  t_.append(static_cast<float>(frame->t));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool has = i < frame->layers.size();
    layers_[i].before.append(has ? frame->layers[i].before : kNone);
    layers_[i].after.append(has ? frame->layers[i].after : kNone);
  }
  surprise_.append(frame->surprise.value_or(kNone));
  novelty_.append(frame->novelty.value_or(kNone));
  any_surprise_ = any_surprise_ || std::isfinite(frame->surprise.value_or(kNone));
  any_novelty_ = any_novelty_ || std::isfinite(frame->novelty.value_or(kNone));
}

// The mean, and behind it, where frames are more than columns, from the least to the greatest value.
void CurvesGatherer::add_curve(Plot& plot, const std::string& name, const CurvePyramid& values) const {
  const auto columns = static_cast<std::size_t>(std::clamp<std::int64_t>(values.size(), 1, kColumns));
  const double step = std::max(1.0, static_cast<double>(values.size()) / static_cast<double>(columns));
  std::vector<CurvePyramid::Extent> at(columns), value(columns);
  t_.envelope(0, step, at);
  values.envelope(0, step, value);
  Curve range{"", {}, {}, true}, mean{name, {}, {}, false};
  for (std::size_t i = 0; i < columns; ++i) {
    const bool none = at[i].empty() || value[i].empty();
    const double x = none ? kNone : static_cast<double>(at[i].mean);
    mean.x.push_back(x);
    mean.y.push_back(none ? kNone : static_cast<double>(value[i].mean));
    range.x.insert(range.x.end(), {x, x});
    range.y.insert(range.y.end(), {none ? kNone : static_cast<double>(value[i].low),
                                   none ? kNone : static_cast<double>(value[i].high)});
  }
  if (step > 1) plot.curves.push_back(std::move(range));
  plot.curves.push_back(std::move(mean));
}

Plot CurvesGatherer::plot(const char* title, const char* y_label, const Outline& outline) const {
  Plot out{title, "time in the video (s)", y_label, false, false, {}};
  for (const Happening& one : outline.events) {
    if (out.marks.size() < kMostMarks) out.marks.push_back(one.event.t);
  }
  return out;
}

std::vector<Plot> CurvesGatherer::plots(const Outline& outline) const {
  std::vector<Plot> out;
  Plot loss = plot("Inner loss: what each layer had not learned yet, and after it had", "squared error", outline);
  loss.log_y = true;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    add_curve(loss, fmt::format("layer {} before", i), layers_[i].before);
    add_curve(loss, fmt::format("layer {} after", i), layers_[i].after);
  }
  out.push_back(std::move(loss));
  if (any_surprise_) {
    Plot surprise = plot("Surprise: error of what comes next, against its own past", "robust deviations", outline);
    add_curve(surprise, "", surprise_);
    out.push_back(std::move(surprise));
  }
  if (any_novelty_) {
    Plot novelty = plot("Novelty: what the recall memory could not fill in", "share of the frame", outline);
    add_curve(novelty, "", novelty_);
    out.push_back(std::move(novelty));
  }
  return out;
}

}  // namespace longtake
