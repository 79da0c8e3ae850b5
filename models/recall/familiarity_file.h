// Where a model folder keeps what familiarity.h makes probabilities with. The file need not be there. It has a line in
// SHA256SUMS and no part in the model's id: it changes nothing that a memory holds.
#pragma once

#include <filesystem>

namespace longtake {

inline std::filesystem::path familiarity_file(const std::filesystem::path& model_folder) {
  return model_folder / "familiarity.safetensors";
}

}  // namespace longtake
