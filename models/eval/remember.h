// Whether the TTT layers of a stack tell what they watched from what they did not.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/eval_request.h"
#include "models/train/training.h"

namespace longtake {

struct RememberFigures {
  // Seconds of video that were watched, against as many seconds of clips that were not.
  struct Group {
    std::string against;     // "other_kind", "same_kind", "same_room": where the other clips are from
    std::int64_t clips = 0;  // watched, that have such others
    std::int64_t seen = 0;   // questions about what was watched
    std::int64_t asked = 0;  // and about what was not
    Compared auroc;          // that the former are the more familiar
  };
  std::vector<Group> groups;   // those that there are videos for, the easiest first
  std::int64_t clips = 0;      // that are long enough
  std::int64_t stretches = 0;  // watched
};

// A fresh stack watches a stretch of a clip, about five seconds; then its memory, which now stands still, is asked about
// seconds of that stretch and of other clips, all of them degraded as degrade.h does, so that no frame is asked about as it
// was watched. Familiar is what the layers' inner loss is small for: log inner loss of a memory that has seen nothing − log
// inner loss, mean over frames and layers. See remember_protocol.h.
//
// Compared are the models, each under the name of what its layers learn with, and what costs next to nothing: "mean_frame",
// to which those frames are familiar that lie near the mean of the watched ones.
//
// Where videos lie says how alike they are, KIND/ROOM/VIDEO: another video of the same folder is of the same room, one of
// a folder beside it is of the same kind, and any other is of another kind. Paths count as given, links are not followed;
// a file that is there twice counts once.
//
// Errors: kModel (a model's layers have no inner loss; another latent space), kInput (fewer than two clips of 32 frames at
// 12.5 a second), kUnexpected, kStopped.
Result<RememberFigures> evaluate_remember(const EvalRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
