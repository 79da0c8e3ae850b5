// What a block of the stack lets tokens learn from earlier frames with: a TTT layer, or one of its rivals. In LibTorch,
// for training and evaluation; see ttt/ttt_layer.h for the TTT layers that programs watch with, and
// baselines/rival_mixers.h for the rivals.
//
// Every mixer works frame by frame: a token may look at its own frame and at what the state kept of the frames before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/model_folder.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

// Start values of one parameter: normal numbers of this spread around a centre, which may rise evenly along the last
// extent, from centre − rise / 2 to centre + rise / 2.
struct ParameterStart {
  std::string name;
  std::vector<std::int64_t> shape;
  double spread = 0;
  double centre = 0;
  double rise = 0;
};

struct MixerState {
  std::vector<at::Tensor> tensors;  // [B][…] each; empty: the start of a stream
};
// What one row takes.
std::size_t state_bytes(const MixerState& state);

struct MixerOutputs {
  at::Tensor y;       // [B][T][tokens][C]
  MixerState state;   // after the last frame
  at::Tensor before;  // [B][T] mean inner loss of each frame; undefined: this mixer has none
};

class Mixer {
 public:
  virtual ~Mixer() = default;
  virtual std::vector<ParameterStart> parameters() const = 0;
  // What a stream of `batch` rows starts from, written out; an empty state means the same. Its tensors spread (as in
  // broadcasting) over those of any later state.
  virtual MixerState start(const definition::Parameters& parameters, std::string_view prefix, std::int64_t batch) const = 0;
  // x [B][T][tokens][C], T ≥ 1, parameters below `prefix`.
  virtual MixerOutputs forward(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                               const MixerState& state) const = 0;
  // forward() of one frame a row, T = 1, with gradients through `before` as well: for losses about what a state remembers.
  virtual MixerOutputs probe(const definition::Parameters& parameters, std::string_view prefix, const at::Tensor& x,
                             const MixerState& state) const {
    return forward(parameters, prefix, x, state);
  }
};

// The one that config.inner names. Errors: std::invalid_argument (no such mixer).
std::unique_ptr<Mixer> make_mixer(const ModelConfig& config);

}  // namespace longtake
