// A loaded model: weights of encoder, stack, recall memory and shot head, const and shared by every stream.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/pipeline/stages.h"
#include "core/result.h"
#include "models/encoder/encoder.h"
#include "models/labels/label_head.h"
#include "models/labels/label_net.h"
#include "models/model_folder.h"
#include "models/recall/deviation.h"
#include "models/recall/familiarity.h"
#include "models/recall/landmarks.h"
#include "models/recall/recall_memory.h"
#include "models/shots/shot_watcher.h"
#include "models/recall/samples.h"
#include "models/stack.h"

namespace longtake {

class Model {
 public:
  // Errors: kModel.
  static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& folder);

  const ModelFolder& folder() const noexcept { return folder_; }
  const Encoder& encoder() const noexcept { return encoder_; }
  const StackWeights& stack() const noexcept { return stack_; }
  const RecallWeights* recall() const noexcept { return recall_ ? &*recall_ : nullptr; }  // null: the model has none
  const ShotWeights* shots() const noexcept { return shots_ ? &*shots_ : nullptr; }       // likewise

 private:
  Model(ModelFolder folder, Encoder encoder, StackWeights stack, std::optional<RecallWeights> recall,
        std::optional<ShotWeights> shots)
      : folder_(std::move(folder)),
        encoder_(std::move(encoder)),
        stack_(std::move(stack)),
        recall_(std::move(recall)),
        shots_(std::move(shots)) {}

  ModelFolder folder_;
  Encoder encoder_;
  StackWeights stack_;
  std::optional<RecallWeights> recall_;
  std::optional<ShotWeights> shots_;
};

// Checks all that is in a folder, also of a model that cannot watch (see has_ttt_layers() and recall_rule_is_rival()).
// Errors: kModel.
Result<ModelFolder> verify_model(const std::filesystem::path& folder);

struct AnalyzerOptions {
  bool scene = true;  // also run the encoder's own classifier
  // Polygons of x, y in 0..1 of the upright picture. Pixels outside every `roi` (if there is one) or inside a `mask`
  // are black before anything looks at them.
  std::vector<std::vector<std::array<double, 2>>> roi;
  std::vector<std::vector<std::array<double, 2>>> mask;
  bool maps = false;  // also say which parts of the picture are new
  PlainSignalChoice signals{};
  bool landmark_pictures = true;  // false: no picture is kept in the state, and those in a restored one are wiped out
  std::shared_ptr<const LabelHead> labels = nullptr;  // also say which of these labels fit
};

// The model at work on one stream.
class ModelAnalyzer final : public Analyzer {
 public:
  ModelAnalyzer(std::shared_ptr<const Model> model, const AnalyzerOptions& options);

  // What the next frames belong to, for landmarks. `video` counts the videos that this memory has watched, from 1.
  void begin_source(std::string_view name, Rational time_base, std::int64_t video);

  // Every frame from now on is also called by the net's names. Before a state is restored that has watched with this very
  // net; after one that has not.
  void watch_labels(std::shared_ptr<const LabelNetWeights> net);

  // Every frame from now on is also asked about of another memory, by itself, whose scale has to outlive this. Throws
  // std::invalid_argument if the model has no recall memory.
  void compare_with(FrozenMemory memory);

  std::unique_ptr<FrameEncoder> make_encoder() const override;
  Observation watch(const FrameTime& time, const Encoded& frame) override;
  std::vector<ShotVerdict> flush() override;
  void discontinue() override;
  void save(TensorFile& file) const override;
  std::int64_t guards() const override;
  std::int64_t state_bytes() const override { return state_bytes_; }

  // Goes on from a saved state. Errors: kModel; the analyzer is then as it was.
  Result<void> restore(const TensorFile& file);

 private:
  void measure();  // → state_bytes_

  std::shared_ptr<const Model> model_;
  bool scene_;
  bool maps_;
  PlainSignalChoice signals_;
  PlainSignalWatcher plain_signals_;
  std::shared_ptr<const LabelHead> labels_;
  std::shared_ptr<const LabelNetWeights> label_net_weights_;
  std::optional<LabelNet> label_net_;
  std::shared_ptr<const std::vector<std::uint8_t>> visible_;  // [224][224] 0 or 1; null: everything
  Stack stack_;
  // Of models that have a recall memory: it, and what it keeps of single frames.
  std::optional<RecallMemory> recall_;
  std::optional<LandmarkBank> landmarks_;
  std::optional<SampleState> samples_;
  std::optional<FrozenMemory> compared_;
  std::optional<UsualParts> usual_;  // of compared_
  std::optional<ShotWatcher> shots_;  // of models that have a shot head
  std::int64_t state_bytes_ = 0;
};

}  // namespace longtake
