// What a training is asked for and what it tells, as plain data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "models/videos.h"

namespace longtake {

using Figures = std::map<std::string, double>;  // by name

struct TrainerOptions {
  std::int64_t steps = 160;
  double rate = 3e-3;       // at its peak
  double warm_up = 0.1;     // share of the steps in which the rate rises from 0
  double last_rate = 0.01;  // of the peak, at the end of the cosine
  double weight_decay = 0.05;
  double clip = 1;  // longest gradient
  std::int64_t judge_every = 20;
  std::optional<std::int64_t> patience;  // judgements in a row without a better one, then it ends; none: usual_patience()
  bool keep_last = false;  // whatever is judged best: the last step's weights
  std::optional<double> budget_s;    // ends after so many seconds of work, this run's and those before
  std::filesystem::path checkpoint;  // empty: none. Written every `checkpoint_every_s`, gone on with when it is there
  double checkpoint_every_s = 30;
  int threads = 2;
  std::string settings;  // what the result depends on, in words: a checkpoint of other settings is refused
};

struct TrainerStep {
  std::int64_t step = 0;  // done, 1 …
  std::int64_t steps = 0;
  double seconds = 0;  // of work so far
  double loss = 0;
  double rate = 0;
  double gradient = 0;  // its length before it was cut
  Figures parts;
  std::optional<Figures> judged;
};

struct TrainerOutcome {
  std::int64_t steps = 0;      // done
  std::int64_t best_step = 0;  // whose parameters were kept
  double best_score = 0;
  Figures best;
  double seconds = 0;
  std::string ended;  // "steps", "no better", "budget"
};

}  // namespace longtake
