// The stack of models/stack.h as training and evaluation see it: whole windows of several streams at once, in LibTorch,
// with gradients. Same parameters under the same names, same numbers but for rounding.
//
// Any thread; a net is changed only through its parameters.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/model_folder.h"
#include "models/net/mixer.h"

namespace longtake {

// All that training may change, and how it starts.
std::vector<ParameterStart> stack_parameters(const ModelConfig& config);

// B streams in the middle.
struct NetState {
  at::Tensor means;                   // [B][means][tokens][latent]; undefined: the start of all streams
  std::vector<std::int64_t> counts;   // [B] frames in them
  std::vector<MixerState> layers;
};

// Cut off from the graph that made it.
NetState detached(const NetState& state);

struct NetOutputs {
  at::Tensor predictions;          // [horizons][B][T][tokens][latent]
  at::Tensor drawn;                // the same from the running means alone
  at::Tensor hidden;               // [B][T][tokens][C], normed
  NetState state;
  std::vector<at::Tensor> before;  // per layer: [B][T], or undefined
};

class StackNet {
 public:
  // Of stack.safetensors, as fresh_stack() makes it. Errors: kModel (a tensor is missing or of another shape).
  static Result<StackNet> load(const ModelConfig& config, const TensorFile& file);
  TensorFile save(TensorType type) const;

  // x [B][T][tokens][latent], float as load() makes the parameters, or double where they were turned into doubles;
  // dt [B][T] seconds since the frame before (0 for the first one of a stream).
  NetOutputs forward(const at::Tensor& x, const at::Tensor& dt, const NetState& state) const;
  // How badly a memory predicts frames, which it does not learn: per layer the inner loss [B][T], differentiable, or
  // undefined. The frames are the beginning of another stream, x and dt as in forward(); `memory` is what forward() left, or
  // empty for one that has seen nothing.
  std::vector<at::Tensor> probe(const at::Tensor& x, const at::Tensor& dt, const std::vector<MixerState>& memory) const;
  // How much less each layer is surprised by frames than a memory that has seen nothing: log of probe() of the latter − log
  // of probe(), mean over frames, [layers][B]; undefined: no layer has an inner loss.
  at::Tensor familiarity(const at::Tensor& x, const at::Tensor& dt, const std::vector<MixerState>& memory) const;
  // Running means after each frame, less the frame: [means][B][T][tokens][latent]. They and their counts in `state` move on.
  at::Tensor means_apart(const at::Tensor& x, const at::Tensor& dt, NetState& state) const;
  // The state with some rows (begins [B], bool) at the start of a stream.
  NetState restarted(const NetState& state, const at::Tensor& begins) const;
  // Latent tokens of frames [n][tokens][channels] → [n][tokens][latent].
  at::Tensor latents(const at::Tensor& tokens) const;

  const ModelConfig& config() const noexcept { return config_; }
  // What training may change, by name, and what it may not: the fixed projection.
  definition::Parameters& parameters() noexcept { return parameters_; }
  const definition::Parameters& parameters() const noexcept { return parameters_; }
  definition::Parameters& fixed() noexcept { return fixed_; }
  const definition::Parameters& fixed() const noexcept { return fixed_; }

 private:
  using Mix = MixerOutputs (Mixer::*)(const definition::Parameters&, std::string_view, const at::Tensor&, const MixerState&) const;
  // Each frame with its means_apart(): [B][T][tokens][1 + means][latent].
  at::Tensor seen(const at::Tensor& x, const at::Tensor& dt, NetState& state) const;
  // Input, blocks and norm, of what seen() gives. `layers` moves on; `before` gets an entry per layer.
  at::Tensor hidden(const at::Tensor& seen, Mix mix, std::vector<MixerState>& layers, std::vector<at::Tensor>& before) const;

  ModelConfig config_;
  definition::Parameters parameters_;
  definition::Parameters fixed_;
  std::vector<std::shared_ptr<const Mixer>> mixers_;
};

}  // namespace longtake
