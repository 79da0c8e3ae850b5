#include "core/records/time_point.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>

#include "core/records/quoted.h"

namespace longtake {
namespace {

constexpr std::int64_t kMostSeconds = 1'000'000'000;
constexpr std::int64_t kMostFps = 1000;
constexpr std::size_t kMostDecimals = 9;

// A whole number without a sign that is the whole of `text`.
std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc()) return std::nullopt;  // too large
  return number;
}

// "12" or "12.5" as a fraction in its lowest terms, at most kMostSeconds: with nine decimals it stays below
// 2^63.
std::optional<Rational> parse_decimal(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::optional<std::int64_t> whole = parse_digits(text.substr(0, point));
  if (!whole || *whole > kMostSeconds) return std::nullopt;
  if (point == std::string_view::npos) return Rational{*whole, 1};

  const std::string_view decimals = text.substr(point + 1);
  const std::optional<std::int64_t> part = parse_digits(decimals);
  if (!part || decimals.size() > kMostDecimals) return std::nullopt;
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
  const std::int64_t scaled = *whole * scale + *part;
  const std::int64_t common = std::gcd(scaled, scale);
  return Rational{scaled / common, scale / common};
}

// "59" or "07", as minutes and seconds behind a colon are written.
bool two_digits_to_59(std::string_view text) {
  return text.size() == 2 && text[0] >= '0' && text[0] <= '5' && text[1] >= '0' && text[1] <= '9';
}

// "h:mm:ss.fff" or "m:ss.fff".
std::optional<Rational> parse_clock(std::string_view text) {
  const std::size_t last = text.rfind(':');
  const std::string_view seconds_text = text.substr(last + 1);
  if (!two_digits_to_59(seconds_text.substr(0, 2)) || (seconds_text.size() > 2 && seconds_text[2] != '.')) {
    return std::nullopt;
  }
  const std::optional<Rational> seconds = parse_decimal(seconds_text);

  std::string_view rest = text.substr(0, last);
  std::int64_t hours_in_minutes = 0;
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    const std::optional<std::int64_t> hours = parse_digits(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
    if (!hours || *hours > kMostSeconds / 3600 || !two_digits_to_59(rest)) return std::nullopt;
    hours_in_minutes = *hours * 60;
  }
  const std::optional<std::int64_t> minutes = parse_digits(rest);
  if (!seconds || !minutes || *minutes > kMostSeconds / 60) return std::nullopt;

  const std::int64_t before = (hours_in_minutes + *minutes) * 60;
  if (before + seconds->num / seconds->den > kMostSeconds) return std::nullopt;
  return Rational{before * seconds->den + seconds->num, seconds->den};
}

}  // namespace

Result<TimePoint> parse_time(std::string_view text) {
  const auto refuse = [text] {
    return Error{ErrorKind::kUsage, "cannot read the time " + quoted(text) +
                                        ": it is none of 12.5, 12.5s, 00:00:12.500 and @pts"};
  };
  if (text.starts_with('@')) {
    std::int64_t pts = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, code] = std::from_chars(text.data() + 1, end, pts);
    if (code != std::errc() || stopped != end) return refuse();
    return TimePoint{pts};
  }
  std::optional<Rational> seconds;
  if (text.find(':') != std::string_view::npos) {
    seconds = parse_clock(text);
  } else {
    seconds = parse_decimal(text.ends_with('s') ? text.substr(0, text.size() - 1) : text);
  }
  if (!seconds) return refuse();
  return TimePoint{*seconds};
}

Result<Rational> parse_fps(std::string_view text) {
  if (text == "all") return Rational{0, 1};
  const std::size_t slash = text.find('/');
  std::optional<Rational> rate;
  if (slash == std::string_view::npos) {
    rate = parse_decimal(text);
  } else {
    const std::optional<std::int64_t> num = parse_digits(text.substr(0, slash));
    const std::optional<std::int64_t> den = parse_digits(text.substr(slash + 1));
    if (num && den && *num <= kMostSeconds && *den > 0 && *den <= kMostSeconds) {
      const std::int64_t common = std::gcd(*num, *den);
      rate = Rational{*num / common, *den / common};
    }
  }
  if (!rate || rate->num == 0 || rate->num > kMostFps * rate->den) {
    return Error{ErrorKind::kUsage,
                 "cannot use the frame rate " + quoted(text) +
                     ": it is neither \"all\" nor a number like 12.5 or 30000/1001 above 0 and up to " +
                     std::to_string(kMostFps)};
  }
  return *rate;
}

}  // namespace longtake
