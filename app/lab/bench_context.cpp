#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "app/plot.h"
#include "models/eval/context_bench.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ContextCurve& curve) {
  Json out;
  out["name"] = curve.name;
  out["mode"] = curve.mode;
  for (const auto& point : curve.points) {
    out["points"].push_back(
        {{"frames", point.frames}, {"ns_per_frame", point.ns_per_frame}, {"state_bytes", point.state_bytes}});
  }
  out["slope_ns_per_frame"] = curve.ns.slope;
  out["slope_interval"] = {curve.ns.low, curve.ns.high};
  out["slope_bytes_per_frame"] = curve.bytes_slope;
  if (!curve.cut_short.empty()) out["cut_short"] = curve.cut_short;
  return out;
}

void print_head() {
  fmt::print("{:<26} {:>10} {:>10} {:>10}  {:>36} {:>14} {:>10}\n", "", "frames", "ms/frame", "ms/frame",
             "ns per further frame, 99 % interval", "state bytes", "bytes per");
  fmt::print("{:<26} {:>10} {:>10} {:>10}  {:>36} {:>14} {:>10}\n", "", "at the end", "at first", "at last", "",
             "at last", "frame");
}

void print(const ContextCurve& curve) {
  const std::string title = fmt::format("{}, {}", curve.name, curve.mode);
  const auto& first = curve.points.front();
  const auto& last = curve.points.back();
  fmt::print("{:<26} {:>10} {:>10.3f} {:>10.3f}  {:>+11.5f} [{:+.5f}, {:+.5f}] {:>14} {:>10.1f}\n", title, last.frames,
             first.ns_per_frame / 1e6, last.ns_per_frame / 1e6, curve.ns.slope, curve.ns.low, curve.ns.high,
             last.state_bytes, curve.bytes_slope);
  if (!curve.cut_short.empty()) fmt::print("{:<26} ends there: {}\n", "", curve.cut_short);
  std::fflush(stdout);
}

}  // namespace

int run_bench_context(const Context& context, const ContextSettings& bench) {
  ContextBenchRequest request;
  request.models = bench.models;
  request.frames = bench.frames;
  request.limit_bytes = bench.limit_bytes;
  if (request.models.empty()) {
    auto path = context.model_path();
    if (!path) return context.fail(path.error());
    request.models.push_back(*path);
  }
  if (!bench.plot.empty()) {
    if (auto done = check_plot_file(bench.plot); !done) return context.fail(done.error());
  }
  if (!context.settings.json) {
    request.on_curve = [begun = false](const ContextCurve& curve) mutable {
      if (!std::exchange(begun, true)) print_head();
      print(curve);
    };
  }
  const auto curves = bench_context(request, context.signals.token());
  if (!curves) return context.fail(curves.error());

  Plot single{"Time per frame, frame by frame", "frames seen", "ms", true, true, {}};
  Plot forward{"Time per frame, in windows of 64", "frames seen", "ms", true, true, {}};
  Plot bytes{"State", "frames seen", "bytes", true, true, {}};
  for (const ContextCurve& curve : *curves) {
    Curve ms{curve.name, {}, {}}, state{curve.name, {}, {}};
    for (const auto& point : curve.points) {
      ms.x.push_back(static_cast<double>(point.frames));
      ms.y.push_back(point.ns_per_frame / 1e6);
      state.x.push_back(static_cast<double>(point.frames));
      state.y.push_back(static_cast<double>(point.state_bytes));
    }
    const bool is_single = curve.mode == "single";
    (is_single ? single : forward).curves.push_back(std::move(ms));
    if (is_single) bytes.curves.push_back(std::move(state));
  }
  if (!bench.plot.empty()) {
    if (auto done = write_plots(bench.plot, std::vector{single, forward, bytes}); !done)
      return context.fail(done.error());
  }
  if (!context.settings.json) return kExitDone;
  Json out = headed("bench context");
  for (const ContextCurve& curve : *curves) out["models"].push_back(to_json(curve));
  fmt::print("{}\n", out.dump());
  return kExitDone;
}

}  // namespace longtake
