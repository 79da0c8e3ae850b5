#include "app/live/live_sink.h"

#include <utility>
#include <variant>

namespace longtake {

Result<void> LiveSink::begin(const StreamInfo& info) {
  const std::scoped_lock lock(mutex_);
  open_ = true;
  return result_.begin(info);
}

Result<void> LiveSink::accept(std::span<const Record> records) {
  const std::scoped_lock lock(mutex_);
  if (!said_) return said_;
  for (const Record& record : records) {
    if (const auto* event = std::get_if<EventRecord>(&record)) ++events_[event->kind];
  }
  return result_.accept(records);
}

std::map<std::string, std::int64_t> LiveSink::events() const {
  const std::scoped_lock lock(mutex_);
  return events_;
}

Result<void> LiveSink::checkpoint(const TensorFile& state) { return save_(state); }

Result<void> LiveSink::finish(const EndRecord& end) {
  const std::scoped_lock lock(mutex_);
  open_ = false;
  return result_.finish(end);
}

void LiveSink::say(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  if (open_ && said_) said_ = result_.write_line(line);
}

}  // namespace longtake
