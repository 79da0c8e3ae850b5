#include "core/records/polygon.h"

#include <charconv>
#include <optional>
#include <string>

#include "core/records/quoted.h"

namespace longtake {
namespace {

// A number from 0 to 1 that is the whole of `text`.
std::optional<double> parse_fraction(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, number);
  if (code != std::errc() || stopped != end || !(number >= 0 && number <= 1)) return std::nullopt;
  return number;
}

}  // namespace

Result<Polygon> parse_polygon(std::string_view text) {
  const auto refuse = [text](const std::string& reason) {
    return Error{ErrorKind::kUsage, "cannot read the region " + quoted(text) + ": " + reason};
  };
  Polygon polygon;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const std::size_t space = rest.find(' ');
    const std::string_view corner = rest.substr(0, space);
    more = space != std::string_view::npos;
    rest.remove_prefix(more ? space + 1 : rest.size());

    const std::size_t comma = corner.find(',');
    if (comma == std::string_view::npos) return refuse(quoted(corner) + " is not a pair like 0.25,0.5");
    const std::optional<double> x = parse_fraction(corner.substr(0, comma));
    const std::optional<double> y = parse_fraction(corner.substr(comma + 1));
    if (!x || !y) return refuse(quoted(corner) + " is not two numbers from 0 to 1");
    if (polygon.size() == kMostCorners)
      return refuse("it has more than " + std::to_string(kMostCorners) + " corners");
    polygon.push_back({*x, *y});
  }
  if (polygon.size() < 3) return refuse("it needs at least 3 corners");
  return polygon;
}

}  // namespace longtake
