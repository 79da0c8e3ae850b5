#include "core/signals/curve_pyramid.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace longtake {

CurvePyramid::CurvePyramid(int log_buckets) {
  if (log_buckets < 4 || log_buckets > 28) throw std::invalid_argument("CurvePyramid: 2^4 to 2^28 buckets");
  for (int level = 0; level <= log_buckets; ++level) levels_.emplace_back(std::size_t{1} << (log_buckets - level));
}

std::size_t CurvePyramid::bytes() const noexcept {
  std::size_t buckets = 0;
  for (const auto& level : levels_) buckets += level.size();
  return buckets * sizeof(Bucket);
}

void CurvePyramid::clear() {
  closed_ = size_ = in_open_ = 0;
  stride_ = 1;
  open_ = {};
}

void CurvePyramid::merge(Bucket& into, const Bucket& more) {
  if (more.weight == 0) return;
  if (into.weight == 0) {
    into = more;
    return;
  }
  into.low = std::min(into.low, more.low);
  into.high = std::max(into.high, more.high);
  const float weight = into.weight + more.weight;
  into.mean += (more.mean - into.mean) * (more.weight / weight);
  into.weight = weight;
}

void CurvePyramid::append(float value) {
  ++size_;
  if (std::isfinite(value)) merge(open_, {value, value, value, 1});
  if (++in_open_ < stride_) return;
  if (closed_ == static_cast<std::int64_t>(levels_.front().size())) {
    coarsen();  // the full bucket is now one half of a wider one, which is still open
    return;
  }
  close(open_);
  open_ = {};
  in_open_ = 0;
}

void CurvePyramid::close(const Bucket& bucket) {
  const std::int64_t index = closed_++;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const auto at = static_cast<std::size_t>(index >> level);
    if ((index & ((std::int64_t{1} << level) - 1)) == 0) {
      levels_[level][at] = bucket;
    } else {
      merge(levels_[level][at], bucket);
    }
  }
}

void CurvePyramid::coarsen() {
  for (std::size_t level = 0; level + 1 < levels_.size(); ++level)
    std::ranges::copy(levels_[level + 1], levels_[level].begin());
  // The highest level keeps the bucket of everything so far.
  closed_ /= 2;
  stride_ *= 2;
}

CurvePyramid::Bucket CurvePyramid::bucket_at(std::size_t level, std::int64_t index) const {
  const std::int64_t first = index << level;
  Bucket out;
  if (first < closed_) out = levels_[level][static_cast<std::size_t>(index)];
  if (first <= closed_ && closed_ < first + (std::int64_t{1} << level)) merge(out, open_);
  return out;
}

void CurvePyramid::envelope(double first, double step, std::span<Extent> columns) const {
  if (!(step > 0)) throw std::invalid_argument("CurvePyramid: a step of nothing");
  // Buckets no wider than half a column, so that a column is widened by half of itself at most on either side.
  std::size_t level = 0;
  while (level + 1 < levels_.size() && static_cast<double>(stride_ << (level + 1)) <= step / 2) ++level;
  const auto width = static_cast<double>(stride_ << level);
  const auto last = static_cast<double>(size_);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double from = std::max(0.0, first + static_cast<double>(i) * step);
    const double to = std::min(last, first + static_cast<double>(i + 1) * step);
    Bucket sum;
    if (from < to) {
      const auto begin = static_cast<std::int64_t>(std::floor(from / width));
      const auto end = std::max(begin + 1, static_cast<std::int64_t>(std::ceil(to / width)));
      for (std::int64_t index = begin; index < end; ++index) merge(sum, bucket_at(level, index));
    }
    columns[i] = {sum.low, sum.high, sum.mean};
  }
}

}  // namespace longtake
