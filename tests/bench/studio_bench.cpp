// How long the window's views take to be drawn when much was watched.
//
//   studio_bench [--benchmark_filter=…]
//
// The argument of a case is the number of frames, the second one how many of them are in view (0: all). A screen of 60 Hz
// leaves 16 ms.
#include <QApplication>
#include <QImage>
#include <cmath>
#include <map>
#include <memory>

#include <benchmark/benchmark.h>

#include "app/studio/loss_view.h"
#include "app/studio/timeline_view.h"

namespace longtake {
namespace {

// Losses like those of a real video: they fall, jump at a cut every minute, and are noisy.
const Findings& findings_of(std::int64_t frames) {
  static std::map<std::int64_t, std::unique_ptr<Findings>> made;
  auto& out = made[frames];
  if (out) return *out;
  out = std::make_unique<Findings>();
  std::vector<Record> records;
  for (std::int64_t i = 0; i < frames; ++i) {
    FrameRecord frame;
    frame.frame = i;
    frame.pts = i;
    frame.t = 0.04 * static_cast<double>(i);
    const auto noise = static_cast<float>(i * 7919 % 1000) / 1000;
    const float loss = std::exp(-static_cast<float>(i % 1500) / 200) + 0.1F + 0.05F * noise;
    frame.surprise = i % 1500 == 0 ? 12 : 2 * noise;
    frame.layers = {{loss, loss / 2, 0.1F}, {1.3F * loss, loss / 3, 0.1F}};
    records.emplace_back(std::move(frame));
    if (i % 1500 == 0) {
      records.emplace_back(EventRecord{"cut", i, i, 0.04 * static_cast<double>(i), 9, 1, {i, i}});
    }
    if (records.size() > 1000) out->take(std::exchange(records, {}), {1, 25});
  }
  out->take(std::move(records), {1, 25});
  return *out;
}

TimeAxis& axis_of(TimeAxis& axis, const benchmark::State& state) {
  axis.set_whole(0, 0.04 * static_cast<double>(state.range(0)));
  const double shown = state.range(1) == 0 ? axis.end() : 0.04 * static_cast<double>(state.range(1));
  axis.show(axis.end() / 3, axis.end() / 3 + shown);
  return axis;
}

// All of it anew, as while a video is watched, or when the view is scrolled.
template <class Change>
void draw(benchmark::State& state, QWidget& view, Change change) {
  view.resize(1600, 240);
  QImage image(view.size(), QImage::Format_RGB32);
  for (auto _ : state) {
    change();
    view.render(&image);
  }
}

void draw_losses(benchmark::State& state) {
  const Findings& findings = findings_of(state.range(0));
  TimeAxis made;
  TimeAxis& axis = axis_of(made, state);
  const LayerModel layers(findings, axis);
  LossView view(findings, axis, layers);
  draw(state, view, [&] { view.set_logarithmic(true); });
  state.counters["bytes"] = static_cast<double>(findings.curves().bytes());
}
// Only the playhead goes on.
void draw_playhead(benchmark::State& state) {
  const Findings& findings = findings_of(state.range(0));
  TimeAxis made;
  TimeAxis& axis = axis_of(made, state);
  const LayerModel layers(findings, axis);
  LossView view(findings, axis, layers);
  draw(state, view, [&] { axis.set_playhead(axis.playhead() + 0.04); });
}
void draw_timeline(benchmark::State& state) {
  const Findings& findings = findings_of(state.range(0));
  TimeAxis made;
  TimelineView view(findings, axis_of(made, state));
  draw(state, view, [] {});
}

BENCHMARK(draw_losses)->ArgsProduct({{10'000, 180'000, 1'000'000}, {0, 1500, 50'000}})->Unit(benchmark::kMillisecond);
BENCHMARK(draw_playhead)->ArgsProduct({{1'000'000}, {0, 1500}})->Unit(benchmark::kMillisecond);
BENCHMARK(draw_timeline)->ArgsProduct({{10'000, 1'000'000}, {0, 1500}})->Unit(benchmark::kMillisecond);

// What a batch of records costs the window's thread.
void take(benchmark::State& state) {
  Findings findings;
  std::int64_t i = 0;
  for (auto _ : state) {
    FrameRecord frame;
    frame.frame = i;
    frame.t = 0.04 * static_cast<double>(i++);
    frame.surprise = 1;
    frame.layers = {{1, 0.5F, 0.1F}, {1, 0.5F, 0.1F}};
    findings.take({std::move(frame)}, {1, 25});
  }
}
BENCHMARK(take)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace longtake

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const QApplication application(argc, argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
