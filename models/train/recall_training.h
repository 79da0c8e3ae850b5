// Trains the recall memory: fills in hidden halves of frames, on streams of recall_streams.h.
#pragma once

#include <vector>

#include "models/recall/recall_net.h"
#include "models/train/recall_streams.h"
#include "models/train/trainer.h"

namespace longtake {

struct RecallTrainingOptions {
  RecallStreamOptions streams;
  double return_weight = 2;  // of the first frame of a return
  int judged_windows = 20;
  int shards = 4;
};

class RecallTraining final : public Trainee {
 public:
  // The net has to outlive this. Throws std::invalid_argument without clips.
  RecallTraining(RecallNet& net, LatentsOf latents, const Split& split, const RecallTrainingOptions& options);

  definition::Parameters& parameters() override { return net_.parameters(); }
  bool learns(std::string_view) const override { return true; }
  bool decays(std::string_view name) const override;
  int shards() const override { return static_cast<int>(states_.size()); }
  at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) override;
  std::string describe(std::int64_t step) const override;
  // "new" and "return": squared error of a frame's numbers, in units of their variance, at the first frame of a scene and
  // of a return to one.
  Figures judge(int threads) override;
  void save(TensorFile& file) const override;
  Result<void> load(const TensorFile& file) override;

 private:
  RecallNet& net_;
  RecallTrainingOptions options_;
  RecallStreams streams_;
  RecallStreams held_out_;
  std::vector<at::Tensor> states_;  // of each shard's rows
};

}  // namespace longtake
