// What differs between two lists of rows, for models that show the second where the first was.
#pragma once

#include <algorithm>
#include <ranges>
#include <vector>

namespace longtake {

// Rows [first, both) are changed in place; then rows [both, old_last) go, or rows [both, new_last) come. All others stay.
struct ChangedRows {
  int first = 0, both = 0, old_last = 0, new_last = 0;
};

template <class Row>
ChangedRows changed_rows(const std::vector<Row>& before, const std::vector<Row>& after) {
  const auto [b, a] = std::ranges::mismatch(before, after);
  const auto rest = std::ranges::mismatch(std::ranges::subrange(b, before.end()) | std::views::reverse,
                                          std::ranges::subrange(a, after.end()) | std::views::reverse);
  ChangedRows out;
  out.first = static_cast<int>(b - before.begin());
  out.old_last = static_cast<int>(rest.in1.base() - before.begin());
  out.new_last = static_cast<int>(rest.in2.base() - after.begin());
  out.both = std::min(out.old_last, out.new_last);
  return out;
}

}  // namespace longtake
