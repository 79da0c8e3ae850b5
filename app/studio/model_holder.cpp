#include "app/studio/model_holder.h"

#include <utility>

#include "models/model.h"

namespace longtake {

void ModelHolder::prefetch() {
  thread_ = std::jthread([this] { (void)get(); });
}

Result<std::shared_ptr<const Model>> ModelHolder::get() {
  const std::scoped_lock alone(loading_);
  for (;;) {
    std::filesystem::path wanted;
    {
      const std::scoped_lock lock(mutex_);
      if (model_) return model_;
      wanted = folder_;
    }
    std::filesystem::path folder = wanted;
    if (folder.empty()) {
      auto usual = default_model_folder();
      if (!usual) return std::move(usual).error();
      folder = std::move(*usual);
    }
    auto loaded = Model::load(folder);
    const std::scoped_lock lock(mutex_);
    if (wanted != folder_) continue;  // another one is wanted by now
    if (!loaded) return std::move(loaded).error();
    model_ = std::move(*loaded);
    return model_;
  }
}

void ModelHolder::set_folder(std::filesystem::path folder) {
  const std::scoped_lock lock(mutex_);
  if (folder == folder_) return;
  folder_ = std::move(folder);
  model_.reset();
}

}  // namespace longtake
