// Records as JSON lines into a file or standard output.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/pipeline/stages.h"
#include "core/store/atomic_file.h"

namespace longtake {

class JsonLinesSink final : public Sink {
 public:
  // `header` is written at the beginning; without one the file is a result that is being continued. `save` stores a
  // state that belongs to a result of the given length, which is on the disk by then.
  using SaveCheckpoint = std::function<Result<void>(const TensorFile& state, std::int64_t result_bytes)>;
  JsonLinesSink(ResultFile file, std::optional<HeaderRecord> header, SaveCheckpoint save)
      : file_(std::move(file)), header_(std::move(header)), save_(std::move(save)) {}

  Result<void> begin(const StreamInfo& info) override;
  Result<void> accept(std::span<const Record> records) override;
  Result<void> checkpoint(const TensorFile& state) override;
  Result<void> finish(const EndRecord& end) override;
  // A line of its own, with its '\n', between what is accepted.
  Result<void> write_line(std::string_view line) { return file_.write(line); }

 private:
  ResultFile file_;
  std::optional<HeaderRecord> header_;
  SaveCheckpoint save_;
  std::string text_;  // reused
};

}  // namespace longtake
