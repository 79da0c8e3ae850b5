#include "app/plot_axis.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace longtake {
namespace {

constexpr double kLargest = 1e150;

std::string raised(int power) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = power < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(power))) out += kDigits[digit - '0'];
  return out;
}

int power_of(double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-9)); }

// `digit` · 10^power
std::string label_of(int digit, int power) {
  if (power >= 5 || power < -4) return (digit == 1 ? "10" : fmt::format("{}·10", digit)) + raised(power);
  return fmt::format("{:.{}f}", digit * std::pow(10.0, power), std::max(0, -power));
}

// The smallest 1, 2 or 5 times a power of ten that is not below `step`.
double round_step(double step) {
  const double unit = std::pow(10.0, power_of(step));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * unit >= step * (1 - 1e-9)) return digit * unit;
  }
  return 10 * unit;
}

std::vector<Tick> even_ticks(double from, double to, int labels) {
  const double step = round_step((to - from) / labels);
  const auto first = static_cast<std::int64_t>(std::ceil(from / step - 1e-9));
  const auto last = static_cast<std::int64_t>(std::floor(to / step + 1e-9));
  const int power = power_of(step);
  const double largest = std::max(std::abs(from), std::abs(to));
  std::vector<Tick> out;
  for (std::int64_t i = first; i <= last; ++i) {
    const double at = static_cast<double>(i) * step;
    if (i == 0) {
      out.push_back({0, "0"});
    } else if (largest >= 1e5 || power < -4) {
      const int shared = power_of(largest);
      out.push_back({at, fmt::format("{:.{}f}·10{}", at / std::pow(10.0, shared), std::max(0, shared - power), raised(shared))});
    } else {
      out.push_back({at, fmt::format("{:.{}f}", at, std::max(0, -power))});
    }
  }
  return out;
}

std::vector<Tick> log_ticks(double from, double to, int labels) {
  const double decades = std::log10(to / from);
  const int first = static_cast<int>(std::floor(std::log10(from))), last = static_cast<int>(std::ceil(std::log10(to)));
  const int every = std::max(1, static_cast<int>(std::ceil(decades / labels)));
  const bool between = 3 * decades <= labels;  // is there room for labels at 2 and 5?
  std::vector<Tick> out;
  int told = 0;
  for (int power = first; power <= last; ++power) {
    for (int digit = 1; digit <= (every == 1 ? 9 : 1); ++digit) {
      const double at = digit * std::pow(10.0, power);
      if (at < from * (1 - 1e-9) || at > to * (1 + 1e-9)) continue;
      const bool label = digit == 1 ? power % every == 0 : between && (digit == 2 || digit == 5);
      out.push_back({at, label ? label_of(digit, power) : ""});
      told += label ? 1 : 0;
    }
  }
  // Far less than a decade: like an even axis, only the places differ.
  return told >= 2 ? out : even_ticks(from, to, labels);
}

}  // namespace

bool drawable(double value, bool log) {
  return std::abs(value) <= kLargest && (!log || value >= 1 / kLargest);  // false for NaN
}

double Axis::place(double value) const {
  return log ? std::log(value / from) / std::log(to / from) : (value - from) / (to - from);
}

Axis make_axis(double least, double most, bool log, double margin, int labels) {
  Axis out;
  out.log = log;
  if (log) {
    if (most / least < 1 + 1e-9) least /= 2, most *= 2;  // a constant
    const double more = std::pow(most / least, margin);
    out.from = least / more;
    out.to = most * more;
    out.ticks = log_ticks(out.from, out.to, labels);
    return out;
  }
  // A constant, or numbers that only rounding tells apart.
  const double size = std::max(std::abs(least), std::abs(most));
  if (most - least <= 1e-9 * size) {
    const double more = size > 0 ? 0.1 * size : 1;
    least -= more, most += more;
  }
  out.from = least - margin * (most - least);
  out.to = most + margin * (most - least);
  out.ticks = even_ticks(out.from, out.to, labels);
  return out;
}

}  // namespace longtake
