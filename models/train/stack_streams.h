// What the stack is trained on: streams cut from clips, several side by side, in windows that follow one another.
//
// The window of a step is a function of the seed and the step alone, so a training goes on anywhere. A stream lasts
// `windows` windows and is a chain of stretches, each from one clip at the stream's frame rate; where a stretch ends with
// its clip the next one begins, as in edited video. Half of the streams are moved to another scene: the difference of two
// random frames is added to everything in them. Without that the stack learns the training places by heart and is worse
// than the last frame in new ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/net/stack_net.h"
#include "models/train/clips.h"

namespace longtake {

struct StackStreamOptions {
  std::uint64_t seed = 1;
  int rows = 8;      // streams side by side
  int frames = 28;   // a window
  int windows = 4;   // a stream
  std::vector<double> fps{12.5, 12.5, 4, 1.5};  // of a stream, one of these
  double scene_shift = 0.5;                     // share of streams
};

struct StackBatch {
  at::Tensor x;           // [B][T][tokens][latent]
  at::Tensor dt;          // [B][T] seconds
  at::Tensor targets;     // [horizons][B][T][tokens][latent]: the frame nearest to t + horizon
  at::Tensor has_target;  // [horizons][B][T] 1, or 0 where the clip has no such frame
  at::Tensor fresh;       // [B] bool: the row's stream begins with this window
};

// Short looks at what a row's window has shown and at what it has not, each changed as degrade.h does.
struct ProbeBatch {
  at::Tensor seen;       // [B][Q][tokens][latent] frames of the window
  at::Tensor other;      // the same of another clip
  at::Tensor dt;         // [B][Q] seconds, 0 first
  at::Tensor has_other;  // [B] 1, or 0 where there is no other clip
};

class StackStreams {
 public:
  // `net` for its projection and horizons; it has to outlive this. Throws std::invalid_argument without clips.
  StackStreams(const StackNet& net, std::vector<Clip> clips, StackStreamOptions options);

  // Rows `first` … `first + rows` − 1 of a step. Any thread.
  StackBatch batch(std::int64_t step, std::int64_t first, std::int64_t rows) const;
  // For the rows as batch() gives them, `frames` each.
  ProbeBatch probes(std::int64_t step, std::int64_t first, std::int64_t rows, std::int64_t frames) const;
  // Where those rows are from, for people.
  std::string describe(std::int64_t step) const;
  const StackStreamOptions& options() const noexcept { return options_; }
  // Mean squared difference of a latent number over each horizon: what predicting "no change" costs.
  const std::vector<double>& persistence() const { return persistence_; }

 private:
  struct Row;
  Row row(std::int64_t step, std::int64_t number) const;

  const StackNet& net_;
  std::vector<Clip> clips_;
  StackStreamOptions options_;
  std::vector<double> ends_;  // of the clips, laid end to end, in frames: to pick one by its length
  std::vector<double> persistence_;
};

// The frame `horizon_s` after `frame`, or −1 if the clip has none near that time.
std::int64_t frame_after(const Clip& clip, std::int64_t frame, double horizon_s);

}  // namespace longtake
