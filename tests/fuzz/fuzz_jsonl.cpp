// Whatever line is accepted as a record is written as a line that is accepted as the same record.
#include <string>
#include <string_view>

#include "core/records/parse.h"
#include "tests/fuzz/property.h"

using namespace longtake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = parse_json_line({reinterpret_cast<const char*>(data), size});
  if (!first) {
    demand(first.error().kind == ErrorKind::kInput && !first.error().message.empty(),
           "a refusal has its reason");
    return 0;
  }
  if (!*first) return 0;  // a type that is passed over
  std::string line;
  append_json_line(**first, line);
  demand(line.ends_with("}\n") && line.find('\n') == line.size() - 1, "a record is one line");
  if (line.size() > kMaxJsonLineBytes) return 0;  // 1 became 1.0, many times

  const auto second = parse_json_line(line);
  demand(second.ok() && second->has_value(), "what was written is accepted");
  std::string again;
  append_json_line(**second, again);
  demand(again == line, "equal records give equal bytes");
  return 0;
}
