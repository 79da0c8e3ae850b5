#include "app/export/request.h"

#include <array>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "app/export/text.h"
#include "core/records/parse.h"
#include "core/records/quoted.h"
#include "core/records/time_point.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

Result<TableRows> parse_table_rows(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, TableRows>, 4> kNames{{{"both", TableRows::kBoth},
                                                                          {"segments", TableRows::kSegments},
                                                                          {"events", TableRows::kEvents},
                                                                          {"frames", TableRows::kFrames}}};
  for (const auto& [name, rows] : kNames) {
    if (text == name) return rows;
  }
  return Error{ErrorKind::kUsage, fmt::format("--rows takes both, segments, events or frames, not {}", quoted(text))};
}

// For any POSIX shell: nothing but a quotation mark means anything between quotation marks.
std::string shell_word(const std::string& text) { return fmt::format("'{}'", replaced(text, "'", "'\\''")); }

}  // namespace

Result<Exported> run_export_request(const ExportRequest& request, std::stop_token stop) {
  const ExportFormat* format = find_export_format(request.format);
  if (format == nullptr)
    return Error{ErrorKind::kUsage, fmt::format("there is no format {}", longtake::quoted(request.format))};
  ExportOptions options;
  options.stop = std::move(stop);
  options.start_timecode = request.start_timecode;
  auto rows = parse_table_rows(request.rows);
  if (!rows) return std::move(rows).error();
  options.rows = *rows;
  auto fps = parse_fps(request.fps);
  if (!fps) return std::move(fps).error();
  options.fps = *fps;
  options.video = request.video;
  std::error_code ec;
  if (!request.video.empty() && request.video.find("://") == std::string::npos && !fs::exists(request.video, ec)) {
    return Error{ErrorKind::kInput, fmt::format("cannot open \"{}\": there is no such file", request.video)};
  }
  if (options.video.empty()) options.video = video_beside(request.result);
  return export_result(request.result, *format, options);
}

std::string shell_command(const ExportRequest& request, const std::string& output) {
  const ExportRequest usual;
  const ExportFormat* format = find_export_format(request.format);
  std::string out =
      fmt::format("longtake export {} --to {} -o {}", shell_word(request.result), request.format, shell_word(output));
  const auto add = [&out](bool heeded, const char* option, const std::string& value, const std::string& as_usual) {
    if (heeded && value != as_usual) out += fmt::format(" {} {}", option, shell_word(value));
  };
  if (format == nullptr) return out;
  add(format->video, "--video", request.video, usual.video);
  add(format->rows, "--rows", request.rows, usual.rows);
  add(format->timecodes, "--fps", request.fps, usual.fps);
  add(format->timecodes, "--start-timecode", request.start_timecode, usual.start_timecode);
  return out;
}

std::string video_beside(const fs::path& result) {
  std::ifstream in(result, std::ios::binary);
  std::string line(kMaxJsonLineBytes + 1, '\0');
  in.getline(line.data(), static_cast<std::streamsize>(line.size()));
  if (in.gcount() == 0 || in.fail()) return {};
  const auto record = parse_json_line(line.c_str());
  const auto* header = record && *record ? std::get_if<HeaderRecord>(&**record) : nullptr;
  if (header == nullptr) return {};
  const fs::path beside = result.parent_path() / fs::path(header->source).filename();
  std::error_code ec;
  return fs::is_regular_file(beside, ec) ? beside.string() : std::string();
}

}  // namespace longtake
