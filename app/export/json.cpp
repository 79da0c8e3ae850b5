// All records of a result in one JSON object, each as assets/longtake.schema.json has it.
#include "app/export/exporter.h"

namespace longtake {
namespace {

class JsonDocument final : public Exporter {
 public:
  void take(const Record& record) override {
    if (std::holds_alternative<HeaderRecord>(record)) {
      set(header_, record);
    } else if (std::holds_alternative<EndRecord>(record)) {
      set(end_, record);
    } else if (std::holds_alternative<FrameRecord>(record)) {
      add(frames_, record);
    } else if (std::holds_alternative<EventRecord>(record)) {
      add(events_, record);
    } else if (std::holds_alternative<SegmentRecord>(record)) {
      add(segments_, record);
    } else if (std::holds_alternative<DiscontinuityRecord>(record)) {
      add(discontinuities_, record);
    } else {
      add(errors_, record);
    }
  }
  std::size_t gathered() const override { return frames_.size() + events_.size() + segments_.size() + errors_.size(); }

  Result<std::string> write(const Outline&, std::vector<std::string>&) override {
    std::string out = "{\"schema\":1,\n\"header\":" + (header_.empty() ? "null" : header_);
    const auto list = [&out](const char* name, std::string& records) {
      out += std::string(",\n\"") + name + "\":[" + records + (records.empty() ? "]" : "\n]");
      std::string().swap(records);
    };
    list("segments", segments_);
    list("events", events_);
    list("discontinuities", discontinuities_);
    list("errors", errors_);
    list("frames", frames_);
    return out + ",\n\"end\":" + (end_.empty() ? "null" : end_) + "}\n";
  }

 private:
  static void set(std::string& to, const Record& record) {
    to.clear();
    append_json_line(record, to);
    to.pop_back();  // its line break
  }
  static void add(std::string& list, const Record& record) {
    list += list.empty() ? "\n" : ",\n";
    append_json_line(record, list);
    list.pop_back();
  }

  std::string header_, end_, segments_, events_, discontinuities_, errors_, frames_;
};

}  // namespace

std::unique_ptr<Exporter> make_json(const ExportOptions&) { return std::make_unique<JsonDocument>(); }

}  // namespace longtake
