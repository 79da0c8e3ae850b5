// Random tensors, and loops of every kind, for the tests of models/inner.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "models/inner/inner_loop.h"

namespace longtake::inner {

class Draw {
 public:
  explicit Draw(unsigned seed, at::ScalarType type = at::kDouble) : random_(seed), type_(type) {}
  at::Tensor operator()(std::vector<std::int64_t> extents, double spread = 1, double centre = 0) {
    at::Tensor out = at::empty(extents, at::kDouble);
    for (std::int64_t i = 0; i < out.numel(); ++i) out.data_ptr<double>()[i] = centre + spread * normal_(random_);
    return out.to(type_);
  }

 private:
  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  at::ScalarType type_;
};

// Zero, or NaN if one of them is not finite.
inline double largest(const at::Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().to(at::kDouble).item<double>(); }

// The same for every tensor of its shape.
inline at::Tensor fixed(const at::Tensor& like) {
  return at::sin(at::arange(like.numel(), at::kDouble) * 1.7).view(like.sizes()).to(like.scalar_type());
}

struct Kind {
  std::string model;
  std::string optimiser;
  double rate;
};
inline std::string name_of(const Kind& kind) { return kind.model + " " + kind.optimiser; }

// Every inner model with every optimiser.
inline std::vector<Kind> kinds() {
  std::vector<Kind> out;
  for (const char* model : {"linear", "mlp", "cnn", "transformer"}) {
    for (const auto& [optimiser, rate] :
         {std::pair{"sgd", 0.1}, {"momentum", 0.03}, {"adam", 0.01}, {"muon", 0.02}, {"rls", 0.1}}) {
      out.push_back({model, optimiser, rate});
    }
  }
  return out;
}

// Frames of 2 x 2 tokens, and mini-batches of two frames.
constexpr int kTokens = 4, kWidth = 6, kHidden = 7, kHeads = 2, kBatch = 2;
inline LoopShape loop_of(const Kind& kind) {
  LoopShape shape;
  shape.model = make_model(kind.model, {kWidth, kHidden, kTokens});
  shape.optimiser = make_optimiser(kind.optimiser, kind.rate);
  shape.unit = kTokens;
  shape.mini_batch = 2 * kTokens;
  shape.norm = !shape.optimiser->least_squares();
  return shape;
}

// All that goes into a loop.
struct Leaves {
  Inputs in;
  Weights weights;  // [1][nh][…]

  Leaves(const LoopShape& shape, std::int64_t length, unsigned seed) {
    Draw draw(seed);
    const std::vector<std::int64_t> rows{kBatch, kHeads, length, kWidth};
    in.q = draw(rows);
    in.k = draw(rows);
    in.v = draw(rows);
    in.share = draw({kBatch, kHeads, length}, 0.05, 0.25);
    if (shape.mini_batch > 0) in.scale = draw({shape.mini_batch / shape.unit}, 0.1, 0.8);
    if (shape.norm) {
      in.norm_weight = draw({kHeads, kWidth}, 0.2, 1);
      in.norm_bias = draw({kHeads, kWidth}, 0.2);
    }
    for (const ParameterStart& weight : shape.model->weights()) {
      std::vector<std::int64_t> extents{1, kHeads};
      extents.insert(extents.end(), weight.shape.begin(), weight.shape.end());
      weights.push_back(draw(extents, 0.4));
    }
  }

  std::vector<std::pair<std::string, at::Tensor*>> named() {
    std::vector<std::pair<std::string, at::Tensor*>> all{{"q", &in.q},           {"k", &in.k},
                                                         {"v", &in.v},           {"share", &in.share},
                                                         {"scale", &in.scale},   {"gamma", &in.norm_weight},
                                                         {"beta", &in.norm_bias}};
    for (std::size_t i = 0; i < weights.size(); ++i) all.emplace_back("weight " + std::to_string(i), &weights[i]);
    std::erase_if(all, [](const auto& entry) { return !entry.second->defined(); });
    return all;
  }
  Inputs window(std::int64_t first, std::int64_t count) const {
    Inputs part = in;
    for (at::Tensor* rows : {&part.q, &part.k, &part.v, &part.share}) *rows = rows->narrow(2, first, count);
    return part;
  }
};

inline LoopOutputs run(const LoopShape& shape, const Leaves& leaves) {
  return run_loop(shape, leaves.in, loop_start(shape, leaves.weights, kBatch));
}

}  // namespace longtake::inner
