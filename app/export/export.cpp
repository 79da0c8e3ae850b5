#include "app/export/export.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/records/read_result.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr std::array kFormats{
    ExportFormat{.name = "csv",
                 .ending = ".csv",
                 .sentence = "A table of segments and events, or of every frame, for spreadsheets and scripts.",
                 .rows = true,
                 .make = make_csv},
    ExportFormat{.name = "json",
                 .ending = ".json",
                 .sentence = "The whole result, frames included, as one JSON object.",
                 .make = make_json},
    ExportFormat{.name = "ffmetadata",
                 .ending = ".txt",
                 .sentence = "Chapters for FFmpeg, which puts them into MP4 or Matroska.",
                 .make = make_ffmetadata},
    ExportFormat{.name = "webvtt",
                 .ending = ".vtt",
                 .sentence = "Segments as a track of chapters or subtitles for browsers and players.",
                 .make = make_webvtt},
    ExportFormat{.name = "srt",
                 .ending = ".srt",
                 .sentence = "Segments as subtitles that every player shows.",
                 .make = make_srt},
    ExportFormat{.name = "youtube",
                 .ending = ".txt",
                 .sentence = "Chapters for the description of a video on YouTube.",
                 .make = make_youtube},
    ExportFormat{.name = "edl",
                 .ending = ".edl",
                 .sentence = "Segments as a CMX 3600 edit list for Resolve, Premiere or Avid.",
                 .timecodes = true,
                 .make = make_edl},
    ExportFormat{.name = "otio",
                 .ending = ".otio",
                 .sentence = "Segments as clips and events as markers for OpenTimelineIO, Resolve or Kdenlive.",
                 .timecodes = true,
                 .video = true,
                 .make = make_otio},
    ExportFormat{.name = "eaf",
                 .ending = ".eaf",
                 .sentence = "Segments and events as tiers of annotations for ELAN.",
                 .video = true,
                 .make = make_eaf},
    ExportFormat{.name = "html",
                 .ending = ".html",
                 .sentence = "A report to read: curves, pictures, segments and events in one file, without a network.",
                 .video = true,
                 .make = make_html},
    ExportFormat{.name = "png",
                 .ending = ".png",
                 .sentence = "The curves of inner loss, surprise and novelty as a picture.",
                 .text = false,
                 .make = make_png},
    ExportFormat{.name = "svg",
                 .ending = ".svg",
                 .sentence = "The same curves as a drawing that stays sharp at any size.",
                 .make = make_svg},
};

// Where players begin to count: known from the video, if the result says only where the analysis began.
void find_zero(Outline& outline, const ExportOptions& options) {
  if (!outline.began_in_the_middle || options.video.empty()) return;
  SourceSpec spec;
  spec.uri = options.video;
  const auto source = open_source(spec, options.stop);
  if (!source) return;
  const StreamInfo& info = (*source)->info();
  const bool same =
      info.time_base.num == outline.header.time_base[0] && info.time_base.den == outline.header.time_base[1];
  if (same) outline.zero_pts = std::min(info.first_pts, outline.first_pts);
}

}  // namespace

std::span<const ExportFormat> export_formats() { return kFormats; }

const ExportFormat* find_export_format(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &ExportFormat::name);
  return found == kFormats.end() ? nullptr : &*found;
}

Result<Exported> export_result(const fs::path& result, const ExportFormat& format, const ExportOptions& options) {
  const auto exporter = format.make(options);
  OutlineBuilder builder;
  std::optional<Error> refused;
  const auto read = read_result(result, [&](Record&& record) {
    if (refused) return;
    if (options.stop.stop_requested()) {
      refused = Error{ErrorKind::kStopped, "the export was stopped"};
    } else if (auto taken = builder.take(record); !taken) {
      refused = Error{taken.error().kind,
                      fmt::format("cannot use the result \"{}\": {}", result.string(), taken.error().message)};
    } else if (exporter->take(record); exporter->gathered() > kMostExportBytes) {
      refused = Error{ErrorKind::kInput,
                      fmt::format("\"{}\" is too long to be one file of {}", result.string(), format.name)};
    }
  });
  if (refused) return *std::move(refused);
  if (!read) return read.error();

  Outline outline = std::move(builder).finish();
  find_zero(outline, options);
  Exported out;
  if (!*read) out.notes.push_back(fmt::format("\"{}\" breaks off: what it holds is exported", result.string()));
  auto bytes = exporter->write(outline, out.notes);
  if (!bytes) {
    return Error{bytes.error().kind, fmt::format("cannot export \"{}\": {}", result.string(), bytes.error().message)};
  }
  out.bytes = std::move(*bytes);
  return out;
}

}  // namespace longtake
