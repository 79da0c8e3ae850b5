// Inner models of any kind: what a TTT layer trains while it is being read (arXiv 2407.04620, 2.1). Made of
// differentiable tensor operations, so that the gradient of the inner loss, and its gradient in turn, are LibTorch's
// own. Slow but exact; kernels/ttt.h has the fast `linear` and `mlp`.
//
// Note: The inner models
//   f = head width, h = hidden width; row vectors; gelu is the tanh form; rms x = x / sqrt(mean x² + 1e-6).
//   Every model is a map to features, which may learn, and a last layer that is linear in them:  z = s + X W + b.
//     linear       X = x                                        W1 [f][f] (and b1 [1][f])
//     mlp          X = gelu(x W1 + b1)                          W1 [f][h] b1 [1][h] W2 [h][f] b2 [1][f]
//     cnn          X = gelu((x + taps * x) W1 + b1)             and taps [3][3][f]: each channel of a frame, as the
//                                                               grid of its tokens, is convolved by itself, with zeros
//                                                               around the grid
//     transformer  y = rms x,  u = x + softmax(y Wq (y Wk)ᵀ / √f) y Wv Wo  over the tokens of a frame
//                  X = gelu(rms(u) W1 + b1),  s = u             and Wq Wk Wv Wo [f][f]
//   The cnn and the transformer see whole frames; linear and mlp see token by token.
//
// Any thread; a model is const and has no state. Extents that do not fit throw c10::Error.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/net/mixer.h"

namespace longtake::inner {

// Fast weights [B][nh][…], in the order of Model::weights(). Sets of other numbers per head have this form too.
using Weights = std::vector<at::Tensor>;

struct ModelShape {
  int head_width = 64;
  int hidden_width = 256;
  int tokens = 16;   // of a frame: a square grid, row by row; cnn and transformer
  bool bias = true;  // of the last layer
};

struct Features {
  at::Tensor rows;     // X [B][nh][n][p]
  at::Tensor skipped;  // s [B][nh][n][f]; undefined: 0
};

class Model {
 public:
  explicit Model(const ModelShape& shape) : shape_(shape) {}
  virtual ~Model() = default;

  // Of one head, at the start. The last layer stands at the end: its matrix [p][f], then its bias [1][f] if it has one.
  virtual std::vector<ParameterStart> weights() const = 0;
  // x [B][nh][n][f], whole frames if whole_frames().
  virtual Features features(const Weights& weights, const at::Tensor& x) const = 0;
  virtual bool whole_frames() const { return false; }

  const ModelShape& shape() const noexcept { return shape_; }
  std::size_t last_layer() const { return weights().size() - (shape_.bias ? 2 : 1); }  // its matrix among the weights

 protected:
  ModelShape shape_;
};

// "linear", "mlp", "cnn" or "transformer". Errors: std::invalid_argument (another name; a frame that is no square).
std::unique_ptr<Model> make_model(std::string_view name, const ModelShape& shape);

// z [B][nh][n][f] of the features.
at::Tensor last_layer_of(const Model& model, const Weights& weights, const Features& features);

}  // namespace longtake::inner
