#include "core/records/read_result.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/records/parse.h"

namespace longtake {

Result<bool> read_result(const std::filesystem::path& file, const std::function<void(Record&& record)>& take) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kInput, fmt::format("cannot use the result \"{}\": {}", file.string(), why)};
  };
  std::ifstream in(file, std::ios::binary);
  if (!in) return refuse("it cannot be opened");
  std::string buffer(kMaxJsonLineBytes + 2, '\0');  // a line that is too long stays too long when it is cut to this
  std::int64_t number = 0;
  bool ended = false;
  while (true) {
    in.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto read = static_cast<std::size_t>(in.gcount());
    const bool whole = in.good();  // with its line break, which is counted but not kept
    if (read == 0) break;
    ++number;
    auto record = parse_json_line(std::string_view(buffer.data(), whole ? read - 1 : read));
    if (!record && in.eof() && number > 1) break;
    if (!record) return refuse(fmt::format("line {} is {}", number, record.error().message));
    if (number == 1 && !(*record && std::holds_alternative<HeaderRecord>(**record))) {
      return refuse("it does not begin with a header");
    }
    if (*record) {
      ended = ended || std::holds_alternative<EndRecord>(**record);
      take(std::move(**record));
    }
    if (!whole) break;
  }
  if (in.bad() || number == 0) return refuse(number == 0 && !in.bad() ? "it is empty" : "it cannot be read");
  return ended;
}

}  // namespace longtake
