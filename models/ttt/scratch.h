// Memory that a call works in: grows once, is then reused. What is in it means nothing between calls.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/aligned.h"

namespace longtake {

// Keep one per thread. T is float or double.
template <class T>
class TttScratch {
 public:
  // What one function takes; given back, last in first out, when the function ends.
  class Scope {
   public:
    explicit Scope(TttScratch& scratch) : scratch_(scratch), mark_(scratch.used_) {}
    ~Scope() { scratch_.used_ = mark_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    // Room for `count` numbers with anything in them, valid as long as the scope.
    std::span<T> take(std::size_t count) {
      if (scratch_.used_ == scratch_.blocks_.size()) scratch_.blocks_.emplace_back();
      auto& block = scratch_.blocks_[scratch_.used_++];
      if (block.size() < count) block.resize(count);
      return {block.data(), count};
    }

   private:
    TttScratch& scratch_;
    std::size_t mark_;
  };

 private:
  std::vector<AlignedVector<T>> blocks_;
  std::size_t used_ = 0;
};

}  // namespace longtake
