// What a frame costs, in time and bytes, after so many frames seen: for everything that can stand in the stack, and for
// the recall memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/statistics.h"

namespace longtake {

struct ContextCurve {
  struct Point {
    std::int64_t frames = 0;  // seen
    double ns_per_frame = 0;  // median over rounds
    std::int64_t state_bytes = 0;
  };
  std::string name;  // what the layers learn with, its rival's name, or recall:RULE
  // "single": frame by frame, as a stream comes; TTT layers and the recall memory as the program watches with them.
  // "forward": windows of 64 frames, as in training.
  std::string mode;
  std::vector<Point> points;
  Slope ns;                // of ns_per_frame, per frame seen
  double bytes_slope = 0;  // of state_bytes, per frame seen
  std::string cut_short;   // why the curve ends before the frames asked for; empty: it does not
};

struct ContextBenchRequest {
  std::vector<std::filesystem::path> models;  // at least one; the rivals take the first one's shape and fresh weights
  std::int64_t frames = 100000;               // the last point; 100 at least
  std::uint64_t limit_bytes = 8ull << 30;     // of one state. A step may take a few times as much beside it
  std::function<void(const ContextCurve&)> on_curve;  // null: nobody waits for one
};

// Random scenes that change now and then are shown frame by frame, points at 100, 300, 1,000, …. States are kept at every
// point, and all points are then timed round after round in changing order, so that a machine that gets slower with time
// does not look like a cost that grows with context. All of it on one thread. A state that grows (attention over everything)
// is not run to its size, which would take hours, but filled with as many rows as running would have left.
//
// Errors: kModel, kStopped, kUsage.
Result<std::vector<ContextCurve>> bench_context(const ContextBenchRequest& request, std::stop_token stop);

}  // namespace longtake
