// Work in numbered pieces on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>

namespace longtake {

// work(next) on `threads` threads, this one among them. `next` gives 0, 1, … up to count − 1 and −1 from then on, each
// number to one thread. (at::parallel_for is serial in a file that is compiled without OpenMP, and the thread sanitizer
// cannot look into OpenMP.)
template <class Work>
void on_threads(std::int64_t count, int threads, Work work) {
  std::atomic<std::int64_t> given = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto next = [&] {
    const std::int64_t i = given.fetch_add(1);
    return i < count ? i : -1;
  };
  const auto guarded = [&] {
    try {
      work(next);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::int64_t i = 1; i < std::min<std::int64_t>(count, threads); ++i) {
      others.emplace_back(guarded);
    }
    guarded();
  }
  if (failure) std::rethrow_exception(failure);
}

// On as many threads as LibTorch has.
template <class Work>
void on_threads(std::int64_t count, Work work) {
  on_threads(count, at::get_num_threads(), std::move(work));
}

}  // namespace longtake
