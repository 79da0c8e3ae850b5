// A table: segments and events by time, or a row for every frame with all that was measured of it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"

namespace longtake {
namespace {

constexpr int kMostLayers = 64;

template <class T>
std::string number(T value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}
template <class T>
std::string number(const std::optional<T>& value) {
  return value ? number(*value) : "";
}

// One row for each segment and event. Times are those of the result, its own seconds: other tables of it fit to this one.
class OutlineTable final : public Exporter {
 public:
  explicit OutlineTable(TableRows rows) : rows_(rows) {}

  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    struct Row {
      std::int64_t pts = 0;
      std::string text;
    };
    std::vector<Row> rows;
    if (rows_ != TableRows::kEvents) {
      for (const Passage& one : outline.passages) rows.push_back({one.start_pts, row(outline, one)});
    }
    if (rows_ != TableRows::kSegments) {
      for (const Happening& one : outline.events) rows.push_back({one.start_pts, row(outline, one)});
    }
    std::ranges::stable_sort(rows, {}, &Row::pts);
    std::string out =
        "start_s,end_s,label,type,score,confidence,frame,first_frame,last_frame,start_pts,end_pts,surprise_mean,"
        "surprise_max\n";
    for (const Row& one : rows) out += one.text;
    return out;
  }

 private:
  static std::string row(const Outline& outline, const Passage& one) {
    const std::string score = one.labels.empty() ? "" : number(one.labels.front().score);
    const std::string mean = one.surprise ? number(one.surprise->mean) : "",
                      max = one.surprise ? number(one.surprise->max) : "";
    return fmt::format("{},{},{},segment,{},,{},{},{},{},{},{},{}\n", outline.seconds(one.start_pts),
                       outline.seconds(one.end_pts), csv_field(one.title), score, one.first, one.first, one.last,
                       one.start_pts, one.end_pts, mean, max);
  }
  static std::string row(const Outline& outline, const Happening& one) {
    const EventRecord& event = one.event;
    return fmt::format("{},{},{},event,{},{},{},{},{},{},{},,\n", outline.seconds(one.start_pts),
                       outline.seconds(one.end_pts), csv_field(event.kind), number(event.score),
                       number(event.confidence), event.frame, event.span[0], event.span[1], one.start_pts, one.end_pts);
  }

  const TableRows rows_;
};

class FrameTable final : public Exporter {
 public:
  void take(const Record& record) override {
    if (const auto* header = std::get_if<HeaderRecord>(&record)) {
      layers_ = std::clamp(header->layers, 0, kMostLayers);
      out_ = "frame,pts,t_s,surprise,novelty,sustained,familiarity,deviation,boundary";
      for (int i = 0; i < layers_; ++i) out_ += fmt::format(",before_{0},after_{0},drift_{0}", i);
      out_ += ",scene,scene_score,label,label_score,pixel,cell,histogram,feature,flow\n";
    } else if (const auto* frame = std::get_if<FrameRecord>(&record)) {
      add(*frame);
    }
  }
  std::size_t gathered() const override { return out_.size(); }
  Result<std::string> write(const Outline&, std::vector<std::string>&) override { return std::move(out_); }

 private:
  void add(const FrameRecord& frame) {
    out_ += fmt::format("{},{},{},{},{},{},{},{},{}", frame.frame, frame.pts, number(frame.t), number(frame.surprise),
                        number(frame.novelty), number(frame.sustained), number(frame.familiarity),
                        number(frame.deviation), number(frame.boundary));
    for (int i = 0; i < layers_; ++i) {
      if (static_cast<std::size_t>(i) < frame.layers.size()) {
        const LayerLoss& layer = frame.layers[static_cast<std::size_t>(i)];
        out_ += fmt::format(",{},{},{}", number(layer.before), number(layer.after), number(layer.drift));
      } else {
        out_ += ",,,";
      }
    }
    for (const auto* names : {&frame.scene, &frame.labels}) {
      const bool any = *names && !(*names)->empty();
      out_ += any ? fmt::format(",{},{}", csv_field((*names)->front().name), number((*names)->front().score)) : ",,";
    }
    const PlainSignals none, &plain = frame.signals ? *frame.signals : none;
    for (const auto* signal : {&plain.pixel, &plain.cell, &plain.histogram, &plain.feature, &plain.flow}) {
      out_ += ',' + number(*signal);
    }
    out_ += '\n';
  }

  int layers_ = 0;
  std::string out_;
};

}  // namespace

std::unique_ptr<Exporter> make_csv(const ExportOptions& options) {
  if (options.rows == TableRows::kFrames) return std::make_unique<FrameTable>();
  return std::make_unique<OutlineTable>(options.rows);
}

}  // namespace longtake
