// A curve of any length in a fixed number of bytes, ready to be drawn at any zoom.
//
// A pyramid: the lowest level holds the least, greatest and mean value of each bucket of `stride` values, every level above
// those of two buckets below it. When the lowest level is full it is given up, the stride doubles, and half of its room is
// free again. So nothing is lost that a drawing of the whole would show, and a drawing of w columns costs O(w), wherever it is.
//
// One thread; what is read from another one needs a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace longtake {

class CurvePyramid {
 public:
  // low > high: there is no value here.
  struct Extent {
    float low = 1, high = -1;
    float mean = 0;

    bool empty() const { return low > high; }
  };

  // A lowest level of 2^log_buckets buckets. Throws std::invalid_argument outside 4..28.
  explicit CurvePyramid(int log_buckets = 17);

  // NaN and infinite values leave a gap.
  void append(float value);
  void clear();

  std::int64_t size() const noexcept { return size_; }      // values so far, gaps included
  std::int64_t stride() const noexcept { return stride_; }  // values of the finest bucket; 1: every value is there
  std::size_t bytes() const noexcept;                       // constant

  // What column i of `columns` shows: values [first + i·step, first + (i+1)·step), widened to whole buckets; those beyond
  // either end are empty. step > 0, otherwise std::invalid_argument.
  void envelope(double first, double step, std::span<Extent> columns) const;

 private:
  struct Bucket {
    float low = 1, high = -1;
    float mean = 0;
    float weight = 0;  // values; a float, as only their shares matter
  };
  static void merge(Bucket& into, const Bucket& more);
  void close(const Bucket& bucket);
  void coarsen();
  Bucket bucket_at(std::size_t level, std::int64_t index) const;  // the open one included

  std::vector<std::vector<Bucket>> levels_;  // [level][bucket]
  std::int64_t closed_ = 0;                  // buckets of the lowest level
  std::int64_t stride_ = 1;
  std::int64_t size_ = 0;
  std::int64_t in_open_ = 0;
  Bucket open_;
};

}  // namespace longtake
