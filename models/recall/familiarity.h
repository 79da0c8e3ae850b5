// "Have I seen this?": a memory that stands still, asked about frames.
//
// Note: From errors to a probability
//   A frame is asked about twice: of the memory (error e) and of one that has seen nothing (error e0, how hard the frame is
//   to guess at all). The odds that it was seen are a logistic function of both,
//     z = a log e + b log e0 + c,   familiarity = 1 / (1 + exp(-z)),
//   with a, b and c fitted (train/familiarity_fit.h) so that of what is given 0.8, 80 % were seen, where as much was seen as
//   was not. Errors are means over about a second, of which noise and single odd frames take less than of one frame.
//   A second of video is also better preserved than a picture by itself: its encoder borrows from frame to frame. The same
//   odds would give too much to a second of a room that was watched, showing what was not. So one more number is added to z
//   where several frames are averaged. It alone is fitted to seconds of the unwatched clips that look most like watched ones;
//   fitted to those, a and b would lose what they know of all other cases.
//   A clip's familiarity is the mean of its seconds': the share of it that was seen. Its best second would be a poorer
//   answer, since the more seconds there are, the likelier one of them is mistaken.
//   The percentile needs no fit: the share of frames of other videos, which ship with the model as plain latent numbers,
//   that this very memory finds less familiar.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/model_folder.h"
#include "models/recall/landmarks.h"
#include "models/recall/likeness.h"
#include "models/recall/recall_memory.h"
#include "models/recall/samples.h"

namespace longtake {

// Mean recall errors of a frame, or of some.
struct Evidence {
  double error = 0;  // of the memory
  double blank = 0;  // of a memory that has seen nothing
  std::int64_t frames = 1;  // that these are means over
};

struct FamiliarityScale {
  std::array<double, 3> weights{-20, 10, -26};  // of log error, log blank, 1; these are rough
  double several = 0;  // added where evidence is of several frames
  std::vector<float> background;  // [frames][frame_numbers] latents of other videos; empty: there are none
  std::vector<float> metric;      // [latent][latent] of likeness.h; empty: there is none
  bool fitted = false;            // to this model; false: familiarity is no more than a rank

  double odds(const Evidence& evidence) const;         // z, a logarithm
  double familiarity(const Evidence& evidence) const;  // 0 … 1
};

// Of the model's own folder; one that was not fitted, where that has none or one of other weights. Errors: kModel.
Result<FamiliarityScale> load_familiarity(const ModelFolder& folder);
// Into the folder, whose SHA256SUMS then name it. Errors: kUnexpected.
Result<void> write_familiarity(const ModelFolder& folder, const FamiliarityScale& scale);

// One thread; `weights` and `scale` have to outlive it.
class FrozenMemory {
 public:
  // `state` as an analyzer saved it. Errors: kModel.
  static Result<FrozenMemory> load(const RecallWeights& weights, const FamiliarityScale& scale, const TensorFile& state);

  // latents [tokens][latent] of a frame. The memory stays as it is.
  Evidence ask(std::span<const float> latents);
  const FamiliarityScale& scale() const noexcept { return *scale_; }
  // 0 … 100; NaN without a background.
  double percentile(const Evidence& evidence) const;
  // Of the background, each frame by itself.
  const std::vector<Evidence>& background() const noexcept { return background_; }

  const LandmarkState& landmarks() const noexcept { return landmarks_; }
  const Likeness& likeness() const noexcept { return likeness_; }
  const SampleState& samples() const noexcept { return samples_; }
  const RecallState& state() const noexcept { return memory_.state(); }

 private:
  FrozenMemory(const RecallWeights& weights, const FamiliarityScale& scale, LandmarkState landmarks, SampleState samples)
      : scale_(&scale), memory_(weights), blank_(weights), landmarks_(std::move(landmarks)),
        likeness_(landmarks_, scale.metric), samples_(std::move(samples)) {}

  const FamiliarityScale* scale_;
  RecallMemory memory_, blank_;
  LandmarkState landmarks_;
  Likeness likeness_;
  SampleState samples_;
  std::vector<Evidence> background_;
};

struct NearLandmark {
  std::int64_t which = 0;
  double score = 0;  // 0 … 1, 1: the very frame; see likeness.h
};

struct Answer {
  double familiarity = 0;  // mean over the seconds
  double odds = 0;         // mean of their logarithms: tells answers apart that are both next to 1
  double confidence = 0;   // 0.5 … 1: that "seen" (familiarity from .5 on) or "not seen" is right
  double percentile = 0;   // likewise a mean; NaN: not known
  std::int64_t seconds = 0, seen_seconds = 0;
  double seen_from = 0, seen_to = 0;  // first and last frame of the seconds that were seen: seconds of what was asked about
  std::vector<NearLandmark> nearest;  // to the most familiar second, best first; none of them within 2 s of a better one
};

// What is asked about, frame by frame. Of its frames nothing is kept.
class Question {
 public:
  explicit Question(FrozenMemory& memory) : memory_(memory) {}

  // Frames belong to the same second until a whole one has passed, or time runs backwards.
  void add(double t, std::span<const float> latents);
  // Throws std::invalid_argument if there was no frame.
  Answer answer(std::size_t most_landmarks);

 private:
  struct Second {
    double first_t = 0, last_t = 0;
    std::int64_t frames = 0;
    Evidence evidence;          // sums, then means
    std::vector<double> alike;  // likewise, to each landmark
  };

  void close();
  std::vector<NearLandmark> nearest(std::size_t most) const;

  FrozenMemory& memory_;
  Second open_, best_;
  double best_odds_ = 0;
  Answer sums_;
};

}  // namespace longtake
