// The records of a result, schema 1: what the programs write as JSON lines, one object a line.
//
// Equal input gives equal bytes: no clock and no speed figure enters these records. Every member has its {}
// so that a record can be made by naming only some of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace longtake {

inline constexpr int kRecordSchema = 1;

// What was set on the command line and changes results. Order is kept.
using OptionValue = std::variant<bool, std::int64_t, double, std::string>;
using OptionList = std::vector<std::pair<std::string, OptionValue>>;

struct HeaderRecord {
  std::string longtake{};  // version of the program
  std::string model{};     // first 12 hex digits of the model's SHA-256
  std::string source{};
  int width = 0;
  int height = 0;
  std::array<std::int64_t, 2> time_base{1, 1};
  std::string fps{};  // "all" or a number
  int layers = 0;
  OptionList options{};
  bool trained = false;
};

struct LayerLoss {
  float before = 0;  // mean squared inner error per token element, state as it was before this frame
  float after = 0;   // the same with the state after it
  float drift = 0;   // ‖W − W₀‖ / ‖W₀‖ over all fast weights of the layer
};

struct NamedScore {
  std::string name{};
  float score = 0;
};

// Changes since the frame before by plain means, see core/signals/plain_signals.h; those that were asked for.
struct PlainSignals {
  std::optional<float> pixel{};
  std::optional<float> cell{};
  std::optional<float> histogram{};
  std::optional<float> feature{};
  std::optional<float> flow{};
};

struct FrameRecord {
  std::int64_t frame = 0;
  std::int64_t pts = 0;
  double t = 0;
  std::optional<float> surprise{};
  std::optional<float> novelty{};
  std::optional<float> sustained{};  // novelty that stays while what is new stays, see core/signals/occurrences.h
  std::optional<std::array<float, 16>> novelty_map{};  // of 4x4 parts of the picture, row by row
  std::optional<float> familiarity{};  // 0 … 1, to another memory that stands still
  // Of the part of the picture that is most unusual to that memory, in robust deviations, see models/recall/deviation.h.
  std::optional<float> deviation{};
  std::optional<std::array<float, 16>> deviation_map{};  // of each of 4x4 parts, row by row
  std::optional<float> boundary{};
  std::vector<LayerLoss> layers{};
  std::optional<std::vector<NamedScore>> scene{};
  std::optional<std::vector<NamedScore>> labels{};
  std::optional<PlainSignals> signals{};
};

struct EventRecord {
  std::string kind{};  // boundary, cut, gradual, novelty, return, black, no_signal, frozen, flash, light
  std::int64_t frame = 0;
  std::int64_t pts = 0;
  double t = 0;
  double score = 0;
  double confidence = 0;
  std::array<std::int64_t, 2> span{};  // first and last frame
};

struct SegmentRecord {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::array<std::int64_t, 2> pts{};
  std::array<double, 2> t{};
  std::optional<std::vector<NamedScore>> labels{};
  std::optional<std::vector<NamedScore>> scene{};
  struct Surprise {
    double mean = 0;
    double max = 0;
  };
  std::optional<Surprise> surprise{};
};

struct DiscontinuityRecord {
  std::string reason{};
  std::int64_t frame = 0;  // of the first frame after it
  std::int64_t pts = 0;
  double gap_s = 0;
};

struct ErrorRecord {
  std::string message{};
  std::optional<std::int64_t> pts{};
};

struct EndRecord {
  std::string reason{};  // end_of_stream, range_end, stopped, error
  std::int64_t frames = 0;
  std::vector<std::pair<std::string, std::int64_t>> dropped{};  // reason and count
  std::int64_t decode_errors = 0;
  std::int64_t guards = 0;  // inner steps that were refused because they were not finite
  std::int64_t events = 0;
  std::int64_t state_bytes = 0;
};

using Record = std::variant<HeaderRecord, FrameRecord, EventRecord, SegmentRecord, DiscontinuityRecord,
                            ErrorRecord, EndRecord>;

// One line with its '\n', appended to `out`. Keys in the order of the schema; absent optionals leave no key;
// floats in the shortest form that reads back the same and always with a point or an exponent; what is not
// finite becomes null; text that is not UTF-8 has its bad bytes replaced by U+FFFD.
void append_json_line(const Record& record, std::string& out);

}  // namespace longtake
