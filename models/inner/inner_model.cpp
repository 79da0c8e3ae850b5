#include "models/inner/inner_model.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>

namespace longtake::inner {
namespace {

using at::Tensor;

constexpr double kSpread = 0.02;  // the paper's

Tensor gelu_of(const Tensor& x) { return at::gelu(x, "tanh"); }
Tensor rms(const Tensor& x) { return x * at::rsqrt((x * x).mean(-1, /*keepdim=*/true) + 1e-6); }

class Linear final : public Model {
 public:
  using Model::Model;
  std::vector<ParameterStart> weights() const override {
    const std::int64_t f = shape_.head_width;
    std::vector<ParameterStart> out{{"W1", {f, f}, kSpread}};
    if (shape_.bias) out.push_back({"b1", {1, f}});
    return out;
  }
  Features features(const Weights&, const Tensor& x) const override { return {x, {}}; }
};

class Mlp : public Model {
 public:
  using Model::Model;
  std::vector<ParameterStart> weights() const override {
    const std::int64_t f = shape_.head_width, h = shape_.hidden_width;
    std::vector<ParameterStart> out{{"W1", {f, h}, kSpread}, {"b1", {1, h}}, {"W2", {h, f}, kSpread}};
    if (shape_.bias) out.push_back({"b2", {1, f}});
    return out;
  }
  Features features(const Weights& weights, const Tensor& x) const override { return {hidden(weights, 0, x), {}}; }

 protected:
  // gelu(x W1 + b1), W1 being the weight at `first`.
  static Tensor hidden(const Weights& weights, std::size_t first, const Tensor& x) {
    return gelu_of(at::matmul(x, weights[first]) + weights[first + 1]);
  }
  // What stands before W1, and then those of an MLP.
  std::vector<ParameterStart> behind(std::vector<ParameterStart> front) const {
    const auto rest = Mlp::weights();
    front.insert(front.end(), rest.begin(), rest.end());
    return front;
  }
};

class Cnn final : public Mlp {
 public:
  explicit Cnn(const ModelShape& shape) : Mlp(shape), side_(std::lround(std::sqrt(static_cast<double>(shape.tokens)))) {
    if (side_ * side_ != shape.tokens) throw std::invalid_argument("make_model: the tokens of a frame are no square");
  }
  std::vector<ParameterStart> weights() const override {
    return behind({{"taps", {3, 3, shape_.head_width}, kSpread}});
  }
  Features features(const Weights& weights, const Tensor& x) const override {
    return {hidden(weights, 1, x + convolved(weights[0], x)), {}};
  }
  bool whole_frames() const override { return true; }

 private:
  // taps [B][nh][3][3][f]
  Tensor convolved(const Tensor& taps, const Tensor& x) const {
    const std::int64_t f = shape_.head_width;
    const Tensor grid = x.reshape({x.size(0), x.size(1), -1, side_, side_, f});
    const Tensor padded = at::constant_pad_nd(grid, {0, 0, 1, 1, 1, 1});
    Tensor sum = at::zeros_like(grid);
    for (std::int64_t i = 0; i < 3; ++i) {
      for (std::int64_t j = 0; j < 3; ++j) {
        const Tensor tap = taps.select(2, i).select(2, j).view({taps.size(0), taps.size(1), 1, 1, 1, f});
        sum = sum + padded.narrow(3, i, side_).narrow(4, j, side_) * tap;
      }
    }
    return sum.reshape(x.sizes());
  }

  std::int64_t side_;
};

class Transformer final : public Mlp {
 public:
  using Mlp::Mlp;
  std::vector<ParameterStart> weights() const override {
    const std::int64_t f = shape_.head_width;
    const double keeps_scale = 1 / std::sqrt(static_cast<double>(f));
    return behind({{"Wq", {f, f}, keeps_scale},
                   {"Wk", {f, f}, keeps_scale},
                   {"Wv", {f, f}, keeps_scale},
                   {"Wo", {f, f}, kSpread}});
  }
  Features features(const Weights& weights, const Tensor& x) const override {
    const std::int64_t f = shape_.head_width;
    const Tensor y = rms(x);
    const auto by_frame = [&](const Tensor& matrix) {  // [B][nh][frames][tokens][f]
      return at::matmul(y, matrix).reshape({x.size(0), x.size(1), -1, shape_.tokens, f});
    };
    const Tensor scores = at::matmul(by_frame(weights[0]), by_frame(weights[1]).transpose(-1, -2));
    const Tensor attention = at::softmax(scores / std::sqrt(static_cast<double>(f)), -1);
    const Tensor mixed = at::matmul(attention, by_frame(weights[2])).reshape(x.sizes());
    const Tensor u = x + at::matmul(mixed, weights[3]);
    return {hidden(weights, 4, rms(u)), u};
  }
  bool whole_frames() const override { return true; }
};

}  // namespace

std::unique_ptr<Model> make_model(std::string_view name, const ModelShape& shape) {
  if (name == "linear") return std::make_unique<Linear>(shape);
  if (name == "mlp") return std::make_unique<Mlp>(shape);
  if (name == "cnn") return std::make_unique<Cnn>(shape);
  if (name == "transformer") return std::make_unique<Transformer>(shape);
  throw std::invalid_argument("make_model: no inner model is called \"" + std::string(name) + "\"");
}

at::Tensor last_layer_of(const Model& model, const Weights& weights, const Features& features) {
  const std::size_t last = model.last_layer();
  Tensor z = at::matmul(features.rows, weights[last]);
  if (model.shape().bias) z = z + weights[last + 1];
  return features.skipped.defined() ? features.skipped + z : z;
}

}  // namespace longtake::inner
