// How much of each running mean a prediction should take, in closed form.
//
// Next-frame prediction of frozen features is mostly this (see stack.h): what can be had without gradients is had first,
// and stays as it is. Shares learned by gradients from minutes of video come out worse in other places.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "models/net/stack_net.h"
#include "models/train/clips.h"

namespace longtake {

// a [horizons][means] that makes x + Σ_j a_Dj (m_j − x) nearest to x one horizon later, by least squares over the clips,
// each watched from its start. `persistence` [horizons]: mean squared difference over each horizon; what is more than `cap`
// times that is a cut, and left out.
at::Tensor fit_mean_weights(const StackNet& net, const std::vector<Clip>& clips, double fps,
                            const std::vector<double>& persistence, double cap);

}  // namespace longtake
