// Made-up films to train the shot head on: pieces of videos of one shot each, put together with transitions of every kind
// and disturbed by everything that is none. What is true of them is known to the frame, because it was made.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/eval/boundary_match.h"
#include "models/shots/shot_signals.h"
#include "models/train/training.h"

namespace longtake {

struct ShotStreamOptions {
  int films = 64;        // of pieces; and one of each video as it is, in which nothing begins
  double seconds = 60;   // each
  std::uint64_t seed = 1;
  int threads = 2;
};

// A film as the shot head sees it, slot by slot.
struct ShotStream {
  std::string what;             // for messages
  std::vector<float> signals;   // [slots][ShotSignals::kCount]
  std::vector<float> targets;   // [slots][2]: transition, cut
  std::vector<float> weights;   // [slots][2]: what each of them counts
  std::vector<TimeSpan> truths;  // the slots in which an event would hit a transition

  std::int64_t slots() const { return static_cast<std::int64_t>(weights.size() / 2); }
};

// Frames are decoded, put together and encoded on `threads` threads; the same films whatever their number. `on_film`: so
// many are done. Errors: those of open_source(), kStopped.
Result<std::vector<ShotStream>> make_shot_streams(const Encoder& encoder, const std::vector<std::string>& videos,
                                                  const ShotStreamOptions& options, std::stop_token stop,
                                                  const std::function<void(int done, int of)>& on_film);

// On disk, so that a training that was interrupted need not make them again. Errors of loading: kModel.
TensorFile stored_streams(const std::vector<ShotStream>& streams);
Result<std::vector<ShotStream>> load_streams(const TensorFile& file);

}  // namespace longtake
