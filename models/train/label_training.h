// Trains the net of label_net.h on labelled stretches of video.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "models/eval/labels.h"
#include "models/train/clips.h"
#include "models/train/trainer.h"

namespace longtake {

// A video cut into slots of LabelNetWeights::kSlot seconds.
struct LabelledVideo {
  std::vector<std::shared_ptr<const Features>> views;  // the plain one first; the same frames in each
  std::vector<std::int64_t> frames;                    // [slots] the one nearest to a slot's moment
  std::vector<std::string> truth;  // [slots] label; empty: none, which is neither learned from nor judged
};
LabelledVideo labelled_video(std::vector<std::shared_ptr<const Features>> views, const std::vector<TrueEvent>& truth);

struct LabelTrainingOptions {
  int rows = 8;       // windows a step, of each net its own
  int window = 192;   // slots
  int before = 1000;  // slots before a window that its running means begin at: 80 s
  int unjudged = 8;   // slots at its beginning, which have too little behind them
  int shards = 2;
  double balance = 0.5;     // a class counts (1 / its share)^balance
  double smoothing = 0.05;  // of the truth, over all classes
  double noise = 0.1;       // of x and the means: as a factor and as a summand
  double dropout = 0.4;     // of a frame's numbers; half of it of a token's and of what convolutions add
  std::uint64_t seed = 1;
};

// One of the nets in LibTorch: x and its means, [B][T][tokens][parts · latent], → logits [B][T][labels]. `drop` is what to
// do with activations while training; it takes them and the share to drop.
using Drop = std::function<at::Tensor(const at::Tensor& activations, double share)>;
at::Tensor label_logits(const definition::Parameters& parameters, int net, const at::Tensor& inputs,
                        const Drop& drop = {});
// What the net is given of `count` slots from `first` on, [count][tokens][parts · latent]: its running means begin `before`
// slots earlier, if there are so many.
at::Tensor label_inputs(const definition::Parameters& parameters, const LabelledVideo& video, std::size_t view,
                        std::int64_t first, std::int64_t count, std::int64_t before);

class LabelTraining final : public Trainee {
 public:
  // `judged` may be empty: nothing is held out, and what is learned from is judged instead.
  LabelTraining(std::vector<std::string> names, std::vector<LabelledVideo> train, std::vector<LabelledVideo> judged,
                const LabelTrainingOptions& options);

  definition::Parameters& parameters() override { return parameters_; }
  bool learns(std::string_view name) const override { return !name.starts_with("tokens."); }
  bool decays(std::string_view name) const override { return name.ends_with(".weight"); }
  int shards() const override { return options_.shards; }
  at::Tensor loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures& parts) override;
  std::string describe(std::int64_t step) const override;
  // "score": 1 − accuracy. "accuracy", "macro_f1".
  Figures judge(int threads) override;
  void save(TensorFile&) const override {}
  Result<void> load(const TensorFile&) override { return {}; }

  TensorFile weights() const;
  // What the net, as it is used, says of videos.
  LabelCounts counts(const std::vector<LabelledVideo>& videos, int threads) const;

 private:
  at::Tensor loss_of(int net, std::int64_t step, int shard, const definition::Parameters& parameters) const;

  std::vector<std::string> names_;
  std::vector<LabelledVideo> train_, judged_;
  std::vector<std::vector<std::int64_t>> targets_;  // of train_: [slots] which name; −1: none
  std::vector<std::int64_t> ends_;                  // slots of all of them, end to end
  at::Tensor class_weights_;                        // [names]
  double labelled_ = 1;                             // share of the slots of train_
  LabelTrainingOptions options_;
  definition::Parameters parameters_;
};

// The plain rival: a linear map of the encoder's vector of a frame and of its mean over 3 s, by ridge regression. How much
// it is held back is chosen by leaving every fourth video out.
LabelCounts linear_probe(const std::vector<std::string>& names, const std::vector<LabelledVideo>& train,
                         const std::vector<LabelledVideo>& judged);

struct LabelTrainRequest {
  std::filesystem::path base;   // model folder, for its encoder
  std::filesystem::path truth;  // video,start_s,end_s,label
  std::filesystem::path root;   // of the videos; empty: the truth's folder
  std::string column = "label";
  std::string split;  // rows to learn from; empty: all
  std::string
      validation;    // split to judge by: the best step is kept, and the training ends early. Empty: the last step
  std::string test;  // split that figures are told of at the end and that nothing else looks at; empty: none
  std::vector<FrameView> views{FrameView::kPlain, FrameView::kMirrored, FrameView::kUpsideDown};
  std::filesystem::path output;  // file of labels
  std::uint64_t seed = 1;
  FeatureCacheOptions cache;
  TrainerOptions how;  // `settings` is filled in
  int threads = 2;
};
struct LabelTrainOutcome {
  TrainerOutcome trained;
  std::vector<std::string> names;
  std::optional<LabelCounts> net, probe;  // of the split `test`
};
// Errors: kInput, kModel, kUsage, kUnexpected, kStopped (the same request goes on).
Result<LabelTrainOutcome> train_labels(const LabelTrainRequest& request, const Note& note,
                                       const std::function<void(const TrainerStep&)>& on_step, std::stop_token stop);

}  // namespace longtake
