#include "app/export_command.h"

#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "app/exit_code.h"
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

int run_export(const Context& context, const ExportRequest& request) {
  const fs::path& output = context.settings.output;
  const ExportFormat* format = find_export_format(request.format);
  if (format != nullptr && !format->text && output == "-") {
    return context.fail({ErrorKind::kUsage, fmt::format("{} is no text: give -o a file", format->name)});
  }
  std::error_code ec;
  for (const std::string& read : {request.result, request.video}) {
    if (!read.empty() && fs::equivalent(read, output, ec)) {
      return context.fail({ErrorKind::kUsage, fmt::format("-o would overwrite \"{}\", which is read", read)});
    }
  }
  auto exported = run_export_request(request, context.signals.token());
  if (!exported) return context.fail(exported.error());
  for (const std::string& note : exported->notes) context.log.warn("{}", note);
  if (auto written = write_output(output, exported->bytes); !written) return context.fail(written.error());
  return kExitDone;
}

}  // namespace longtake
