// Trains the shot head of shot_head.h on made-up films.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/train/shot_streams.h"
#include "models/train/trainer.h"

namespace longtake {

struct ShotTrainingOptions {
  int rows = 16;     // windows a step
  int window = 128;  // slots that are judged
  int shards = 2;
  double positive_weight = 3;  // of slots that are part of a transition, in the loss
  double offset = 0.15;        // spread of what is added to each signal of a window
  double dropout = 0.3;        // of the channels after the first convolution
  std::uint64_t seed = 1;
};

// The net in LibTorch, as shot_head.h computes it slot by slot: signals [B][kCount][slots], z-scored and cut, → logits
// [B][2][slots − 2 · kShotDelay]. `keep` [B][kChannels][1]: what the first convolution's channels are multiplied by; may be
// undefined.
at::Tensor shot_logits(const definition::Parameters& parameters, const at::Tensor& signals, const at::Tensor& keep);

class ShotTraining final : public Trainee {
 public:
  ShotTraining(std::vector<ShotStream> train, std::vector<ShotStream> held_out, const ShotTrainingOptions& options);

  definition::Parameters& parameters() override { return parameters_; }
  bool learns(std::string_view name) const override { return !name.starts_with("signals."); }
  bool decays(std::string_view name) const override { return name.ends_with(".weight"); }
  int shards() const override { return options_.shards; }
  at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) override;
  std::string describe(std::int64_t step) const override;
  // "score": the loss. "f1": of the events that come of it. "false_alarms": an hour, where slots come 25 a second.
  Figures judge(int threads) override;
  void save(TensorFile&) const override {}
  Result<void> load(const TensorFile&) override { return {}; }

  TensorFile weights() const;

 private:
  struct Material {
    std::vector<ShotStream> streams;
    std::vector<at::Tensor> signals;  // [kCount][slots + what the head has before and after], z-scored and cut
    std::vector<at::Tensor> targets;  // [2][slots]
    std::vector<at::Tensor> weights;  // likewise
  };
  Material material_of(std::vector<ShotStream> streams) const;

  ShotTrainingOptions options_;
  definition::Parameters parameters_;
  Material train_, held_out_;
};

}  // namespace longtake
