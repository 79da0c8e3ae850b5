// Inner optimisers: how the weights of an inner model move when a mini-batch has been seen.
//
// Note: The inner optimisers
//   G is the gradient of the mini-batch's loss at the weights it started from, η the rate. Moments start at 0 and are
//   part of the state of a stream.
//     sgd       W ← W − η G                                                        (the paper's)
//     momentum  M ← μ M + G,  W ← W − η M,  μ = 0.9                                (Polyak 1964)
//     adam      M ← β₁ M + (1 − β₁) G,  V ← β₂ V + (1 − β₂) G²,  t ← t + 1,
//               W ← W − η M̂ / sqrt(V̂ + ε²),  M̂ = M / (1 − β₁ᵗ),  V̂ = V / (1 − β₂ᵗ),  β = 0.9, 0.999, ε = 1e-8
//               (Kingma and Ba 2015, but for ε under the root: the outer loop needs a derivative where G = 0)
//     muon      M ← μ M + G,  W ← W − η sqrt(max(1, rows / columns)) NS(G + μ M) for matrices [rows][columns], and as
//               momentum for the rest; NS(X) is near U Vᵀ of the singular value decomposition U S Vᵀ of X: from
//               X / ‖X‖, five times X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X with a, b, c = 3.4445, −4.7750, 2.0315, which
//               brings every singular value above 0.003 to 0.68 … 1.21 (Jordan et al. 2024)
//     rls       recursive least squares on the last layer, whose features X (with a column of ones for the bias) do not
//               learn: A ← A + Xᵀ C X,  W ← W + A⁻¹ Xᵀ C (T − X W), A = I / η at the start, C = how much each token
//               counts. W is then at all times the exact minimum of Σ C ‖T − X W‖² + ‖W − W₀‖² / η, which is a Newton
//               step where the others take a gradient's; the first step of a small η is the gradient's. Wants an inner
//               model without output norm.
//   Adam and muon take steps of a size of their own: how much tokens count among each other matters to them, how much
//   they count altogether does not.
//
// Any thread; an optimiser is const.
#pragma once

#include <memory>
#include <string_view>

#include "models/inner/inner_model.h"

namespace longtake::inner {

class Optimiser {
 public:
  explicit Optimiser(double rate) : rate_(rate) {}
  virtual ~Optimiser() = default;

  // Moments [B][nh][…] at the start of a stream.
  virtual Weights start(const Model& model, const Weights& weights) const = 0;

  // What tokens say about the weights, as sums over tokens, so that what two pieces of a mini-batch say may be added:
  // the gradient with respect to each weight, or if least_squares() Xᵀ C X [p][p] and Xᵀ C (T − X W) [p][f].
  virtual bool least_squares() const { return false; }
  virtual Weights no_evidence(const Model& model, const Weights& weights) const;

  struct Step {
    Weights weights;
    Weights moments;
  };
  virtual Step step(const Model& model, const Weights& weights, const Weights& moments,
                    const Weights& evidence) const = 0;

 protected:
  double rate_;
};

// "sgd", "momentum", "adam", "muon" or "rls". Errors: std::invalid_argument (another name; a rate below 0, or 0 for
// rls).
std::unique_ptr<Optimiser> make_optimiser(std::string_view name, double rate);

// NS(x) of the last two extents.
at::Tensor newton_schulz(const at::Tensor& x);

}  // namespace longtake::inner
