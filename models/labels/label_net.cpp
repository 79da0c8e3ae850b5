#include "models/labels/label_net.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/store/atomic_file.h"
#include "models/encoder/encoder.h"
#include "models/labels/label_set.h"

namespace longtake {
namespace {

using Weights = LabelNetWeights;

constexpr std::size_t kTokens = Encoder::kTokens;
constexpr std::size_t kLatent = Weights::kLatent;
constexpr std::size_t kChannels = Weights::kChannels;
constexpr std::size_t kWidth = Weights::kWidth;
constexpr std::size_t kParts = 1 + Weights::kMeans.size();  // x and the means

// Slots that the last convolution sees back: of a longer gap only the means have to see the rest.
constexpr std::int64_t kReach =
    (Weights::kTaps - 1) * std::accumulate(Weights::kDilations.begin(), Weights::kDilations.end(), std::int64_t{0});

// And then the means have forgotten what was before: ten times the longest of them.
constexpr auto kLongestGap = static_cast<std::int64_t>(10 * Weights::kMeans.back() / Weights::kSlot);

float gelu(float x) { return 0.5F * x * (1 + std::erf(x * static_cast<float>(std::numbers::sqrt2 / 2))); }

constexpr std::size_t ring_rows(std::size_t conv) {
  return static_cast<std::size_t>(2 * Weights::kDilations[conv] + 1);
}
// Of the convolutions before this one, in each net.
constexpr std::size_t rows_before(std::size_t conv) {
  return conv == 0 ? 0 : rows_before(conv - 1) + ring_rows(conv - 1);
}
constexpr std::size_t kRingRows = rows_before(Weights::kDilations.size());

constexpr const char* kNames = "names";  // in the metadata: one a line; check_label_name() keeps line ends out of them

}  // namespace

std::vector<LabelNetTensor> label_net_tensors(std::size_t labels) {
  constexpr std::int64_t kIn = Encoder::kTokenChannels, kAll = Encoder::kTokens, kC = kChannels, kW = kWidth,
                         kL = kLatent;
  const auto names = static_cast<std::int64_t>(labels);
  std::vector<LabelNetTensor> of_net{{"input.weight", {kC, kL * std::int64_t(kParts)}},
                                     {"input.bias", {kC}},
                                     {"position", {kAll, kC}},
                                     {"mix.weight", {kC, kC}},
                                     {"mix.bias", {kC}},
                                     {"gather.weight", {kW, kAll * kC}},
                                     {"gather.bias", {kW}},
                                     {"pool.weight", {kW, 2 * kC}},
                                     {"pool.bias", {kW}}};
  for (std::size_t i = 0; i < Weights::kDilations.size(); ++i) {
    of_net.push_back({fmt::format("convs.{}.weight", i), {kW, kW, Weights::kTaps}});
    of_net.push_back({fmt::format("convs.{}.bias", i), {kW}});
  }
  of_net.push_back({"last.weight", {names, kW}});
  of_net.push_back({"last.bias", {names}});
  std::vector<LabelNetTensor> out{{"tokens.mean", {kIn}}, {"tokens.scale", {kIn}}, {"tokens.projection", {kL, kIn}}};
  for (int net = 0; net < Weights::kNets; ++net) {
    for (const LabelNetTensor& part : of_net) out.push_back({fmt::format("nets.{}.{}", net, part.name), part.shape});
  }
  return out;
}

Result<LabelNetWeights> load_label_net(const TensorFile& file, std::vector<std::string> names) {
  std::map<std::string, std::vector<float>> parts;
  for (const LabelNetTensor& wanted : label_net_tensors(names.size())) {
    auto part = file.floats(wanted.name, wanted.shape);
    if (!part) return std::move(part).error();
    if (!std::all_of(part->begin(), part->end(), [](float x) { return std::isfinite(x); })) {
      return Error{ErrorKind::kModel, fmt::format("cannot use the labels' net: \"{}\" is not finite", wanted.name)};
    }
    parts[wanted.name] = std::move(*part);
  }
  const auto dense = [&](const std::string& name) {
    std::vector<float>& bias = parts.at(name + ".bias");
    const std::vector<float>& weight = parts.at(name + ".weight");
    const int out = static_cast<int>(bias.size());
    return dense_from(static_cast<int>(weight.size()) / out, out, weight, std::move(bias));
  };
  LabelNetWeights out;
  out.names = std::move(names);
  out.projection =
      dense_after_z_score(parts.at("tokens.mean"), parts.at("tokens.scale"), parts.at("tokens.projection"));
  for (std::size_t n = 0; n < out.nets.size(); ++n) {
    Weights::Net& net = out.nets[n];
    const std::string below = fmt::format("nets.{}.", n);
    net.input = dense(below + "input");
    net.mix = dense(below + "mix");
    net.position = std::move(parts.at(below + "position"));
    net.gather = dense(below + "gather");
    net.pool = dense(below + "pool");
    for (std::size_t i = 0; i < net.convs.size(); ++i) {
      const std::vector<float>& weight = parts.at(fmt::format("{}convs.{}.weight", below, i));  // [out][in][tap]
      for (std::size_t tap = 0; tap < Weights::kTaps; ++tap) {
        std::vector<float> of_tap(kWidth * kWidth);
        for (std::size_t j = 0; j < of_tap.size(); ++j) of_tap[j] = weight[j * Weights::kTaps + tap];
        std::vector<float> bias;
        if (tap == 0) bias = parts.at(fmt::format("{}convs.{}.bias", below, i));
        net.convs[i][tap] = dense_from(kWidth, kWidth, of_tap, std::move(bias));
      }
    }
    net.last = dense(below + "last");
  }
  return out;
}

void update_slot_means(std::span<const float> x, std::int64_t slots, std::span<float> means) {
  for (std::size_t j = 0; j < Weights::kMeans.size(); ++j) {
    const double share =
        std::max(1 - std::exp(-Weights::kSlot / Weights::kMeans[j]), 1 / (static_cast<double>(slots) + 1));
    const auto k = static_cast<float>(share);
    float* const mean = &means[j * x.size()];
    if (slots == 0) std::copy(x.begin(), x.end(), mean);  // whatever was in it
    for (std::size_t i = 0; i < x.size(); ++i) mean[i] += k * (x[i] - mean[i]);
  }
}

bool is_label_net(const TensorFile& file) { return file.metadata.contains(kNames); }

Result<void> write_label_net(const std::filesystem::path& path, const LabelNetFile& net) {
  TensorFile file = net.tensors;
  file.metadata["encoder"] = net.encoder;
  file.metadata[kNames] = fmt::format("{}", fmt::join(net.names, "\n"));
  return write_file_atomically(path, seal(std::move(file), kLabelKind));
}

Result<std::optional<LabelNetFile>> read_label_net(const std::filesystem::path& path, std::string_view encoder) {
  auto file = read_sealed(path, kLabelKind);
  if (!file) return std::move(file).error();
  if (!is_label_net(*file)) return std::optional<LabelNetFile>();
  LabelNetFile out;
  out.encoder = metadata_of(*file, "encoder");
  out.sha256 = metadata_of(*file, "sha256");
  if (out.encoder != encoder) {
    return cannot_use(path, kLabelKind,
                      fmt::format("it was trained with encoder {}, this one is {}", out.encoder.substr(0, 12),
                                  encoder.substr(0, 12)));
  }
  std::istringstream names(metadata_of(*file, kNames));
  for (std::string name; std::getline(names, name);) {
    if (auto fine = check_label_name(name); !fine) return cannot_use(path, kLabelKind, fine.error().message);
    out.names.push_back(std::move(name));
  }
  if (out.names.size() < 2 || out.names.size() > LabelSet::kMostNames) {
    return cannot_use(path, kLabelKind, "what is in it does not fit together");
  }
  out.tensors = std::move(*file);
  return std::optional(std::move(out));
}

LabelNet::LabelNet(const LabelNetWeights& weights)
    : weights_(&weights),
      means_(Weights::kMeans.size() * kTokens * kLatent),
      rings_(Weights::kNets * kRingRows * kWidth),
      scores_(weights.names.size()),
      x_(kTokens * kLatent),
      u_(kTokens * kParts * kLatent),
      h_(kTokens * kChannels),
      mixed_(kTokens * kChannels),
      frame_(kWidth),
      likely_(weights.names.size()) {}

const std::vector<float>& LabelNet::step(std::span<const float> tokens, double dt) {
  due_ += dt;
  std::int64_t slots = 1;
  if (slots_ > 0) {
    slots = static_cast<std::int64_t>(std::floor(due_ / Weights::kSlot + 0.5));
    due_ -= static_cast<double>(slots) * Weights::kSlot;
  } else {
    due_ = 0;
  }
  if (slots == 0) return scores_;
  embed(tokens);
  for (std::int64_t i = std::min(slots, kLongestGap); i > kReach + 1; --i) update_slot_means(x_, slots_++, means_);
  for (std::int64_t i = 0; i < std::min(slots, kReach + 1); ++i) advance();
  return scores_;
}

const std::vector<float>& LabelNet::step_slot(std::span<const float> tokens) {
  embed(tokens);
  advance();
  return scores_;
}

void LabelNet::forget() {
  slots_ = 0;
  due_ = 0;
}

void LabelNet::embed(std::span<const float> tokens) {
  if (tokens.size() != kTokens * static_cast<std::size_t>(Encoder::kTokenChannels)) {
    throw std::invalid_argument("LabelNet: tokens must be [tokens][channels] of the encoder");
  }
  apply_dense<float>(weights_->projection, tokens, x_);
}

void LabelNet::advance() {
  update_slot_means(x_, slots_, means_);
  for (std::size_t t = 0; t < kTokens; ++t) {
    float* row = &u_[t * kParts * kLatent];
    const float* const x = &x_[t * kLatent];
    row = std::copy(x, x + kLatent, row);
    for (std::size_t j = 0; j < Weights::kMeans.size(); ++j) {
      const float* const mean = &means_[(j * kTokens + t) * kLatent];
      for (std::size_t i = 0; i < kLatent; ++i) *row++ = mean[i] - x[i];
    }
  }
  std::ranges::fill(scores_, 0.0F);
  for (std::size_t net = 0; net < weights_->nets.size(); ++net) add_scores(net);
  ++slots_;
}

void LabelNet::add_scores(std::size_t which) {
  const Weights::Net& net = weights_->nets[which];
  apply_dense<float>(net.input, u_, h_);
  for (std::size_t i = 0; i < h_.size(); ++i) h_[i] = gelu(h_[i] + net.position[i]);
  apply_dense<float>(net.mix, h_, mixed_);
  for (float& value : mixed_) value = gelu(value);

  std::array<float, 2 * kChannels> pooled{};
  for (std::size_t c = 0; c < kChannels; ++c) {
    float sum = 0, largest = mixed_[c];
    for (std::size_t t = 0; t < kTokens; ++t) {
      sum += mixed_[t * kChannels + c];
      largest = std::max(largest, mixed_[t * kChannels + c]);
    }
    pooled[c] = sum / kTokens;
    pooled[kChannels + c] = largest;
  }
  std::array<float, kWidth> part{};
  apply_dense<float>(net.gather, mixed_, frame_);
  apply_dense<float>(net.pool, pooled, part);
  for (std::size_t i = 0; i < kWidth; ++i) frame_[i] += part[i];

  for (std::size_t i = 0; i < net.convs.size(); ++i) {
    const std::span<float> rows = ring(which, i);
    const std::size_t extent = ring_rows(i);
    const auto at = [&](std::int64_t slot) {
      return rows.subspan(static_cast<std::size_t>(slot) % extent * kWidth, kWidth);
    };
    // Before the first slot all was as in it.
    for (std::size_t row = 0; row < (slots_ == 0 ? extent : 0); ++row)
      std::copy(frame_.begin(), frame_.end(), &rows[row * kWidth]);
    std::copy(frame_.begin(), frame_.end(), at(slots_).begin());
    std::array<float, kWidth> sum{};
    for (std::size_t tap = 0; tap < Weights::kTaps; ++tap) {
      const std::int64_t back = static_cast<std::int64_t>(Weights::kTaps - 1 - tap) * Weights::kDilations[i];
      // Counted on by a turn of the ring, so that no slot is below 0.
      apply_dense<float>(net.convs[i][tap], at(slots_ + static_cast<std::int64_t>(extent) - back), part);
      for (std::size_t o = 0; o < kWidth; ++o) sum[o] += part[o];
    }
    for (std::size_t o = 0; o < kWidth; ++o) frame_[o] += gelu(sum[o]);
  }
  apply_dense<float>(net.last, frame_, likely_);
  const float largest = *std::max_element(likely_.begin(), likely_.end());
  float sum = 0;
  for (float& score : likely_) sum += score = std::exp(score - largest);
  for (std::size_t i = 0; i < scores_.size(); ++i) scores_[i] += likely_[i] / (sum * Weights::kNets);
}

std::span<float> LabelNet::ring(std::size_t net, std::size_t conv) {
  return std::span(rings_).subspan((net * kRingRows + rows_before(conv)) * kWidth, ring_rows(conv) * kWidth);
}

}  // namespace longtake
