#include "models/eval/watched.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <variant>

#include <fmt/format.h>

#include "core/records/read_result.h"
#include "models/eval/frame_times.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

// Takes the records of one result.
class Reader {
 public:
  explicit Reader(fs::path file) { out.file = std::move(file); }

  void operator()(Record&& record) {
    std::visit([this](auto& held) { take(held); }, record);
  }

  WatchedVideo out;

 private:
  double seconds(std::int64_t pts) const { return static_cast<double>(pts) * seconds_per_pts_; }

  void take(HeaderRecord& header) {
    seconds_per_pts_ = static_cast<double>(header.time_base[0]) / static_cast<double>(header.time_base[1]);
    out.video = fs::path(header.source).filename().string();
    for (const auto& [name, value] : header.options) out.part = out.part || name == "from" || name == "to";
    out.every_frame = header.fps == "all" && !out.part;
  }
  void take(FrameRecord& frame) {
    if (out.frames.empty() && frame.frame != 0) {  // a memory that went on in the middle of its video
      out.part = true;
      out.every_frame = false;
    }
    auto& one = out.frames.emplace_back();
    one.frame = frame.frame;
    one.surprise = frame.surprise;
    one.novelty = frame.novelty;
    one.sustained = frame.sustained;
    one.familiarity = frame.familiarity;
    one.deviation = frame.deviation;
    one.boundary = frame.boundary;
    one.plain = frame.signals.value_or(PlainSignals());
    if (frame.labels) one.label = frame.labels->empty() ? "" : std::move(frame.labels->front().name);
    out.times.push_back(seconds(frame.pts));
  }
  void take(EventRecord& event) {
    out.event_times.push_back(seconds(event.pts));
    out.events.push_back(std::move(event));
  }
  void take(SegmentRecord& segment) { out.segments.push_back(std::move(segment)); }
  template <class Other>
  void take(Other&) {}

  double seconds_per_pts_ = 1;
};

std::optional<float> unfamiliarity(std::optional<float> familiarity) {
  return familiarity ? std::optional(1 - *familiarity) : std::nullopt;
}

}  // namespace

double WatchedVideo::seconds() const {
  if (times.size() < 2) return 0;
  const double between = times.back() - times.front();
  return between + between / static_cast<double>(times.size() - 1);
}

TimeSpan WatchedVideo::asked_for() const {
  constexpr double kEver = std::numeric_limits<double>::infinity();
  return part ? TimeSpan{times.front(), times.back()} : TimeSpan{-kEver, kEver};
}

Result<std::vector<WatchedVideo>> read_watched(const ResultRequest& request,
                                               const std::function<bool(const std::string& video)>& known,
                                               const Note& note) {
  const std::string truth = request.truth.string();
  std::vector<WatchedVideo> out;
  std::map<std::string, std::string> seen;  // video, result
  for (const std::string& file : request.results) {
    Reader reader(file);
    const auto ended = read_result(file, [&](Record&& record) { reader(std::move(record)); });
    if (!ended) return ended.error();
    WatchedVideo& watched = reader.out;
    if (!known(watched.video)) {
      note(fmt::format("\"{}\" is left out: \"{}\" has no row for \"{}\"", file, truth, watched.video));
      continue;
    }
    const auto [other, is_first] = seen.emplace(watched.video, file);
    if (!is_first) {
      return Error{ErrorKind::kUsage,
                   fmt::format("\"{}\" and \"{}\" are both results of \"{}\"", other->second, file, watched.video)};
    }
    if (watched.frames.empty()) {
      return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": it has no frames", file)};
    }
    if (!*ended) note(fmt::format("\"{}\" breaks off after {} frames", file, watched.frames.size()));
    out.push_back(std::move(watched));
  }
  if (out.empty()) {
    return Error{ErrorKind::kInput, fmt::format("none of the results is of a video that \"{}\" has a row for", truth)};
  }
  return out;
}

Result<std::vector<double>> truth_times(const WatchedVideo& watched, const ResultRequest& request, const std::string& path,
                                        std::stop_token stop) {
  if (watched.every_frame) return watched.times;
  const fs::path root = request.root.empty() ? request.truth.parent_path() : request.root;
  auto times = frame_times((root / path).string(), stop);
  if (times || times.error().kind == ErrorKind::kStopped) return times;
  return Error{ErrorKind::kInput,
               fmt::format("\"{}\" is of some frames of its video only, so the video itself must say when the frames of the "
                           "truth are: {} (--root names the folder of videos)",
                           watched.file.string(), times.error().message)};
}

std::vector<Interval> video_intervals(std::size_t videos,
                                      const std::function<std::vector<double>(std::span<const double> drawn)>& figures) {
  return bootstrap(videos, kConfidence, 0x766964656f73ULL, figures);
}

std::vector<Signal> signals_of(const WatchedVideo& watched) {
  using Frame = WatchedVideo::Frame;
  struct Source {
    const char* name;
    std::optional<float> (*value)(const Frame&);
  };
  constexpr Source kSources[] = {{"surprise", [](const Frame& frame) { return frame.surprise; }},
                                 {"novelty", [](const Frame& frame) { return frame.novelty; }},
                                 {"sustained", [](const Frame& frame) { return frame.sustained; }},
                                 {"unfamiliarity", [](const Frame& frame) { return unfamiliarity(frame.familiarity); }},
                                 {"deviation", [](const Frame& frame) { return frame.deviation; }},
                                 {"boundary", [](const Frame& frame) { return frame.boundary; }},
                                 {"pixel", [](const Frame& frame) { return frame.plain.pixel; }},
                                 {"cell", [](const Frame& frame) { return frame.plain.cell; }},
                                 {"histogram", [](const Frame& frame) { return frame.plain.histogram; }},
                                 {"feature", [](const Frame& frame) { return frame.plain.feature; }},
                                 {"flow", [](const Frame& frame) { return frame.plain.flow; }}};
  std::vector<Signal> out;
  for (const Source& source : kSources) {
    Signal signal{source.name, {}};
    for (const auto& frame : watched.frames) signal.values.push_back(source.value(frame).value_or(NAN));
    const auto absent = [](double value) { return std::isnan(value); };
    if (!std::all_of(signal.values.begin(), signal.values.end(), absent)) out.push_back(std::move(signal));
  }
  return out;
}

std::vector<std::size_t> robust_peaks(const std::vector<double>& values) {
  constexpr double kDeviations = 13;
  std::vector<double> known;
  std::copy_if(values.begin(), values.end(), std::back_inserter(known), [](double value) { return !std::isnan(value); });
  if (known.empty()) return {};
  const double centre = median(known);
  for (double& value : known) value = std::abs(value - centre);
  const double threshold = centre + kDeviations * median(known);
  std::vector<std::size_t> out;
  bool above = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool was_above = std::exchange(above, values[i] > threshold);
    if (!above) continue;
    if (!was_above)
      out.push_back(i);
    else if (values[i] > values[out.back()])
      out.back() = i;
  }
  return out;
}

}  // namespace longtake
