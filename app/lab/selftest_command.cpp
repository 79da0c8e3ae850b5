#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "app/commands.h"
#include "app/exit_code.h"
#include "models/golden/selftest.h"

namespace longtake {

int run_selftest(const Context& context, const std::filesystem::path& golden) {
  auto report = golden.empty() ? run_builtin_golden() : run_golden(golden);
  if (!report) return context.fail(report.error());
  if (context.settings.json) {
    fmt::print("{}\n", report->to_json());
    return report->ok() ? kExitDone : kExitUnexpected;
  }
  // One line for each file and backend: the comparison that came closest to its limit.
  std::map<std::pair<std::string, std::string>, const SelftestLine*> closest;
  for (const SelftestLine& line : report->lines) {
    const SelftestLine*& held = closest[{line.file, line.backend}];
    const auto share = [](const SelftestLine& l) { return l.max_error / l.limit; };
    if (held == nullptr || (held->ok && (!line.ok || share(line) > share(*held)))) held = &line;
  }
  for (const auto& [key, line] : closest) {
    fmt::print("{}  {:<36} {:<14} {:<28} {:.1e} of {:.1e}\n", line->ok ? "ok  " : "MISS", line->file, line->backend,
               line->what, line->max_error, line->limit);
  }
  const auto missed = std::count_if(report->lines.begin(), report->lines.end(), [](const auto& l) { return !l.ok; });
  fmt::print("{} comparisons, {} missed\n", report->lines.size(), missed);
  return report->ok() ? kExitDone : kExitUnexpected;
}

}  // namespace longtake
