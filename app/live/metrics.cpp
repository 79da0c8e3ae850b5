#include "app/live/metrics.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace longtake {
namespace {

class Text {
 public:
  explicit Text(const std::string& source) : source_(label_value(source)) {}

  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += fmt::format("# HELP longtake_{} {}\n# TYPE longtake_{} {}\n", name, help, name, type);
  }
  // A sample of the family. `more`: further labels, as a="b".
  template <class Number>
  void sample(Number value, std::string_view more = {}, std::string_view suffix = {}) {
    out_ += fmt::format("longtake_{}{}{{source=\"{}\"{}{}}} {}\n", name_, suffix, source_, more.empty() ? "" : ",",
                        more, value);
  }
  void latency(std::string_view stage, const Latency& latency) {
    const std::string label = fmt::format("stage=\"{}\"", stage);
    for (const double q : {0.5, 0.95, 0.99}) sample(latency.quantile_s(q), fmt::format("{},quantile=\"{}\"", label, q));
    sample(latency.sum_s(), label, "_sum");
    sample(latency.count(), label, "_count");
  }
  std::string take() { return std::move(out_); }

 private:
  const std::string source_;
  std::string_view name_;
  std::string out_;
};

}  // namespace

std::string label_value(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

std::string prometheus_text(const LiveFacts& facts) {
  const LiveCounts& counts = facts.counts;
  Text text(facts.source);
  text.family("build_info", "gauge", "Program and model, always 1.");
  text.sample(1, fmt::format("version=\"{}\",model=\"{}\"", label_value(facts.version), label_value(facts.model)));
  text.family("source_state", "gauge", "1 for the state that the source is in, 0 for the others.");
  for (int i = 0; i <= static_cast<int>(LiveState::kEnded); ++i) {
    const auto state = static_cast<LiveState>(i);
    text.sample(state == counts.state ? 1 : 0, fmt::format("state=\"{}\"", name_of(state)));
  }
  text.family("frames_received_total", "counter", "Frames that came, and pictures that did not decode.");
  text.sample(counts.received);
  text.family("frames_processed_total", "counter", "Frames whose records are written.");
  text.sample(counts.processed);
  text.family("frames_dropped_total", "counter", "Frames that were not looked at.");
  for (std::size_t i = 0; i < counts.dropped.size(); ++i) {
    text.sample(counts.dropped[i], fmt::format("reason=\"{}\"", FrameBuffer::kReasonNames[i]));
  }
  text.family("decode_errors_total", "counter", "Packets and pictures that were damaged or lost.");
  text.sample(counts.decode_errors);
  text.family("frames_under_way", "gauge", "Frames that wait or are watched.");
  text.sample(counts.under_way());
  text.family("queue_frames", "gauge", "Frames that wait to be watched.");
  text.sample(counts.waiting);
  text.family("reconnects_total", "counter", "How often a lost source was found again.");
  text.sample(counts.reconnects);
  text.family("connection_failures_total", "counter", "Connections that ended or were not made.");
  text.sample(counts.failures);
  if (counts.silent_s) {
    text.family("last_frame_age_seconds", "gauge", "Time since the last frame came.");
    text.sample(*counts.silent_s);
  }
  text.family(
      "latency_seconds", "summary",
      "From the arrival of a frame to the encoder (queue), from there to its records (watch), and both (whole).");
  text.latency("queue", counts.queued);
  text.latency("watch", counts.watching);
  text.latency("whole", counts.whole);
  text.family("events_total", "counter", "Events that were found.");
  for (const auto& [kind, count] : facts.events) text.sample(count, fmt::format("kind=\"{}\"", label_value(kind)));
  text.family("memory_state_bytes", "gauge", "Size of the memory, which does not grow.");
  text.sample(facts.state_bytes);
  return text.take();
}

}  // namespace longtake
