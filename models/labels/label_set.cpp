#include "models/labels/label_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "core/records/quoted.h"
#include "core/records/utf8.h"
#include "core/store/atomic_file.h"
#include "core/store/half.h"
#include "models/encoder/encoder.h"
#include "models/labels/label_net.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kWidth = Encoder::kEmbedding;
constexpr std::size_t kVideoBytes = 256;

std::string key(std::size_t example, std::string_view what) { return fmt::format("{:04}.{}", example, what); }

// What a file name may be is not what a metadata text may be.
std::string readable(std::string_view text) {
  std::string out;
  while (!text.empty() && out.size() < kVideoBytes) {
    const Utf8Piece piece = next_utf8(text);
    out += piece.valid ? text.substr(0, piece.bytes) : kReplacementCharacter;
    text.remove_prefix(piece.bytes);
  }
  return out;
}

Tensor halves(const std::vector<float>& values) {
  Tensor out{TensorType::kF16, {static_cast<std::int64_t>(values.size()) / kWidth, kWidth}, {}};
  out.bytes.resize(values.size() * sizeof(std::uint16_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = float_to_half(values[i]);
    std::memcpy(&out.bytes[i * sizeof half], &half, sizeof half);
  }
  return out;
}

TensorFile packed(const LabelSet& set) {
  TensorFile file;
  std::vector<float> samples;
  std::vector<std::int64_t> counts;
  std::vector<double> times;
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    const LabelExample& example = set.examples[i];
    samples.insert(samples.end(), example.samples.begin(), example.samples.end());
    counts.push_back(static_cast<std::int64_t>(example.samples.size()) / kWidth);
    times.insert(times.end(), {example.from_s, example.to_s});
    file.metadata[key(i, "name")] = example.name;
    file.metadata[key(i, "video")] = readable(example.video);
    file.metadata[key(i, "video_key")] = example.video_key;
  }
  const auto n = static_cast<std::int64_t>(counts.size());
  file.metadata["encoder"] = set.encoder;
  file.tensors["counts"] = Tensor::of(std::span<const std::int64_t>(counts), {n});
  file.tensors["samples"] = halves(samples);
  file.tensors["times"] = Tensor::of(std::span<const double>(times), {n, 2});
  return file;
}

Result<LabelSet> unpacked(const TensorFile& file, const fs::path& path) {
  LabelSet out;
  out.encoder = metadata_of(file, "encoder");
  out.sha256 = metadata_of(file, "sha256");
  const auto refuse = [&] { return cannot_use(path, kLabelKind, "what is in it does not fit together"); };
  auto counts = file.integers("counts", {-1});
  if (!counts || counts->size() > LabelSet::kMostExamples) return refuse();
  std::int64_t rows = 0;
  for (const std::int64_t count : *counts) {
    if (count < 1 || count > static_cast<std::int64_t>(LabelExample::kMostSamples)) return refuse();
    rows += count;
  }
  auto times = file.doubles("times", {static_cast<std::int64_t>(counts->size()), 2});
  auto samples = file.floats("samples", {rows, kWidth});
  if (!times || !samples || !std::all_of(samples->begin(), samples->end(), [](float x) { return std::isfinite(x); })) {
    return refuse();
  }
  auto at = samples->begin();
  for (std::size_t i = 0; i < counts->size(); ++i) {
    LabelExample& example = out.examples.emplace_back();
    example.name = metadata_of(file, key(i, "name"));
    example.video = metadata_of(file, key(i, "video"));
    example.video_key = metadata_of(file, key(i, "video_key"));
    example.from_s = (*times)[2 * i];
    example.to_s = (*times)[2 * i + 1];
    const auto end = at + static_cast<std::ptrdiff_t>((*counts)[i] * kWidth);
    example.samples.assign(at, end);
    at = end;
    if (!check_label_name(example.name) || !std::isfinite(example.from_s) || !(example.to_s >= example.from_s)) {
      return refuse();
    }
  }
  if (out.names().size() > LabelSet::kMostNames) return refuse();
  return out;
}

}  // namespace

std::vector<std::string> LabelSet::names() const {
  std::vector<std::string> out;
  for (const LabelExample& example : examples) {
    if (std::find(out.begin(), out.end(), example.name) == out.end()) out.push_back(example.name);
  }
  return out;
}

