// SMPTE time codes, which count frames of one rate: what editing programs place things by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/export/outline.h"
#include "core/media/source.h"
#include "core/result.h"

namespace longtake {

class Timecode {
 public:
  // `start`: of frame 0, "01:00:00:00", or "01:00:00;00" for drop frame (29.97 and 59.94 a second: two or four numbers are
  // left out each minute but every tenth, so that it keeps to the clock); empty: 00:00:00:00. Rates that are written short,
  // as 23.976 or 29.97, are what they stand for: 24000/1001. Errors: kUsage.
  static Result<Timecode> make(Rational fps, std::string_view start);

  Rational rate() const { return rate_; }
  bool drop_frame() const { return drop_ > 0; }
  std::int64_t start_frame() const { return start_; }  // what the start counts as

  // The frame of this rate nearest to a time, from 0. Nearest, as time stamps of containers are rounded either way.
  std::int64_t frame_at(const Outline& outline, std::int64_t pts) const;
  // The code of a frame; the day begins anew after 24 hours.
  std::string text(std::int64_t frame) const;

 private:
  Rational rate_;
  std::int64_t nominal_ = 0;  // numbers in a second of the code
  std::int64_t drop_ = 0;     // numbers that are left out a minute
  std::int64_t start_ = 0;
};

}  // namespace longtake
