// What the verbs that ask memories have in common: the model, its scale, and memories that stand still.
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/settings.h"
#include "core/result.h"
#include "models/memory_file.h"
#include "models/model.h"
#include "models/recall/familiarity.h"

namespace longtake {

// A model that can answer. Its address is kept by the memories it opens.
class Asking {
 public:
  // --model. Says so where the model's scale was never fitted. Errors: kModel (also of a model without recall memory).
  static Result<std::unique_ptr<Asking>> open(const Context& context);
  static Result<std::unique_ptr<Asking>> with(const Context& context, std::shared_ptr<const Model> model);

  const std::shared_ptr<const Model>& model() const noexcept { return model_; }
  const FamiliarityScale& scale() const noexcept { return scale_; }

  // Errors: kModel.
  Result<FrozenMemory> freeze(const std::string& path) const;
  Result<FrozenMemory> freeze(const MemoryFile& memory, const std::string& path) const;

  // The answers of all memories about one input, in their order. Errors: those of video_latents(); kUsage.
  Result<std::vector<Answer>> ask(const Settings& settings, std::span<FrozenMemory> memories, const std::string& input,
                                  std::size_t most_landmarks, std::stop_token stop) const;

 private:
  Asking(std::shared_ptr<const Model> model, FamiliarityScale scale) : model_(std::move(model)), scale_(std::move(scale)) {}

  std::shared_ptr<const Model> model_;
  FamiliarityScale scale_;
};

// Hours, if there are any, minutes and seconds: 00:12, 1:02:03.
std::string clock_time(double seconds);

}  // namespace longtake
