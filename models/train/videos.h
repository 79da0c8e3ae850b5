// From what a user names, files and folders, to clips of features.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/train/clips.h"
#include "models/train/features.h"
#include "models/train/training.h"

namespace longtake {

// Files as given, each of which has to be a video; of folders every video below them, by name. What else lies there is
// left out with a note. Errors: those of open_source().
Result<std::vector<std::string>> videos_of(const std::vector<std::string>& given, const Note& note,
                                           std::stop_token stop);

// A clip a video; those of a single frame are left out with a note. `degraded`: a cache of changed frames, that clips have
// beside their own; null: they have none. Errors: those of FeatureCache::get().
Result<std::vector<Clip>> clips_of(FeatureCache& cache, FeatureCache* degraded, const std::vector<std::string>& videos,
                                   const Note& note, std::stop_token stop);

}  // namespace longtake
