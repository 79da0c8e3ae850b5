#include "app/json_lines_sink.h"

namespace longtake {

Result<void> JsonLinesSink::begin(const StreamInfo&) {
  if (!header_) return {};
  text_.clear();
  append_json_line(*header_, text_);
  return file_.write(text_);
}

Result<void> JsonLinesSink::accept(std::span<const Record> records) {
  text_.clear();
  for (const Record& record : records) append_json_line(record, text_);
  return file_.write(text_);
}

Result<void> JsonLinesSink::checkpoint(const TensorFile& state) {
  if (!save_) return {};
  auto length = file_.sync();
  if (!length) return std::move(length).error();
  return save_(state, *length);
}

Result<void> JsonLinesSink::finish(const EndRecord& end) {
  text_.clear();
  append_json_line(end, text_);
  return file_.write(text_);
}

}  // namespace longtake
