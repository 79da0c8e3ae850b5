#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <random>
#include <string>

#include "models/model.h"

namespace longtake {
namespace {

// Normal numbers from a seed, the same on every machine: std::normal_distribution is free to differ between libraries.
class Normal {
 public:
  explicit Normal(std::uint64_t seed) : engine_(seed) {}

  float operator()(double sigma) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return static_cast<float>(sigma * radius * std::cos(2 * std::numbers::pi * uniform()));
  }

 private:
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }

  std::mt19937_64 engine_;
};

// Round to nearest even. Fresh weights are small; what is out of range becomes infinite as IEEE 754 has it.
std::uint16_t half_from(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  const auto exponent = static_cast<int>((bits >> 23U) & 0xFFU) - 127 + 15;
  std::uint32_t mantissa = bits & 0x7FFFFFU;
  if (exponent >= 31) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (exponent <= 0) {
    if (exponent < -10) return static_cast<std::uint16_t>(sign);
    mantissa |= 0x800000U;
    const auto shift = static_cast<std::uint32_t>(14 - exponent);
    std::uint32_t half = mantissa >> shift;
    const std::uint32_t rest = mantissa & ((1U << shift) - 1U);
    const std::uint32_t middle = 1U << (shift - 1U);
    if (rest > middle || (rest == middle && (half & 1U) != 0)) ++half;
    return static_cast<std::uint16_t>(sign | half);
  }
  std::uint32_t half = (static_cast<std::uint32_t>(exponent) << 10U) | (mantissa >> 13U);
  const std::uint32_t rest = mantissa & 0x1FFFU;
  if (rest > 0x1000U || (rest == 0x1000U && (half & 1U) != 0)) ++half;
  return static_cast<std::uint16_t>(sign | half);
}

class Writer {
 public:
  Writer(TensorFile& file, Normal& normal) : file_(file), normal_(normal) {}

  void put(const std::string& name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
    Tensor tensor;
    tensor.type = TensorType::kF16;
    tensor.shape = std::move(shape);
    tensor.bytes.resize(values.size() * 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t half = half_from(values[i]);
      std::memcpy(&tensor.bytes[i * 2], &half, sizeof half);
    }
    file_.tensors[name] = std::move(tensor);
  }
  void normal(const std::string& name, const std::vector<std::int64_t>& shape, double sigma) {
    std::vector<float> values(count(shape));
    for (float& v : values) v = normal_(sigma);
    put(name, shape, values);
  }
  void constant(const std::string& name, const std::vector<std::int64_t>& shape, float value) {
    put(name, shape, std::vector<float>(count(shape), value));
  }

 private:
  static std::size_t count(const std::vector<std::int64_t>& shape) {
    std::size_t n = 1;
    for (const std::int64_t extent : shape) n *= static_cast<std::size_t>(extent);
    return n;
  }

  TensorFile& file_;
  Normal& normal_;
};

// Rows of unit length at right angles to one another (Gram-Schmidt): a projection that keeps distances as well as any
// can that has not seen data.
std::vector<float> orthonormal_rows(int rows, int columns, Normal& normal) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> m(static_cast<std::size_t>(rows) * width);
  for (double& v : m) v = normal(1.0);
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

}  // namespace

TensorFile fresh_stack(const ModelConfig& config, std::uint64_t seed, std::span<const float> token_mean,
                       std::span<const float> token_scale) {
  constexpr double kSigma = 0.02;  // the paper's start weights
  TensorFile file;
  Normal normal(seed);
  Writer out(file, normal);
  const std::int64_t c = config.channels;
  const std::int64_t nh = config.heads;
  const std::int64_t f = c / nh;
  const auto means = static_cast<std::int64_t>(config.running_means_s.size());
  const auto horizons = static_cast<std::int64_t>(config.horizons_s.size());

  out.put("tokens.mean", {config.token_channels}, {token_mean.begin(), token_mean.end()});
  out.put("tokens.scale", {config.token_channels}, {token_scale.begin(), token_scale.end()});
  out.put("tokens.projection", {config.latent, config.token_channels},
          orthonormal_rows(config.latent, config.token_channels, normal));
  const std::int64_t inputs = config.latent * (1 + means);
  out.normal("input.weight", {c, inputs}, 1 / std::sqrt(static_cast<double>(config.latent)));
  out.constant("input.bias", {c}, 0);
  out.normal("position", {config.tokens, c}, kSigma);
  for (int i = 0; i < config.layers; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    const std::string ttt = block + "seq_modeling_block.";
    out.constant(block + "seq_norm.weight", {c}, 1);
    out.constant(block + "ffn_norm.weight", {c}, 1);
    if (config.residual_gate) out.constant(block + "alpha", {c}, 0.1F);
    out.normal(block + "mlp.gate_proj.weight", {config.swiglu, c}, kSigma);
    out.normal(block + "mlp.up_proj.weight", {config.swiglu, c}, kSigma);
    out.normal(block + "mlp.down_proj.weight", {c, config.swiglu}, kSigma);
    // Projections that keep the scale of their input, so that keys and values are worth learning from the first frame.
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      out.normal(ttt + name + ".weight", {c, c}, 1 / std::sqrt(static_cast<double>(c)));
    }
    out.normal(ttt + "learnable_ttt_lr_weight", {nh, 1, c}, kSigma);
    out.constant(ttt + "learnable_ttt_lr_bias", {nh, 1}, 0);
    if (config.causal) out.constant(ttt + "learnable_token_idx", {config.tokens}, 0);
    out.constant(ttt + "ttt_norm_weight", {nh, f}, 1);
    out.constant(ttt + "ttt_norm_bias", {nh, f}, 0);
    out.constant(ttt + "post_norm.weight", {c}, 1);
    out.constant(ttt + "post_norm.bias", {c}, 0);
    if (config.inner == "mlp") {
      out.normal(ttt + "W1", {nh, f, 4 * f}, kSigma);
      out.constant(ttt + "b1", {nh, 1, 4 * f}, 0);
      out.normal(ttt + "W2", {nh, 4 * f, f}, kSigma);
      out.constant(ttt + "b2", {nh, 1, f}, 0);
    } else {
      out.normal(ttt + "W1", {nh, f, f}, kSigma);
      out.constant(ttt + "b1", {nh, 1, f}, 0);
    }
  }
  out.constant("norm.weight", {c}, 1);
  out.constant("head.weight", {horizons * config.latent, c}, 0);
  out.constant("head.bias", {horizons * config.latent}, 0);

  // How much of the running means a prediction takes: fitted shares for the slowest mean, nothing for the others.
  // Longer horizons trust the last frame less.
  std::vector<float> shares(static_cast<std::size_t>(horizons * means), 0.0F);
  for (std::size_t d = 0; d < config.horizons_s.size(); ++d) {
    const double share = 0.44 * (1 - std::exp(-config.horizons_s[d] / 0.4)) / (1 - std::exp(-1.0 / 0.4));
    shares[(d + 1) * static_cast<std::size_t>(means) - 1] = static_cast<float>(share);
  }
  out.put("mean_weights", {horizons, means}, shares);
  return file;
}

}  // namespace longtake
