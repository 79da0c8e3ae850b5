// Labels from examples: what a person showed and called by a name, and the file that keeps it.
//
// Kept of an example is what the encoder made of a few of its frames, never pixels; so what was learned from them can be
// learned anew without the videos.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/store/sealed_file.h"

namespace longtake {

inline constexpr int kLabelSchema = 1;
inline constexpr SealedKind kLabelKind{"labels", "a file of labels", "longtake-labels", kLabelSchema};
inline constexpr std::string_view kUnknownLabel = "unknown";  // the name for what no example is like; nobody may teach it

struct LabelExample {
  static constexpr std::size_t kMostSamples = 16;
  static constexpr std::size_t kNameBytes = 64;

  std::string name;
  std::string video;       // name of the file, for people
  std::string video_key;   // identity of its contents, see source_key(); empty for pipes and streams
  double from_s = 0;       // frames with from_s <= t < to_s, as a person gave them
  double to_s = 0;
  std::vector<float> samples;  // [1 … kMostSamples][label_width], in the order of time

  friend bool operator==(const LabelExample&, const LabelExample&) = default;
};

struct LabelSet {
  static constexpr std::size_t kMostExamples = 1000;
  static constexpr std::size_t kMostNames = 64;

  std::string encoder;   // SHA-256 of the encoder's file: samples of another one mean something else
  std::vector<LabelExample> examples;
  std::string sha256{};  // of the file it was read from; empty for what was not read

  std::vector<std::string> names() const;  // in the order of their first examples
};

// Whether a label may be called so: 1 to kNameBytes bytes of UTF-8 on one line, and not kUnknownLabel. Errors: kUsage.
Result<void> check_label_name(std::string_view name);

// Numbers in a sample.
std::size_t label_width() noexcept;

// What is learned of a frame: the encoder's mean vector at unit length, as 16 bits can hold it.
std::vector<float> label_feature(const std::vector<float>& embedding);

// Errors: kModel (missing, truncated, changed, no labels at all, of another encoder, a net: see label_net.h). Never alters the file. `encoder`
// empty: of whatever encoder.
Result<LabelSet> read_label_set(const std::filesystem::path& path, std::string_view encoder);

// Puts `set` where a file of labels stands or shall stand. The version before, an empty one if there was none, goes to
// undo_path(), so that undo_labels() brings its bytes back. Errors: kUsage (too many examples or names), kUnexpected
// (cannot be written; the file is then as it was).
Result<void> change_label_set(const std::filesystem::path& path, const LabelSet& set);
// Without a way back, for new files.
Result<void> write_label_set(const std::filesystem::path& path, const LabelSet& set);
Result<void> undo_labels(const std::filesystem::path& path);
std::filesystem::path undo_path(const std::filesystem::path& path);

// All examples one after the other; those that are in several sets once. Errors: kUsage (different encoders).
Result<LabelSet> merged(const std::vector<LabelSet>& sets);

}  // namespace longtake
