// Results of a live run: records as they are made, and between them, from other threads, how the run is doing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "app/json_lines_sink.h"

namespace longtake {

class LiveSink final : public Sink {
 public:
  // `save`: a memory snapshot, whenever one is due.
  LiveSink(JsonLinesSink& result, std::function<Result<void>(const TensorFile&)> save)
      : result_(result), save_(std::move(save)) {}

  Result<void> begin(const StreamInfo& info) override;
  Result<void> accept(std::span<const Record> records) override;
  Result<void> checkpoint(const TensorFile& state) override;
  Result<void> finish(const EndRecord& end) override;

  // A stats line with its '\n'. Any thread. Nothing before begin() and after finish(). What goes wrong is told by accept().
  void say(std::string_view line);
  std::map<std::string, std::int64_t> events() const;  // by their kind; any thread

 private:
  mutable std::mutex mutex_;
  JsonLinesSink& result_;
  const std::function<Result<void>(const TensorFile&)> save_;
  bool open_ = false;
  Result<void> said_;
  std::map<std::string, std::int64_t> events_;
};

}  // namespace longtake
