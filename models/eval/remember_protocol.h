// Shows stretches of clips to stacks and asks them what they watched. With LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "models/eval/remember.h"
#include "models/net/stack_net.h"
#include "models/train/clips.h"

namespace longtake {

// How alike two videos are, by where they lie: KIND/ROOM/VIDEO.
enum class Kinship { kOtherKind, kSameKind, kSameRoom };
Kinship kinship(const std::filesystem::path& a, const std::filesystem::path& b);

struct FiledClip {
  std::filesystem::path path;
  Clip clip;  // with its degraded frames
};

struct Watcher {
  std::string name;
  const StackNet* net = nullptr;  // with inner losses; all of one latent space
};

struct RememberProtocol {
  static constexpr double kFps = 12.5;
  std::uint64_t seed = 1;
  int stretch = 64;   // frames
  int shortest = 32;  // frames: a clip of fewer is left out with a note, one of fewer than `stretch` is watched whole
  int stretches = 4;  // of a clip at most, which do not overlap and lie all over it
  int look = 12;      // frames in a row that a question is about: a second
  int looks = 4;      // spread over each stretch, and at clips of each kinship that there is, both at random
  int threads = 1;    // results do not depend on it
};

// Questions about stretches that have no others of a kinship do not count against that kinship. Errors: kInput (fewer
// than two clips are long enough), kStopped.
Result<RememberFigures> run_remember_protocol(std::span<const FiledClip> clips, std::span<const Watcher> watchers,
                                              const RememberProtocol& protocol, const Note& note, std::stop_token stop);

}  // namespace longtake
