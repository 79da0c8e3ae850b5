// The lines of a result, for those who do not want all of them read, or may have to stop.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/result.h"

namespace longtake {

// Whole lines, without their line break, to the end of the file or to the first for which `take` is false; what a killed
// program left of one more is passed over. Errors: kInput.
Result<void> for_each_line(const std::filesystem::path& file, const std::function<bool(const std::string&)>& take);

}  // namespace longtake
