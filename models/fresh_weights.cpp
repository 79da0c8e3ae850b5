#include "models/fresh_weights.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/store/half.h"
#include "models/net/stack_net.h"
#include "models/recall/recall_net.h"
#include "models/train/random.h"

namespace longtake {
namespace {

Tensor halves(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Tensor tensor;
  tensor.type = TensorType::kF16;
  tensor.shape = std::move(shape);
  tensor.bytes.resize(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = float_to_half(values[i]);
    std::memcpy(&tensor.bytes[i * 2], &half, sizeof half);
  }
  return tensor;
}

// Rows of unit length at right angles to one another (Gram-Schmidt): a projection that keeps distances as well as any
// can that has not seen data.
std::vector<float> orthonormal_rows(int rows, int columns, Random& random) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> m(static_cast<std::size_t>(rows) * width);
  for (double& v : m) v = random.normal();
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    double* row = &m[r * width];
    for (std::size_t q = 0; q < r; ++q) {
      const double* other = &m[q * width];
      double dot = 0;
      for (std::size_t i = 0; i < width; ++i) dot += row[i] * other[i];
      for (std::size_t i = 0; i < width; ++i) row[i] -= dot * other[i];
    }
    double norm = 0;
    for (std::size_t i = 0; i < width; ++i) norm += row[i] * row[i];
    for (std::size_t i = 0; i < width; ++i) row[i] /= std::sqrt(norm);
  }
  return {m.begin(), m.end()};
}

void add_starts(const std::vector<ParameterStart>& parts, Random& random, TensorFile& file) {
  for (const ParameterStart& part : parts) {
    std::size_t count = 1;
    for (const std::int64_t extent : part.shape) count *= static_cast<std::size_t>(extent);
    std::vector<float> values(count, static_cast<float>(part.centre));
    if (part.rise != 0) {
      const auto last = static_cast<std::size_t>(part.shape.back());
      const double whole = last > 1 ? static_cast<double>(last - 1) : 1;
      for (std::size_t i = 0; i < count; ++i) {
        values[i] += static_cast<float>(part.rise * (static_cast<double>(i % last) / whole - 0.5));
      }
    }
    if (part.spread > 0) {
      for (float& value : values) value += static_cast<float>(part.spread * random.normal());
    }
    file.tensors[part.name] = halves(values, part.shape);
  }
}

}  // namespace

TensorFile fresh_stack(const ModelConfig& config, std::uint64_t seed, std::span<const float> token_mean,
                       std::span<const float> token_scale) {
  TensorFile file;
  Random random{seed};
  file.tensors["tokens.mean"] = halves({token_mean.begin(), token_mean.end()}, {config.token_channels});
  file.tensors["tokens.scale"] = halves({token_scale.begin(), token_scale.end()}, {config.token_channels});
  file.tensors["tokens.projection"] = halves(orthonormal_rows(config.latent, config.token_channels, random),
                                             {config.latent, config.token_channels});
  add_starts(stack_parameters(config), random, file);

  // How much of the running means a prediction takes: fitted shares for the slowest mean, nothing for the others.
  // Longer horizons trust the last frame less.
  const std::size_t means = config.running_means_s.size();
  const std::size_t horizons = config.horizons_s.size();
  std::vector<float> shares(horizons * means, 0.0F);
  for (std::size_t d = 0; d < horizons; ++d) {
    const double share = 0.44 * (1 - std::exp(-config.horizons_s[d] / 0.4)) / (1 - std::exp(-1.0 / 0.4));
    shares[(d + 1) * means - 1] = static_cast<float>(share);
  }
  file.tensors["mean_weights"] = halves(shares, {static_cast<std::int64_t>(horizons), static_cast<std::int64_t>(means)});
  return file;
}

TensorFile fresh_recall(const RecallConfig& config, int latent, std::uint64_t seed) {
  TensorFile file;
  Random random{seed};
  add_starts(recall_parameters(config, latent), random, file);
  return file;
}

}  // namespace longtake
