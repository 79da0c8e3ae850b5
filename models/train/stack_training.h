// Trains the stack: to predict latent tokens at each horizon, and to remember, on streams of stack_streams.h.
//
// Prediction alone makes inner losses that say nothing about what was seen. So the memory that a window leaves behind is
// asked about degraded frames of that window and of another clip; the loss is the softplus of how much less familiar the
// former are to each layer.
#pragma once

#include <optional>
#include <vector>

#include "models/train/stack_streams.h"
#include "models/train/trainer.h"

namespace longtake {

struct StackTrainingOptions {
  StackStreamOptions streams;
  bool fit_means = true;
  int shards = 4;
  double remember = 0.5;  // weight of telling what was seen from what was not, by the inner losses
  int probe_frames = 2;
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
  // Errors at each horizon against persistence's, with as much of the head as finish() leaves; "told": share of pairs of
  // probes in which what was seen is the more familiar, whichever rows they are of; "remember": the loss of that.
  Figures judge(int threads) override;
  // See head_share.h.
  void finish(int threads) override;
  void save(TensorFile& file) const override;
  Result<void> load(const TensorFile& file) override;

 private:
  StackNet& net_;
  StackTrainingOptions options_;
  StackStreams streams_;
  std::vector<Clip> held_out_;
  std::optional<StackStreams> held_out_streams_;
  std::vector<NetState> states_;  // of each shard's rows
};

}  // namespace longtake
