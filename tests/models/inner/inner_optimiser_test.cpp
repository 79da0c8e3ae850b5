// Inner optimisers against formulas written out here and against other ways to the same.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/inner/inner_testing.h"

namespace longtake::inner {
namespace {

using at::Tensor;

// Three steps along given gradients, from the start.
struct Walk {
  Weights weights, end;
  std::vector<Weights> gradients;

  Walk(const std::string& optimiser, double rate, unsigned seed) {
    const auto model = make_model("mlp", {5, 3, 4});
    const auto by = make_optimiser(optimiser, rate);
    Draw draw(seed);
    for (const ParameterStart& weight : model->weights())
      weights.push_back(draw({2, 1, weight.shape[0], weight.shape[1]}));
    end = weights;
    Weights moments = by->start(*model, weights);
    for (int i = 0; i < 3; ++i) {
      Weights gradient;
      for (const Tensor& weight : weights) gradient.push_back(draw(weight.sizes().vec(), 0.1));
      gradients.push_back(gradient);
      auto step = by->step(*model, end, moments, gradient);
      end = step.weights;
      moments = step.moments;
    }
  }
  static double number(const Tensor& x, std::int64_t i) { return x.contiguous().data_ptr<double>()[i]; }
};

TEST(InnerOptimiser, MomentumStepsEqualTheirFormula) {
  constexpr double rate = 0.3;
  const Walk walk("momentum", rate, 1);
  for (std::size_t w = 0; w < walk.weights.size(); ++w) {
    for (std::int64_t i = 0; i < walk.weights[w].numel(); ++i) {
      const double g1 = Walk::number(walk.gradients[0][w], i), g2 = Walk::number(walk.gradients[1][w], i),
                   g3 = Walk::number(walk.gradients[2][w], i);
      // Each gradient goes on at 0.9 of what it was.
      const double want = Walk::number(walk.weights[w], i) - rate * (g1 * (1 + 0.9 + 0.81) + g2 * (1 + 0.9) + g3);
      EXPECT_NEAR(Walk::number(walk.end[w], i), want, 1e-14);
    }
  }
}

TEST(InnerOptimiser, AdamStepsEqualTheirFormula) {
  constexpr double rate = 0.3;
  const Walk walk("adam", rate, 2);
  for (std::size_t w = 0; w < walk.weights.size(); ++w) {
    for (std::int64_t i = 0; i < walk.weights[w].numel(); ++i) {
      double at = Walk::number(walk.weights[w], i);
      // Means over the steps so far, weighed by how long ago they were.
      for (int t = 1; t <= 3; ++t) {
        double mean = 0, square = 0, of_mean = 0, of_square = 0;
        for (int s = 1; s <= t; ++s) {
          const double g = Walk::number(walk.gradients[std::size_t(s - 1)][w], i);
          mean += std::pow(0.9, t - s) * g, of_mean += std::pow(0.9, t - s);
          square += std::pow(0.999, t - s) * g * g, of_square += std::pow(0.999, t - s);
        }
        at -= rate * (mean / of_mean) / std::sqrt(square / of_square + 1e-16);
      }
      EXPECT_NEAR(Walk::number(walk.end[w], i), at, 1e-12);
    }
  }
}

// The polynomial of the five steps, on a singular value.
double five_steps(double s) {
  for (int i = 0; i < 5; ++i) s = 3.4445 * s - 4.7750 * std::pow(s, 3) + 2.0315 * std::pow(s, 5);
  return s;
}

TEST(InnerOptimiser, MuonTurnsAMatrixIntoANearlyOrthogonalOne) {
  Draw draw(3);
  for (const auto& [rows, columns] : {std::pair{8, 5}, {5, 8}, {6, 6}, {1, 1}, {64, 16}}) {
    const Tensor x = draw({2, 3, rows, columns});
    const auto [u, s, v] = at::linalg_svd(x, /*full_matrices=*/false);
    const Tensor relative = s / x.norm(2, {2, 3}).unsqueeze(-1);
    Tensor mapped = relative.clone();
    for (std::int64_t i = 0; i < mapped.numel(); ++i) {
      double& value = mapped.data_ptr<double>()[i];
      if (value > 0.003) {
        EXPECT_GE(five_steps(value), 0.68);
        EXPECT_LE(five_steps(value), 1.21);
      }
      value = five_steps(value);
    }
    const Tensor got = newton_schulz(x);
    const Tensor want = at::matmul(u * mapped.unsqueeze(2), v);
    EXPECT_TRUE(largest(got - want) <= 1e-10) << rows << "x" << columns << " " << largest(got - want);
    // The same directions, all of nearly one length.
    const Tensor lengths = std::get<1>(at::linalg_svd(got, false));
    EXPECT_LE(largest(lengths), 1.21) << rows << "x" << columns;
    if (rows != columns) {
      EXPECT_GE(lengths.min().item<double>(), 0.68) << rows << "x" << columns;
    }
  }
}

TEST(InnerOptimiser, MuonOfNothingIsNothingAndHasAGradient) {
  Tensor x = at::zeros({1, 1, 4, 3}, at::kDouble).requires_grad_(true);
  const Tensor y = newton_schulz(x);
  EXPECT_EQ(largest(y), 0);
  y.sum().backward();
  EXPECT_TRUE(std::isfinite(largest(x.grad())));
}

TEST(InnerOptimiser, MuonStepsMatricesByTheirDirectionAndVectorsByMomentum) {
  constexpr double rate = 0.3;
  const Walk walk("muon", rate, 4);
  const Walk plain("momentum", rate, 4);  // the same gradients
  for (const std::size_t w : {1, 3}) EXPECT_TRUE(at::equal(walk.end[w], plain.end[w])) << w;
  for (const std::size_t w : {0, 2}) {  // [5][3], and [3][5]
    Tensor moment = at::zeros_like(walk.weights[w]), want = walk.weights[w];
    for (const Weights& gradient : walk.gradients) {
      moment = 0.9 * moment + gradient[w];
      const Tensor ahead = gradient[w] + 0.9 * moment;
      want = want - rate * (w == 0 ? std::sqrt(5.0 / 3) : 1) * newton_schulz(ahead);
    }
    EXPECT_TRUE(largest(walk.end[w] - want) <= 1e-13) << w;
  }
}

// Against a solver that never forms Xᵀ X: the least squares of all rows seen and of the pull towards the start.
TEST(InnerOptimiser, RlsIsRidgeRegressionOverAllThatWasSeen) {
  for (const char* name : {"linear", "mlp"}) {
    for (const int mini_batch : {1, kTokens, 3 * kTokens}) {
      for (const bool residual : {true, false}) {
        const double rate = 0.7;
        LoopShape shape = loop_of({name, "rls", rate});
        shape.unit = mini_batch == 1 ? 1 : kTokens;
        shape.mini_batch = mini_batch;
        shape.residual = residual;
        Leaves leaves(shape, 6 * kTokens, 5);
        leaves.in.scale = Tensor();
        const auto got = run(shape, leaves);
        const std::size_t last = shape.model->last_layer();
        for (int b = 0; b < kBatch; ++b) {
          for (int h = 0; h < kHeads; ++h) {
            const auto weight = [&](std::size_t i) { return leaves.weights[i][0][h]; };
            const Tensor k = leaves.in.k[b][h];
            Tensor x = k;
            if (last == 2) {
              const Tensor z = at::matmul(k, weight(0)) + weight(1);
              x = 0.5 * z * (1 + at::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
            }
            x = at::cat({x, at::ones({x.size(0), 1}, at::kDouble)}, 1);
            const Tensor target = residual ? leaves.in.v[b][h] - k : leaves.in.v[b][h];
            const Tensor start = at::cat({weight(last), weight(last + 1)}, 0);
            const Tensor root = at::sqrt(leaves.in.share[b][h]).unsqueeze(1);
            const Tensor pull = at::eye(x.size(1), at::kDouble) / std::sqrt(rate);
            const Tensor want = std::get<0>(
                at::linalg_lstsq(at::cat({root * x, pull}), at::cat({root * target, at::matmul(pull, start)})));
            const Tensor found = at::cat({got.end.weights[last][b][h], got.end.weights[last + 1][b][h]}, 0);
            EXPECT_TRUE(largest(found - want) <= 1e-11) << name << " " << mini_batch << " " << largest(found - want);
          }
        }
        if (last == 2) {
          EXPECT_TRUE(at::equal(got.end.weights[0][0], leaves.weights[0][0])) << "features do not learn";
        }
      }
    }
  }
}

TEST(InnerOptimiser, TheFirstSmallStepOfRlsIsThatOfSgd) {
  LoopShape rls = loop_of({"linear", "rls", 1e-6});
  LoopShape sgd = loop_of({"linear", "sgd", 1e-6});
  sgd.norm = false;
  Leaves leaves(rls, 2 * kTokens, 6);
  const auto one = run(rls, leaves), other = run(sgd, leaves);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor moved = other.end.weights[i] - leaves.weights[i];
    EXPECT_TRUE(largest(one.end.weights[i] - other.end.weights[i]) <= 1e-4 * largest(moved));
  }
}

}  // namespace
}  // namespace longtake::inner
