// Walks frame memories through visits to places and back, and asks what they remember. With LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/baselines/frame_memory.h"
#include "models/eval/recall.h"
#include "models/train/clips.h"
#include "models/train/recall_streams.h"
#include "models/train/training.h"

namespace longtake {

// A place: a clip at RecallProtocol::fps, on one of the views of the token grid.
struct Place {
  std::int64_t frames = 0;
  std::function<at::Tensor(std::int64_t frame)> latents;  // [tokens][latent]
};

// Every clip `views` times: as it is, then turned and mirrored. Clips too short for a visit and a return are left out
// with a note.
std::vector<Place> places_of(const std::vector<Clip>& clips, int views, const LatentsOf& latents, const Note& note);

// Variance of a latent number about its own mean over all places, mean over numbers: what guessing that mean would cost.
double latent_variance(std::span<const Place> places);

struct Contestant {
  std::string name;
  std::unique_ptr<FrameMemory> fresh;
};

struct RecallProtocol {
  static constexpr double kFps = 7.5;
  std::uint64_t seed = 1;
  int visit = 5;  // frames
  // A visit and the return to it lie in one scene, a stretch of so many frames, as those of recall_streams.h do.
  int shortest_scene = 12;
  int longest_scene = 39;
  // A later return comes so long after the visit's end, where the clip is long enough.
  double least_later_s = 3;
  double most_later_s = 10;
  int trials = 200;
  std::vector<int> between{1, 2, 4, 8, 16, 32};
  int streams = 12;  // for the minutes, each with `stream_places` places to return to
  int stream_places = 8;
  std::vector<double> minutes{1, 3, 6, 12};
  int draws = 20;     // for familiarity
  int familiar = 32;  // watched, of
  int shown = 50;
  int look = 8;     // frames at most: about a second
  int threads = 1;  // results do not depend on it
};

// Errors: kInput (fewer than three places), kStopped.
Result<RecallCurves> run_recall_protocol(std::span<const Place> places, std::span<const Contestant> contestants,
                                         const RecallProtocol& protocol, const Note& note, std::stop_token stop);

}  // namespace longtake