Result<void> check_label_name(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Error{ErrorKind::kUsage, fmt::format("a label cannot be called {}: {}", quoted(name), why)};
  };
  if (name.empty()) return refuse("that is no name");
  if (name.size() > LabelExample::kNameBytes) {
    return refuse(fmt::format("that is longer than {} bytes", LabelExample::kNameBytes));
  }
  if (name == kUnknownLabel) return refuse("that is what frames are called that are like no example");
  for (std::string_view rest = name; !rest.empty();) {
    const Utf8Piece piece = next_utf8(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    if (!piece.valid) return refuse("that is not UTF-8");
    if (first < 0x20 || first == 0x7f) return refuse("that has a control character in it");
    rest.remove_prefix(piece.bytes);
  }
  return {};
}

std::size_t label_width() noexcept { return Encoder::kEmbedding; }

std::vector<float> label_feature(const std::vector<float>& embedding) {
  double squares = 0;
  for (const float x : embedding) squares += static_cast<double>(x) * x;
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
  std::vector<float> out(embedding.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = half_to_float(float_to_half(static_cast<float>(embedding[i] * scale)));
  }
  return out;
}

Result<LabelSet> read_label_set(const fs::path& path, std::string_view encoder) {
  auto file = read_sealed(path, kLabelKind);
  if (!file) return std::move(file).error();
  if (is_label_net(*file)) return cannot_use(path, kLabelKind, "it holds what `train labels` learned, and no examples");
  auto set = unpacked(*file, path);
  if (set && !encoder.empty() && set->encoder != encoder) {
    return cannot_use(path, kLabelKind, fmt::format("its examples were seen by encoder {}, not by {}",
                                               set->encoder.substr(0, 12), encoder.substr(0, 12)));
  }
  return set;
}

Result<void> write_label_set(const fs::path& path, const LabelSet& set) {
  if (set.examples.size() > LabelSet::kMostExamples || set.names().size() > LabelSet::kMostNames) {
    return Error{ErrorKind::kUsage,
                 fmt::format("cannot write labels \"{}\": at most {} examples of {} labels go into a file", path.string(),
                             LabelSet::kMostExamples, LabelSet::kMostNames)};
  }
  return write_file_atomically(path, seal(packed(set), kLabelKind));
}

fs::path undo_path(const fs::path& path) { return path.string() + ".undo"; }

Result<void> change_label_set(const fs::path& path, const LabelSet& set) {
  LabelSet before{set.encoder, {}};
  std::error_code ec;
  if (fs::exists(path, ec)) {
    auto old = read_label_set(path, "");
    if (!old) return std::move(old).error();
    before = std::move(*old);
  }
  // Packing what was read gives the bytes that were read, or it would not have been accepted.
  if (auto kept = write_label_set(undo_path(path), before); !kept) return kept;
  return write_label_set(path, set);
}

Result<void> undo_labels(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(undo_path(path), ec)) {
    return Error{ErrorKind::kUsage,
                 fmt::format("there is nothing to undo: \"{}\" is not there", undo_path(path).string())};
  }
  auto before = read_label_set(undo_path(path), "");
  if (!before) return std::move(before).error();
  fs::rename(undo_path(path), path, ec);
  if (ec) {
    return Error{ErrorKind::kUnexpected, fmt::format("cannot write labels \"{}\": {}", path.string(), ec.message())};
  }
  return {};
}

Result<LabelSet> merged(const std::vector<LabelSet>& sets) {
  LabelSet out;
  std::set<std::array<std::string, 4>> known;
  for (const LabelSet& set : sets) {
    if (out.encoder.empty()) out.encoder = set.encoder;
    if (set.encoder != out.encoder) {
      return Error{ErrorKind::kModel, fmt::format("cannot merge labels: some were seen by encoder {}, others by {}",
                                                  out.encoder.substr(0, 12), set.encoder.substr(0, 12))};
    }
    for (const LabelExample& example : set.examples) {
      const std::string when = fmt::format("{}-{}", example.from_s, example.to_s);
      const std::string& what = example.video_key.empty() ? example.video : example.video_key;
      if (known.insert({example.name, what, when, std::to_string(example.samples.size())}).second) {
        out.examples.push_back(example);
      }
    }
  }
  return out;
}

}  // namespace longtake
