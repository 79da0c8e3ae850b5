// How well a stack foresees a clip, frame by frame, beside what costs nothing to foresee.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "models/net/stack_net.h"
#include "models/train/clips.h"

namespace longtake {

// Mean squared errors per latent number of the frame that lies a horizon ahead.
struct HorizonError {
  bool known = false;  // the clip has such a frame
  double stack = 0;
  double running_means = 0;  // x + Σ_j a_j (m_j − x) alone, without what the layers add
  double persistence = 0;    // x
  double added = 0;          // mean square of what the layers add
};

struct WatchedFrame {
  std::int64_t seen = 0;               // frames of the clip up to this one, itself included
  double seconds = 0;                  // since the clip's first frame
  std::vector<HorizonError> horizons;  // as the model's config has them
  std::vector<double> before;          // inner loss of each layer before it learned from this frame; NaN: it has none
};

// Shows the stack a clip from its start, `fps` frames a second. Without gradients. A request to stop ends it early.
void watch_clip(const StackNet& net, const Clip& clip, double fps,
                const std::function<void(const WatchedFrame&)>& on_frame, std::stop_token stop = {});

}  // namespace longtake
