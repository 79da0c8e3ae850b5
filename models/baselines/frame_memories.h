// Frame memories that need no training: plain tricks, to be shown beside everything that learned. And the recall memory as
// one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/baselines/frame_memory.h"
#include "models/recall/recall_net.h"

namespace longtake {

struct FrameMemoryOptions {
  double mean_frames = 150;  // running-mean: how many frames it stands for
  int slots = 32;            // slots-…, 2 to 4096
  double known = 0.5;        // slots-abstain: mean squared difference of a number, in units of its variance
};

// Before the first write all of them answer 0, the mean of latent numbers.
//
//   running-mean    the mean frame: of all frames at first, then m ← m + (x − m) / mean_frames
//   persistence     the last frame
//   knn             every frame is kept. Of each half in view the nearest stored one answers with its other half. The
//                   distance is that of Euclid: the cosine does as well on returns and worse on what is new
//   slots-lru       the same with `slots` frames: each frame is written, over the one that was longest not the nearest
//                   of any frame written
//   slots-merge     each frame is written, and where there is no room the two nearest of all become their mean
//   slots-abstain   a frame is written only if it differs from all that are kept by `known` or more, over the one that was
//                   longest not found again
std::vector<std::string> frame_memory_names();
// Errors: std::invalid_argument (no such memory; options without sense).
std::unique_ptr<FrameMemory> make_frame_memory(const std::string& name, const FrameMemoryOptions& options = {});

// A trained recall memory of any rule, from the start of a stream.
std::unique_ptr<FrameMemory> recall_frame_memory(std::shared_ptr<const RecallNet> net);

}  // namespace longtake
