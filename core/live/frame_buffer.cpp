#include "core/live/frame_buffer.h"

#include <algorithm>
#include <utility>

namespace longtake {
namespace {

// Two breaks with nothing between them are one.
void put_before(std::optional<Discontinuity>& later, std::optional<Discontinuity> earlier) {
  if (!earlier) return;
  if (later) earlier->gap_s += later->gap_s;
  later = std::move(earlier);
}

}  // namespace

bool FrameBuffer::push(Item item, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ++counts_.frames_in;
  put_before(item.before, std::exchange(pending_, std::nullopt));
  if (closed_ || stop.stop_requested()) {
    drop(std::move(item), kStopped);
    return false;
  }
  if (!goes_in()) {
    drop(std::move(item), kThinned);
    return true;
  }
  if (items_.size() >= capacity_ && policy_ == DropPolicy::kOldest) {
    Item oldest = std::move(items_.front());
    items_.pop_front();
    put_before(items_.empty() ? item.before : items_.front().before, std::move(oldest.before));
    ++counts_.dropped[kQueueFull];
  }
  const bool ready = room_.wait(lock, stop, [&] { return closed_ || items_.size() < capacity_; });
  if (!ready || closed_) {
    drop(std::move(item), kStopped);
    return false;
  }
  items_.push_back(std::move(item));
  lock.unlock();
  filled_.notify_one();
  return true;
}

std::optional<FrameBuffer::Item> FrameBuffer::pop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool ready = filled_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
  if (!ready || items_.empty()) return std::nullopt;
  std::optional<Item> out(std::move(items_.front()));
  items_.pop_front();
  ++counts_.delivered;
  lock.unlock();
  room_.notify_one();
  return out;
}

void FrameBuffer::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  room_.notify_all();
  filled_.notify_all();
}

void FrameBuffer::abandon() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    counts_.dropped[kStopped] += std::ssize(items_);
    items_.clear();
  }
  room_.notify_all();
  filled_.notify_all();
}

FrameBuffer::Counts FrameBuffer::counts() const {
  const std::scoped_lock lock(mutex_);
  Counts out = counts_;
  out.waiting = items_.size();
  return out;
}

bool FrameBuffer::goes_in() {
  if (policy_ != DropPolicy::kAdaptive) return true;
  calm_ = items_.empty() ? calm_ + 1 : 0;
  if (items_.size() >= capacity_) {
    stride_ = std::min(kMostStride, 2 * stride_);
    phase_ = 1;
    return false;
  }
  if (calm_ >= kCalmFrames && stride_ > 1) {
    stride_ /= 2;
    calm_ = 0;
  }
  return phase_++ % stride_ == 0;
}

void FrameBuffer::drop(Item item, Reason reason) {
  ++counts_.dropped[reason];
  pending_ = std::move(item.before);
}

}  // namespace longtake
