// What people type on the command line: whatever is accepted is within its bounds and can be typed again.
// The first byte of an input chooses the parser.
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/records/polygon.h"
#include "core/records/time_point.h"
#include "tests/fuzz/property.h"

using namespace longtake;

namespace {

bool equal(const Rational& a, const Rational& b) { return a.num == b.num && a.den == b.den; }

void demand_reason(const Error& error) {
  demand(error.kind == ErrorKind::kUsage && !error.message.empty() && error.message.size() < 500 &&
             error.message.find('\n') == std::string::npos,
         "a refusal is one short line");
}

void feed_time(std::string_view text) {
  const auto time = parse_time(text);
  if (!time) return demand_reason(time.error());
  if (const auto* pts = std::get_if<std::int64_t>(&time->at)) {
    const auto again = parse_time(fmt::format("@{}", *pts));
    demand(again && std::get<std::int64_t>(again->at) == *pts, "a pts can be typed again");
    return;
  }
  const Rational seconds = std::get<Rational>(time->at);
  demand(seconds.num >= 0 && seconds.den > 0 && 1'000'000'000 % seconds.den == 0,
         "seconds have nine decimals");
  demand(std::gcd(seconds.num, seconds.den) == 1, "seconds are in lowest terms");
  const std::int64_t whole = seconds.num / seconds.den;
  const std::int64_t nanos = seconds.num % seconds.den * (1'000'000'000 / seconds.den);
  demand(whole <= 1'000'000'000, "seconds are within their bound");
  const auto again = parse_time(fmt::format("{}.{:09}s", whole, nanos));
  demand(again && equal(std::get<Rational>(again->at), seconds), "seconds can be typed again");
}

void feed_fps(std::string_view text) {
  const auto fps = parse_fps(text);
  if (!fps) return demand_reason(fps.error());
  if (fps->num == 0) return demand(text == "all" && fps->den == 1, "only all means every frame");
  demand(fps->num > 0 && fps->den > 0 && fps->num <= 1000 * fps->den, "a rate is within its bounds");
  // Decimals may need a numerator that a fraction may not have.
  if (fps->num > 1'000'000'000) return;
  const auto again = parse_fps(fmt::format("{}/{}", fps->num, fps->den));
  demand(again && equal(*again, *fps), "a rate can be typed again");
}

void feed_polygon(std::string_view text) {
  const auto polygon = parse_polygon(text);
  if (!polygon) return demand_reason(polygon.error());
  demand(polygon->size() >= 3 && polygon->size() <= kMostCorners, "a region has its number of corners");
  std::string again;
  for (const auto& [x, y] : *polygon) {
    demand(x >= 0 && x <= 1 && y >= 0 && y <= 1, "a corner lies in the picture");
    again += fmt::format("{}{},{}", again.empty() ? "" : " ", x, y);
  }
  const auto second = parse_polygon(again);
  demand(second && *second == *polygon, "a region can be typed again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      feed_time(text);
      break;
    case 'f':
      feed_fps(text);
      break;
    case 'p':
      feed_polygon(text);
      break;
    default:
      break;
  }
  return 0;
}
