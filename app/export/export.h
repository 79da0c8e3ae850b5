// A result as a file of another kind: tables, chapters, subtitles, edit lists, annotations, pictures, a report.
//
// Equal results and options give equal bytes, from the command line as from the desktop. Any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/export/exporter.h"
#include "core/result.h"

namespace longtake {

struct ExportFormat {
  std::string_view name;      // as --to takes it
  std::string_view ending;    // of a file's usual name, with its point
  std::string_view sentence;  // what it is for
  bool text = true;           // may go to a terminal
  bool rows = false;          // heeds ExportOptions::rows
  bool timecodes = false;     // heeds fps and start_timecode
  bool video = false;         // names the video or shows frames of it, if there is one
  std::unique_ptr<Exporter> (*make)(const ExportOptions& options) = nullptr;
};
std::span<const ExportFormat> export_formats();
const ExportFormat* find_export_format(std::string_view name);  // null: there is none

struct Exported {
  std::string bytes;
  std::vector<std::string> notes;  // sentences for the person who asked
};
// Errors: kInput (the result), and those of Exporter::write.
Result<Exported> export_result(const std::filesystem::path& result, const ExportFormat& format,
                               const ExportOptions& options);

}  // namespace longtake
