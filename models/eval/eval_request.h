// What an evaluation is asked for, and figures by name. Plain data.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "models/train/features.h"

namespace longtake {

struct EvalRequest {
  std::vector<std::filesystem::path> models;  // folders, at least one; the first one's encoder and projection are used
  std::vector<std::string> videos;            // files; folders stand for all videos below them
  FeatureCacheOptions cache;
  int threads = 2;
};

// One figure for each of the things compared, in a fixed order.
using Compared = std::vector<std::pair<std::string, double>>;

}  // namespace longtake
