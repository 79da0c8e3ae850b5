// What every format of `longtake export` does: it sees all records of a result once, and gives the bytes of a file.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/export/outline.h"
#include "core/media/source.h"
#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

// Which rows a table has.
enum class TableRows { kBoth, kSegments, kEvents, kFrames };

struct ExportOptions {
  Rational fps{0, 1};          // of time codes; 0/1: none was given
  std::string start_timecode;  // of the video's first frame; empty: 00:00:00:00
  TableRows rows = TableRows::kBoth;
  std::string video;     // path or URL; empty: none is known. For pictures, and for names in files that refer to it
  std::stop_token stop;  // looked at while pictures are made
};

// No file is larger. A caller who shows only the beginning of a file asks for less.
inline constexpr std::size_t kMostExportBytes = std::size_t{1} << 30;

class Exporter {
 public:
  virtual ~Exporter() = default;
  // Every record of the result, the header first. For formats that need more than its outline.
  virtual void take(const Record&) {}
  // How many bytes take() has gathered: the caller bounds them.
  virtual std::size_t gathered() const { return 0; }
  // Last. What people ought to know about the file (it leaves something out) is added to `notes`. Errors: kUsage (an option
  // makes no sense), kInput (the result or the video does not do for this format), kStopped.
  virtual Result<std::string> write(const Outline& outline, std::vector<std::string>& notes) = 0;
};

// One file a format.
std::unique_ptr<Exporter> make_csv(const ExportOptions& options);
std::unique_ptr<Exporter> make_json(const ExportOptions& options);
std::unique_ptr<Exporter> make_ffmetadata(const ExportOptions& options);
std::unique_ptr<Exporter> make_webvtt(const ExportOptions& options);
std::unique_ptr<Exporter> make_srt(const ExportOptions& options);
std::unique_ptr<Exporter> make_youtube(const ExportOptions& options);
std::unique_ptr<Exporter> make_edl(const ExportOptions& options);
std::unique_ptr<Exporter> make_otio(const ExportOptions& options);
std::unique_ptr<Exporter> make_eaf(const ExportOptions& options);
std::unique_ptr<Exporter> make_html(const ExportOptions& options);
std::unique_ptr<Exporter> make_png(const ExportOptions& options);
std::unique_ptr<Exporter> make_svg(const ExportOptions& options);

}  // namespace longtake
