// Trains the stack: predicts latent tokens at each horizon, on streams of stack_streams.h.
#pragma once

#include <vector>

#include "models/train/stack_streams.h"
#include "models/train/trainer.h"

namespace longtake {

struct StackTrainingOptions {
  StackStreamOptions streams;
  bool fit_means = true;
  int shards = 4;
  double cap = 6;  // an error counts for at most so many times what persistence costs: a cut teaches nothing
};

class StackTraining final : public Trainee {
 public:
  // The net has to outlive this; with `fit_means` its shares of the running means are set here. Throws std::invalid_argument without clips.
  StackTraining(StackNet& net, const Split& split, const StackTrainingOptions& options);

  definition::Parameters& parameters() override { return net_.parameters(); }
  // The shares of the running means have a closed form, see mean_weights.h.
  bool learns(std::string_view name) const override { return name != "mean_weights"; }
  bool decays(std::string_view name) const override;
  int shards() const override { return static_cast<int>(states_.size()); }
  at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) override;
  std::string describe(std::int64_t step) const override;
  Figures judge(int threads) override;
  void save(TensorFile& file) const override;
  Result<void> load(const TensorFile& file) override;

 private:
  StackNet& net_;
  StackTrainingOptions options_;
  StackStreams streams_;
  std::vector<Clip> held_out_;
  std::vector<NetState> states_;  // of each shard's rows
};

// Mean squared error of the stack's predictions against that of "no change" over whole clips, each watched from its
// start at `fps`: per horizon, "NAME_s". Without gradients.
Figures prediction_error(const StackNet& net, const std::vector<Clip>& clips, double fps, int threads);

}  // namespace longtake
