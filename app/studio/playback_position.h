// Where a person left a video: the pts of the frame that was shown, in a file of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace longtake {

// None: at its start, or nobody knows.
std::optional<std::int64_t> read_playback_position(const std::filesystem::path& file);
// What cannot be written is lost without a word: it is worth no complaint, and no wait for the disk either.
void write_playback_position(const std::filesystem::path& file, std::optional<std::int64_t> pts);

}  // namespace longtake
