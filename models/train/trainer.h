// The outer loop, for anything that can be trained: steps of AdamW with warm-up and a cosine, gradients cut to a length,
// early stop on what nobody trains on, checkpoints that go on to the same bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

using Figures = std::map<std::string, double>;  // by name

// What is trained. One thread.
class Trainee {
 public:
  virtual ~Trainee() = default;
  virtual definition::Parameters& parameters() = 0;
  // Whether weight decay pulls at it.
  virtual bool decays(std::string_view name) const = 0;
  // The loss of a step, with its graph. What streams carry from window to window moves on.
  virtual at::Tensor loss(std::int64_t step, Figures& parts) = 0;
  // Which material step `step` looks at, for a message about it.
  virtual std::string describe(std::int64_t step) const = 0;
  // On what nobody trains on: "score", the less the better, and whatever else is worth telling.
  virtual Figures judge() = 0;
  // What streams carry.
  virtual void save(TensorFile& file) const = 0;
  virtual Result<void> load(const TensorFile& file) = 0;
};

struct TrainerOptions {
  std::int64_t steps = 160;
  double rate = 3e-3;      // at its peak
  double warm_up = 0.1;    // share of the steps in which the rate rises from 0
  double last_rate = 0.01;  // of the peak, at the end of the cosine
  double weight_decay = 0.05;
  double clip = 1;
  std::int64_t judge_every = 20;
  std::int64_t patience = 4;  // judgements in a row without a better one, then it ends
  std::optional<double> budget_s;  // ends after so many seconds of work, this run's and those before
  std::filesystem::path checkpoint;  // empty: none. Written every `checkpoint_every_s`, gone on with when it is there
  double checkpoint_every_s = 30;
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
  std::int64_t steps = 0;       // done
  std::int64_t best_step = 0;   // whose parameters the trainee is left with
  double best_score = 0;
  Figures best;
  double seconds = 0;
  std::string ended;  // "steps", "no better", "budget"
};

// Leaves the best parameters in the trainee and removes the checkpoint. Errors: kUnexpected (a loss that is not finite,
// with its step and material; a checkpoint cannot be written), kModel (the checkpoint is damaged or of other settings),
// kStopped (after a checkpoint).
Result<TrainerOutcome> train(Trainee& trainee, const TrainerOptions& options,
                             const std::function<void(const TrainerStep&)>& on_step, std::stop_token stop);

// The rate of step 0 … steps − 1.
double scheduled_rate(const TrainerOptions& options, std::int64_t step);

}  // namespace longtake
