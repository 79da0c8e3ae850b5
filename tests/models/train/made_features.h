// Features of videos that nobody filmed, in files as features.h reads them, and a small net to look at them with.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "core/signals/observation.h"
#include "core/store/half.h"
#include "models/encoder/encoder.h"
#include "models/fresh_weights.h"
#include "models/net/stack_net.h"
#include "models/train/clips.h"
#include "models/train/random.h"
#include "tests/temp_dir.h"

namespace longtake {

// Times in milliseconds. `token` gives number i of a frame's tokens.
inline std::shared_ptr<const Features> made_features(const TempDir& dir, const std::string& name,
                                                     const std::vector<std::int64_t>& times_ms,
                                                     const std::function<float(std::int64_t frame, int i)>& token) {
  std::string bytes = "LTFEAT01";
  const auto put = [&](auto value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
  put(std::uint32_t{16 * 320});
  put(std::uint32_t{1280});
  put(static_cast<std::uint32_t>(sizeof(Thumbnail)));
  put(std::uint32_t{0});
  put(std::int64_t{1});
  put(std::int64_t{1000});
  for (std::size_t frame = 0; frame < times_ms.size(); ++frame) {
    put(times_ms[frame]);
    for (int i = 0; i < 16 * 320; ++i) put(float_to_half(token(static_cast<std::int64_t>(frame), i)));
    bytes.append(1280 * 2 + sizeof(Thumbnail), '\0');
  }
  std::ofstream(dir / name, std::ios::binary) << bytes;
  auto features = Features::open(dir / name, name);
  if (!features) throw std::runtime_error(features.error().message);
  return *features;
}

// Every frame a picture of its own, at even times.
inline std::shared_ptr<const Features> noise_features(const TempDir& dir, const std::string& name, int frames, int fps,
                                                      std::uint64_t seed) {
  std::vector<std::int64_t> times;
  for (int i = 0; i < frames; ++i) times.push_back(1000 * i / fps);
  Random random{seed, 0x6e6f697365ULL};  // not the numbers that a fresh projection is made of
  return made_features(dir, name, times, [&](std::int64_t, int) { return static_cast<float>(random.normal()); });
}

inline ModelConfig small_config() {
  ModelConfig config;
  config.channels = 32;
  config.swiglu = 48;
  config.latent = 24;
  return config;
}

inline TensorFile small_stack(const ModelConfig& config) {
  return fresh_stack(config, 1, std::vector<float>(320), std::vector<float>(320, 1.0F));
}

inline StackNet small_net() {
  auto net = StackNet::load(small_config(), small_stack(small_config()));
  if (!net) throw std::runtime_error(net.error().message);
  return std::move(*net);
}

// A net of one layer whose four latent numbers are the first four channels of a token.
inline StackNet channel_net() {
  ModelConfig config;
  config.latent = 4;
  config.channels = 8;
  config.swiglu = 8;
  config.layers = 1;
  config.horizons_s = {0.08, 0.4, 1.04};
  auto net = StackNet::load(config, small_stack(config));
  if (!net) throw std::runtime_error(net.error().message);
  net->fixed()["tokens.projection"] = at::eye(4, 320);
  return std::move(*net);
}

}  // namespace longtake
