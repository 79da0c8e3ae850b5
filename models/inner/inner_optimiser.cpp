#include "models/inner/inner_optimiser.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <tuple>

#include <ATen/ATen.h>

namespace longtake::inner {
namespace {

using at::Tensor;

constexpr double kMomentum = 0.9;

Weights zeros_like(const Weights& weights) {
  Weights out;
  for (const Tensor& weight : weights) out.push_back(at::zeros_like(weight));
  return out;
}

class Sgd final : public Optimiser {
 public:
  using Optimiser::Optimiser;
  Weights start(const Model&, const Weights&) const override { return {}; }
  Step step(const Model&, const Weights& weights, const Weights&, const Weights& gradient) const override {
    Step out;
    for (std::size_t i = 0; i < weights.size(); ++i) out.weights.push_back(weights[i] - rate_ * gradient[i]);
    return out;
  }
};

class Momentum : public Optimiser {
 public:
  using Optimiser::Optimiser;
  Weights start(const Model&, const Weights& weights) const override { return zeros_like(weights); }
  Step step(const Model&, const Weights& weights, const Weights& moments, const Weights& gradient) const override {
    Step out;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      out.moments.push_back(kMomentum * moments[i] + gradient[i]);
      out.weights.push_back(weights[i] - rate_ * direction(gradient[i], out.moments[i]));
    }
    return out;
  }

 protected:
  virtual Tensor direction(const Tensor& /*gradient*/, const Tensor& moment) const { return moment; }
};

class Muon final : public Momentum {
 public:
  using Momentum::Momentum;

 protected:
  Tensor direction(const Tensor& gradient, const Tensor& moment) const override {
    const bool matrix = moment.dim() == 4 && moment.size(2) > 1 && moment.size(3) > 1;
    if (!matrix) return moment;
    const double tall = static_cast<double>(moment.size(2)) / static_cast<double>(moment.size(3));
    return std::sqrt(std::max(1.0, tall)) * newton_schulz(gradient + kMomentum * moment);
  }
};

class Adam final : public Optimiser {
 public:
  using Optimiser::Optimiser;
  // M of every weight, V of every weight, t [B][nh].
  Weights start(const Model&, const Weights& weights) const override {
    Weights out = zeros_like(weights);
    const Weights squares = zeros_like(weights);
    out.insert(out.end(), squares.begin(), squares.end());
    out.push_back(at::zeros({weights[0].size(0), weights[0].size(1)}, weights[0].options()));
    return out;
  }
  Step step(const Model&, const Weights& weights, const Weights& moments, const Weights& gradient) const override {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
    const std::size_t n = weights.size();
    const Tensor t = moments[2 * n] + 1;
    Step out;
    Weights squares;
    for (std::size_t i = 0; i < n; ++i) {
      const Tensor& g = gradient[i];
      out.moments.push_back(kBeta1 * moments[i] + (1 - kBeta1) * g);
      squares.push_back(kBeta2 * moments[n + i] + (1 - kBeta2) * g * g);
      // A head's number of steps beside each of its numbers. Without it the first steps would be far too short.
      std::vector<std::int64_t> extents(static_cast<std::size_t>(g.dim()), 1);
      extents[0] = t.size(0);
      extents[1] = t.size(1);
      const Tensor steps = t.view(extents);
      const Tensor mean = out.moments[i] / (1 - at::pow(kBeta1, steps));
      const Tensor square = squares[i] / (1 - at::pow(kBeta2, steps));
      out.weights.push_back(weights[i] - rate_ * mean * at::rsqrt(square + kEpsilon * kEpsilon));
    }
    out.moments.insert(out.moments.end(), squares.begin(), squares.end());
    out.moments.push_back(t);
    return out;
  }
};

// In information form: A itself is carried, not its inverse, so that rounding does not build up in it.
class Rls final : public Optimiser {
 public:
  using Optimiser::Optimiser;
  Weights start(const Model& model, const Weights& weights) const override {
    const Tensor& matrix = weights[model.last_layer()];
    const std::int64_t p = matrix.size(2) + (model.shape().bias ? 1 : 0);
    return {(at::eye(p, matrix.options()) / rate_).expand({matrix.size(0), matrix.size(1), p, p})};
  }
  bool least_squares() const override { return true; }
  Weights no_evidence(const Model& model, const Weights& weights) const override {
    const Tensor moments = at::zeros_like(start(model, weights)[0]);
    return {moments, moments.narrow(3, 0, 1).expand({-1, -1, -1, weights[model.last_layer()].size(3)})};
  }
  Step step(const Model& model, const Weights& weights, const Weights& moments,
            const Weights& evidence) const override {
    Step out{weights, {moments[0] + evidence[0]}};
    // Not a number where A is not positive definite, as after an overflow: the loop refuses such a step.
    const auto [factor, trouble] = at::linalg_cholesky_ex(out.moments[0]);
    const Tensor failed = (trouble != 0).view({trouble.size(0), trouble.size(1), 1, 1});
    const Tensor change = at::cholesky_solve(evidence[1], factor).masked_fill(failed, std::nan(""));
    const std::size_t last = model.last_layer();
    const std::int64_t rows = weights[last].size(2);
    out.weights[last] = weights[last] + change.narrow(2, 0, rows);
    if (model.shape().bias) out.weights[last + 1] = weights[last + 1] + change.narrow(2, rows, 1);
    return out;
  }
};

}  // namespace

Weights Optimiser::no_evidence(const Model&, const Weights& weights) const { return zeros_like(weights); }

at::Tensor newton_schulz(const at::Tensor& x) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kLeast = 1e-7;
  // The smaller of the two products; a matrix of zeros stays one.
  const bool tall = x.size(-2) > x.size(-1);
  Tensor y = tall ? x.transpose(-1, -2) : x;
  y = y * at::rsqrt((y * y).sum({-2, -1}, /*keepdim=*/true) + kLeast * kLeast);
  for (int i = 0; i < 5; ++i) {
    const Tensor square = at::matmul(y, y.transpose(-1, -2));
    y = kA * y + at::matmul(kB * square + kC * at::matmul(square, square), y);
  }
  return tall ? y.transpose(-1, -2) : y;
}

std::unique_ptr<Optimiser> make_optimiser(std::string_view name, double rate) {
  if (!(rate >= 0)) throw std::invalid_argument("make_optimiser: the rate is below 0");
  if (name == "sgd") return std::make_unique<Sgd>(rate);
  if (name == "momentum") return std::make_unique<Momentum>(rate);
  if (name == "adam") return std::make_unique<Adam>(rate);
  if (name == "muon") return std::make_unique<Muon>(rate);
  if (name == "rls" && rate == 0) throw std::invalid_argument("make_optimiser: the rate of rls is 0");
  if (name == "rls") return std::make_unique<Rls>(rate);
  throw std::invalid_argument("make_optimiser: no inner optimiser is called \"" + std::string(name) + "\"");
}

}  // namespace longtake::inner
