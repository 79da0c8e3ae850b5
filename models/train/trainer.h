// The outer loop, for anything that can be trained: steps of AdamW with warm-up and a cosine, gradients cut to a length,
// early stop on what nobody trains on, checkpoints that go on to the same bits.
//
// The work of a step is cut into shards, each with a graph of its own, which are worked on side by side. How many there
// are does not depend on the number of threads, and their gradients are summed in order: no more does the result.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/train/training.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

// What is trained. One thread but for loss().
class Trainee {
 public:
  virtual ~Trainee() = default;
  virtual definition::Parameters& parameters() = 0;
  // Whether it is trained at all, and whether weight decay pulls at it.
  virtual bool learns(std::string_view name) const = 0;
  virtual bool decays(std::string_view name) const = 0;
  virtual int shards() const = 0;
  // What a shard has to say about a step, with its graph; the loss is the mean over the shards, and so are `parts`. With
  // these values of the parameters. What the shard's streams carry from window to window moves on. Any thread, shards at
  // once.
  virtual at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) = 0;
  // Which material step `step` looks at, for a message about it.
  virtual std::string describe(std::int64_t step) const = 0;
  // On what nobody trains on: "score", the less the better, and whatever else is worth telling.
  virtual Figures judge(int threads) = 0;
  // Called at the end of it all, when the best parameters are in place: what is fitted to them in closed form.
  virtual void finish(int /*threads*/) {}
  // What streams carry.
  virtual void save(TensorFile& file) const = 0;
  virtual Result<void> load(const TensorFile& file) = 0;
};

// Sets up this process: LibTorch and its BLAS to one thread each, since shards are what runs side by side; the heap keeps
// what a step gives back, instead of fetching it page by page from the system for the next one.
void prepare_for_training();

// Leaves the best parameters in the trainee, and the checkpoint to whoever brings them to a safe place. Errors: kUnexpected (a loss that is not finite,
// with its step and material; a checkpoint cannot be written), kModel (the checkpoint is damaged or of other settings),
// kStopped (after a checkpoint).
Result<TrainerOutcome> train(Trainee& trainee, const TrainerOptions& options,
                             const std::function<void(const TrainerStep&)>& on_step, std::stop_token stop);

// How patient to be with a training of so many steps: 4 judgements, or a quarter of it if that is longer, since the low
// rates at its end, which may bring the most, are then still to come.
std::int64_t usual_patience(const TrainerOptions& options);

// The rate of step 0 … steps − 1.
double scheduled_rate(const TrainerOptions& options, std::int64_t step);

}  // namespace longtake
