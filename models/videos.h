// What a user names, files and folders, as videos.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

using Note = std::function<void(const std::string&)>;  // takes a sentence for people

// Files as given, each of which has to be a video; of folders every video below them, by name. What else lies there is
// left out with a note. Errors: those of open_source().
Result<std::vector<std::string>> videos_of(const std::vector<std::string>& given, const Note& note,
                                           std::stop_token stop);

}  // namespace longtake
