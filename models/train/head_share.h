// How much of what the layers add to the running means' prediction is worth having where nobody trained, in closed form.
//
// From minutes of video the head learns places by heart before it learns anything else, and the sum comes out worse than
// the running means alone. Its share is 1 where what it learned holds elsewhere, and 0 where nothing of it does.
#pragma once

#include <vector>

#include "models/net/stack_net.h"
#include "models/train/clips.h"

namespace longtake {

struct HeadShare {
  double seconds = 0;  // the horizon
  double share = 1;    // 0 … 1: s that makes x + Σ_j a_j (m_j − x) + s · head nearest to what came, by least squares
  double error = 0;    // of that, mean square as a fraction of persistence's; NaN: no clip is so long
};

// Of each horizon, over clips that are each watched from their start at `fps`. Without gradients. Results do not depend on
// `threads`.
std::vector<HeadShare> fit_head_shares(const StackNet& net, const std::vector<Clip>& clips, double fps, int threads);

// Makes them part of the head's weights.
void take_head_shares(StackNet& net, const std::vector<HeadShare>& shares);

}  // namespace longtake
