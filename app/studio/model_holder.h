// The model, loaded once and shared by everything that asks for it: analyses, the list of videos, questions to memories.
// Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "core/result.h"

namespace longtake {

class Model;

class ModelHolder {
 public:
  // `folder`: empty: the default model. Loads nothing yet.
  explicit ModelHolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  // Waits if it is being loaded.
  ~ModelHolder() = default;

  // Loads it in the background, so that the first to ask for it need not wait. Its errors wait for them.
  void prefetch();
  // Loads it if nobody has; waits while somebody else does. After a failure the next call tries again. Errors: kModel.
  Result<std::shared_ptr<const Model>> get();
  // Another model from now on. Those who have the old one keep it.
  void set_folder(std::filesystem::path folder);

 private:
  std::mutex loading_;  // one at a time; held for as long as a load takes
  std::mutex mutex_;    // guards the two below; held for moments
  std::filesystem::path folder_;
  std::shared_ptr<const Model> model_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
