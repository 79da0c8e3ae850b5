// The verb that turns a result into a file of another kind.
#pragma once

#include <string>

#include "app/commands.h"

namespace longtake {

struct ExportSettings {
  std::string result;
  std::string format;
  std::string video;        // empty: the one beside the result, if there is one
  std::string fps = "all";  // of time codes
  std::string start_timecode;
  std::string rows = "both";
};
int run_export(const Context& context, const ExportSettings& wanted);

}  // namespace longtake
