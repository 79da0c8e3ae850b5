// A timeline for editing programs as OpenTimelineIO reads it: every segment a clip of the same video, events as markers.
// Times count the stream's own ticks, exact at any frame rate, unless a rate is given.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "app/export/exporter.h"
#include "app/export/text.h"
#include "app/export/timecode.h"
#include "app/export/video_name.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

std::string colour_of(const std::string& kind) {
  if (kind == "cut" || kind == "boundary") return "RED";
  if (kind == "gradual") return "ORANGE";
  if (kind == "novelty") return "GREEN";
  if (kind == "return") return "CYAN";
  return "WHITE";
}

// Where the timeline's units are, and how a time stamp becomes one.
class Units {
 public:
  Units(const Outline& outline, std::optional<Timecode> code) : outline_(outline), code_(std::move(code)) {}

  std::int64_t at(std::int64_t pts) const {
    return code_ ? code_->frame_at(outline_, pts) : outline_.ticks_since_zero(pts);
  }
  std::int64_t start() const { return code_ ? code_->start_frame() : 0; }
  Json time(std::int64_t value) const {
    const auto& [num, den] = outline_.header.time_base;
    const double rate = code_ ? static_cast<double>(code_->rate().num) / static_cast<double>(code_->rate().den)
                              : static_cast<double>(den) / static_cast<double>(num);
    return {{"OTIO_SCHEMA", "RationalTime.1"}, {"rate", rate}, {"value", static_cast<double>(value)}};
  }
  Json range(std::int64_t from, std::int64_t to) const {
    return {{"OTIO_SCHEMA", "TimeRange.1"}, {"duration", time(to - from)}, {"start_time", time(from)}};
  }

 private:
  const Outline& outline_;
  const std::optional<Timecode> code_;
};

Json named_scores(const std::vector<NamedScore>& names) {
  Json out = Json::array();
  for (const NamedScore& one : names) out.push_back({clean_text(one.name), one.score});
  return out;
}

Json item(const char* schema, const std::string& name, Json range) {
  return {
      {"OTIO_SCHEMA", schema},    {"metadata", Json::object()}, {"name", name},   {"source_range", std::move(range)},
      {"effects", Json::array()}, {"markers", Json::array()},   {"enabled", true}};
}

class OpenTimeline final : public Exporter {
 public:
  explicit OpenTimeline(const ExportOptions& options) : options_(options) {}

  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    std::optional<Timecode> code;
    if (options_.fps.num != 0 || !options_.start_timecode.empty()) {
      auto made = Timecode::make(options_.fps, options_.start_timecode);
      if (!made) return std::move(made).error();
      code = std::move(*made);
    }
    const Units units(outline, std::move(code));
    const Json media{{"OTIO_SCHEMA", "ExternalReference.1"},
                     {"metadata", Json::object()},
                     {"name", one_line(outline.header.source)},
                     {"available_range", units.range(units.start(), units.start() + units.at(outline.end_pts))},
                     {"target_url", video_url(options_.video, outline.header.source)}};
    Json track = item("Track.1", "Segments", nullptr);
    track["kind"] = "Video";
    track["children"] = Json::array();
    std::int64_t reached = 0;
    for (const Passage& one : outline.passages) {
      const std::int64_t from = units.at(one.start_pts), to = units.at(one.end_pts);
      if (from >= to) continue;  // no frame of the rate that was asked for lies in it
      if (from > reached) track["children"].push_back(item("Gap.1", "", units.range(0, from - reached)));
      Json clip = item("Clip.1", one_line(one.title), units.range(units.start() + from, units.start() + to));
      clip["metadata"]["longtake"] = {{"first_frame", one.first},
                                      {"last_frame", one.last},
                                      {"first_pts", one.start_pts},
                                      {"labels", named_scores(one.labels)},
                                      {"scene", named_scores(one.scene)}};
      clip["media_reference"] = media;
      track["children"].push_back(std::move(clip));
      reached = to;
    }
    Json stack = item("Stack.1", "tracks", nullptr);
    for (const Happening& one : outline.events) {
      const std::int64_t at = units.at(one.event.pts);
      stack["markers"].push_back({{"OTIO_SCHEMA", "Marker.2"},
                                  {"metadata",
                                   {{"longtake",
                                     {{"frame", one.event.frame},
                                      {"pts", one.event.pts},
                                      {"score", one.event.score},
                                      {"confidence", one.event.confidence}}}}},
                                  {"name", one_line(one.event.kind)},
                                  {"color", colour_of(one.event.kind)},
                                  {"marked_range", units.range(at, at)}});
    }
    stack["children"] = Json::array({std::move(track)});
    const Json timeline{
        {"OTIO_SCHEMA", "Timeline.1"},
        {"metadata", {{"longtake", {{"version", outline.header.longtake}, {"model", outline.header.model}}}}},
        {"name", one_line(outline.header.source)},
        {"global_start_time", options_.start_timecode.empty() ? Json() : units.time(units.start())},
        {"tracks", std::move(stack)}};
    return timeline.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

 private:
  const ExportOptions options_;
};

}  // namespace

std::unique_ptr<Exporter> make_otio(const ExportOptions& options) { return std::make_unique<OpenTimeline>(options); }

}  // namespace longtake
