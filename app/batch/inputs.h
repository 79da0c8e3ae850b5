// From what a user names (files, folders, patterns, lists) to the videos of a batch.
#pragma once

#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace longtake {

struct BatchInput {
  std::string path;   // to open it by
  std::string name;   // below the folder it was found in; else that of the file: what its result is called by
  bool named = true;  // by the user; false: it was found in a folder, where other things than videos may lie
};

struct InputFilter {
  std::vector<std::string> include,
      exclude;  // shell patterns, against name and last part of it; no include: everything
};

// Folders are searched to the bottom, links to folders not followed; pictures, and what longtake writes itself, are left out
// there. "@FILE" and "-" (`standard_input`) are lists, a path a line, or with zero bytes between them if there is one.
// Sorted by path, each once. Errors: kInput (nothing is there by that name, or in the end nothing at all).
Result<std::vector<BatchInput>> batch_inputs(const std::vector<std::string>& given, const InputFilter& filter,
                                             std::istream& standard_input);

// Endings of file names that videos usually have, with the dot.
std::span<const std::string_view> video_endings();
// By the end of its name: what cannot be read of these is a broken video, and not something else that lies there.
bool has_video_ending(const std::string& path);

// Where each result goes, below the output folder: the name and ".jsonl", or `pattern` with {name}, {stem}, {number} (from 1) and {key}
// (of the contents, see source_key()) filled in. No two are equal, none leaves the folder, and no part is longer than file systems allow.
// Errors: kUsage (another {word} in the pattern).
Result<std::vector<std::string>> result_names(const std::vector<BatchInput>& inputs, const std::string& pattern);

}  // namespace longtake
