#include "app/export/timecode.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/records/quoted.h"

namespace longtake {
namespace {

__extension__ using Int128 = __int128;

constexpr double kFastest = 100;  // there are two digits for it

bool of_ntsc(Rational rate, std::int64_t nominal) { return rate.num == nominal * 1000 && rate.den == 1001; }

}  // namespace

Result<Timecode> Timecode::make(Rational fps, std::string_view start) {
  const double exact = static_cast<double>(fps.num) / static_cast<double>(fps.den);
  if (!(exact >= 1 && exact <= kFastest)) {
    return Error{ErrorKind::kUsage, "time codes need --fps, the video's frames a second: 24, 25, 29.97 or up to 100"};
  }
  Timecode out;
  out.rate_ = fps;
  out.nominal_ = std::llround(exact);
  constexpr double kShort = 0.006;  // 23.98 for 23.976…
  if (fps.num % fps.den != 0 && std::abs(exact - static_cast<double>(out.nominal_) * 1000 / 1001) < kShort) {
    out.rate_ = {out.nominal_ * 1000, 1001};
  }
  if (start.empty()) return out;

  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kUsage, fmt::format("the start time code {} is none: {}", quoted(start), why)};
  };
  // HH:MM:SS:FF, the last mark telling whether numbers are dropped.
  std::array<std::int64_t, 4> parts{};
  bool shaped = start.size() == 11;
  for (std::size_t i = 0; shaped && i < start.size(); ++i) {
    const char c = start[i];
    const auto digit = static_cast<unsigned char>(c);
    shaped = i % 3 != 2 ? std::isdigit(digit) != 0 : c == ':' || (i == 8 && c == ';');
    if (shaped && i % 3 != 2) parts[i / 3] = 10 * parts[i / 3] + (c - '0');
  }
  if (!shaped) return refuse("it has to look like 01:00:00:00");
  const auto& [hours, minutes, seconds, frames] = parts;
  if (hours > 23 || minutes > 59 || seconds > 59 || frames >= out.nominal_) {
    return refuse(fmt::format("it goes up to 23:59:59:{:02}", out.nominal_ - 1));
  }
  if (start[8] == ';') {
    if (!of_ntsc(out.rate_, 30) && !of_ntsc(out.rate_, 60))
      return refuse("only 29.97 and 59.94 drop frames, written with ;");
    out.drop_ = out.nominal_ / 15;
    if (seconds == 0 && minutes % 10 != 0 && frames < out.drop_)
      return refuse("its number is one of those that are dropped");
  }
  const std::int64_t all_minutes = 60 * hours + minutes;
  out.start_ = (60 * all_minutes + seconds) * out.nominal_ + frames - out.drop_ * (all_minutes - all_minutes / 10);
  return out;
}

std::int64_t Timecode::frame_at(const Outline& outline, std::int64_t pts) const {
  const auto& [num, den] = outline.header.time_base;
  const Int128 ticks = outline.ticks_since_zero(pts);
  const Int128 above = ticks * num * rate_.num, below = Int128{den} * rate_.den;
  return static_cast<std::int64_t>(
      std::min<Int128>((2 * above + below) / (2 * below), std::numeric_limits<std::int64_t>::max() / 4));
}

std::string Timecode::text(std::int64_t frame) const {
  const std::int64_t a_minute = 60 * nominal_ - drop_, ten_minutes = 600 * nominal_ - 9 * drop_;
  std::int64_t number = (frame + start_) % (144 * ten_minutes);
  if (drop_ > 0) {
    const std::int64_t tens = number / ten_minutes, rest = number % ten_minutes;
    // The first minute of ten is whole.
    const std::int64_t minutes = rest < 60 * nominal_ ? 0 : 1 + (rest - 60 * nominal_) / a_minute;
    number += drop_ * (9 * tens + minutes);
  }
  return fmt::format("{:02}:{:02}:{:02}{}{:02}", number / nominal_ / 3600, number / nominal_ / 60 % 60,
                     number / nominal_ % 60, drop_ > 0 ? ';' : ':', number % nominal_);
}

}  // namespace longtake
