#include "app/studio/result_lines.h"

#include <fstream>

#include <fmt/format.h>

namespace longtake {

Result<void> for_each_line(const std::filesystem::path& file, const std::function<bool(const std::string&)>& take) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": it cannot be opened", file.string())};
  std::string line;
  while (std::getline(in, line) && !in.eof()) {
    if (!take(line)) break;
  }
  return {};
}

}  // namespace longtake
