// What the recall memory is trained on: streams of visits to scenes, with returns. A scene is a short stretch of a clip,
// changed so much that no two are alike: turned and mirrored on the grid of tokens, its contrast and its place mixed with
// another's, halves replaced, numbers flipped in sign. So the memory cannot know places by heart; it has to remember.
//
// The window of a step is a function of the seed and the step alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/train/clips.h"
#include "models/train/random.h"

namespace longtake {

struct RecallStreamOptions {
  std::uint64_t seed = 1;
  int rows = 8;
  int frames = 40;     // a window
  int windows = 10;    // a stream
  double fps = 7.5;
  double returns = 0.6;    // share of visits that go back to a scene seen before
  double longest_gap = 5.2;  // log2 of how many scenes lie between
  int shortest_visit = 1;  // frames
  int longest_visit = 5;
  double noise = 0.08;     // of every number
};

struct RecallBatch {
  at::Tensor x;          // [B][T][tokens][latent]
  at::Tensor is_new;     // [B][T] 1 at the first frame of a scene never seen before
  at::Tensor is_return;  // [B][T] 1 at the first frame of a return
  at::Tensor fresh;      // [B] bool: the row's stream begins with this window
};

// One of the eight ways to turn and mirror the 4x4 grid of tokens, 0 … 7; 0 leaves it. [16]: token i comes from the one it
// names.
at::Tensor turned_grid(std::int64_t which);

// Latent tokens of frames [n][tokens][latent].
using LatentsOf = std::function<at::Tensor(const Features&, std::span<const std::int64_t> frames)>;

class RecallStreams {
 public:
  // Throws std::invalid_argument without clips.
  RecallStreams(LatentsOf latents, std::vector<Clip> clips, RecallStreamOptions options);

  // Rows `first` … `first + rows` − 1 of a step. Any thread.
  RecallBatch batch(std::int64_t step, std::int64_t first, std::int64_t rows) const;
  // Which clips those rows show, for people.
  std::string describe(std::int64_t step) const;
  // Variance of a latent number, on average.
  double variance() const { return variance_; }
  const RecallStreamOptions& options() const noexcept { return options_; }

 private:
  struct Row;
  Row row(std::int64_t step, std::int64_t number) const;
  // Everything random about a scene; first of all, its clip.
  Random of_scene(std::uint64_t row, std::uint64_t life, std::uint64_t number) const;
  at::Tensor scene(std::uint64_t row, std::uint64_t life, std::uint64_t number) const;
  const Clip& any_clip(Random& random) const;

  LatentsOf latents_;
  std::vector<Clip> clips_;
  RecallStreamOptions options_;
  at::Tensor spread_;  // [latent] standard deviation of each number
  double variance_ = 1;
};

}  // namespace longtake
