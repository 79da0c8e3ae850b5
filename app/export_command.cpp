#include "app/export_command.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "app/exit_code.h"
#include "app/export/export.h"
#include "core/records/time_point.h"
#include "core/store/atomic_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

Result<void> write_output(const fs::path& output, const std::string& bytes) {
  if (output != "-") return write_file_atomically(output, bytes);
  auto out = ResultFile::create(output);
  if (!out) return std::move(out).error();
  return out->write(bytes);
}

}  // namespace

int run_export(const Context& context, const ExportSettings& wanted) {
  const Settings& settings = context.settings;
  const ExportFormat* format = find_export_format(wanted.format);
  if (format == nullptr)
    return context.fail({ErrorKind::kUsage, fmt::format("there is no format \"{}\"", wanted.format)});
  if (!format->text && settings.output == "-") {
    return context.fail({ErrorKind::kUsage, fmt::format("{} is no text: give -o a file", format->name)});
  }
  std::error_code ec;
  for (const std::string& read : {wanted.result, wanted.video}) {
    if (!read.empty() && fs::equivalent(read, settings.output, ec)) {
      return context.fail({ErrorKind::kUsage, fmt::format("-o would overwrite \"{}\", which is read", read)});
    }
  }
  ExportOptions options;
  options.stop = context.signals.token();
  options.start_timecode = wanted.start_timecode;
  auto rows = parse_table_rows(wanted.rows);
  if (!rows) return context.fail(rows.error());
  options.rows = *rows;
  auto fps = parse_fps(wanted.fps);
  if (!fps) return context.fail(fps.error());
  options.fps = *fps;
  options.video = wanted.video;
  if (!wanted.video.empty() && wanted.video.find("://") == std::string::npos && !fs::exists(wanted.video, ec)) {
    return context.fail({ErrorKind::kInput, fmt::format("cannot open \"{}\": there is no such file", wanted.video)});
  }
  if (options.video.empty() && format->video) options.video = video_beside(wanted.result);

  auto exported = export_result(wanted.result, *format, options);
  if (!exported) return context.fail(exported.error());
  for (const std::string& note : exported->notes) context.log.warn("{}", note);
  if (auto written = write_output(settings.output, exported->bytes); !written) return context.fail(written.error());
  return kExitDone;
}

}  // namespace longtake
