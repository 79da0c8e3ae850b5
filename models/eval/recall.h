// What memories still know of a place when they come back to it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/eval/eval_request.h"
#include "models/train/training.h"

namespace longtake {

// A return is to any moment of the scene that a visit showed a part of, as in training (recall_streams.h). Errors are those of
// its first frame, half filled in from the other half and the memory, as fractions of the variance of the features: 0 is
// perfect, 1 is what guessing their mean would cost. The same is asked of frames that lie further from what was shown:
// `unshown` are frames of the same scene of which none was shown, `later` ones follow 3 to 10 s after the visit.
struct RecallCurves {
  struct Return {
    int n = 0;  // other places in between
    std::int64_t trials = 0;
    Compared error, standard_error, unshown, later;
  };
  struct Minutes {
    double minutes = 0;  // of other video in between
    std::int64_t trials = 0;
    Compared error, standard_error, unshown, later, state_bytes;
  };
  // Which of `places` places were among the `watched` ones, by how well a frozen memory fills in about a second of each.
  struct Familiarity {
    int watched = 0;
    int places = 0;
    Compared auroc, standard_error, unshown, later;
  };
  int places = 0;
  Compared fresh, fresh_standard_error;  // the first frame of a place never seen, after all the others of a trial
  std::vector<Return> returns;
  std::vector<Minutes> minutes;
  Familiarity familiarity;
  Compared state_bytes;  // after the last of `returns`
};

struct RecallRequest {
  EvalRequest eval;
  // Beside the learned ones: running_mean, persistence, knn, slotsN, slotsN_merge, slotsN_abstain as frame_memories.h has
  // them, and none, which is the first learned one without anything written. Empty: all of these, with 32 slots.
  std::vector<std::string> rivals;
  int views = 8;  // of each clip: 1 … 8
};

// Every video is a place; turned and mirrored on the token grid it counts as further places. See recall_protocol.h for
// what is shown to whom. Learned memories come from the models' recall parts and are named by their rule.
//
// Errors: kModel (a model has no recall part; another latent space), kInput, kUsage (no such rival), kUnexpected, kStopped.
Result<RecallCurves> evaluate_recall(const RecallRequest& request, const Note& note, std::stop_token stop);

}  // namespace longtake
