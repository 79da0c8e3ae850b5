// The loop around any inner model and optimiser: gradients, windows, order, guard, and that it learns.
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/models/inner/inner_testing.h"

namespace longtake::inner {
namespace {

using at::Tensor;

// Of all that training may look at.
Tensor loss_of(const LoopOutputs& out) {
  Tensor sum = (out.z * fixed(out.z)).sum() + (out.before * fixed(out.before)).sum();
  for (const Weights& numbers : {out.end.weights, out.end.moments, out.end.open}) {
    for (const Tensor& part : numbers) sum = sum + (part * fixed(part)).sum() / std::sqrt(double(part.numel()));
  }
  return sum;
}

// What one step of sgd with a rate of 1 subtracts is the gradient of Σ c ½ ‖f(k) − v‖².
TEST(InnerLoop, InnerGradientEqualsFiniteDifferences) {
  for (const char* model : {"linear", "mlp", "cnn", "transformer"}) {
    for (const bool wrapped : {true, false}) {  // in norm and residual
      LoopShape shape = loop_of({model, "sgd", 1});
      shape.norm = shape.residual = wrapped;
      shape.mini_batch = shape.unit = 2 * kTokens;
      Leaves leaves(shape, shape.unit, 1);
      leaves.in.scale = Tensor();
      const auto loss = [&](const Weights& weights) {
        const auto out = run_loop(shape, leaves.in, loop_start(shape, weights, 2));
        return (0.5 * kWidth * leaves.in.share * out.before).sum(2);  // [B][nh]
      };
      const auto out = run(shape, leaves);
      for (std::size_t i = 0; i < leaves.weights.size(); ++i) {
        const Tensor direction = fixed(leaves.weights[i]);
        const auto moved = [&](double by) {
          Weights other = leaves.weights;
          other[i] = other[i] + by * direction;
          return loss(other);
        };
        const Tensor numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        const Tensor gradient = leaves.weights[i] - out.end.weights[i];
        const Tensor exact = (gradient * direction).flatten(2).sum(2);
        EXPECT_TRUE(largest(numeric - exact) <= 1e-8 * (1 + largest(exact)))
            << model << " weight " << i << ": " << largest(numeric - exact);
      }
    }
  }
}

TEST(InnerLoop, OuterGradientEqualsFiniteDifferences) {
  double worst = 0;
  for (const Kind& kind : kinds()) {
    for (const bool ends : {true, false}) {
      if (!ends && kind.model != "linear") continue;
      LoopShape shape = loop_of(kind);
      if (!ends) shape.mini_batch = 0;
      if (!ends) shape.residual = false;
      Leaves leaves(shape, 5 * kTokens, 2);  // the last mini-batch stays open
      // Two windows, the state carried.
      const auto loss = [&](const Leaves& at) {
        const auto first = run_loop(shape, at.window(0, 3 * kTokens), loop_start(shape, at.weights, kBatch));
        const auto second = run_loop(shape, at.window(3 * kTokens, 2 * kTokens), first.end);
        return loss_of(first) + loss_of(second);
      };
      Leaves tracked = leaves;
      for (const auto& [name, leaf] : tracked.named()) *leaf = leaf->clone().requires_grad_(true);
      loss(tracked).backward();
      const auto with_gradients = tracked.named();
      const auto plain = leaves.named();
      for (std::size_t i = 0; i < plain.size(); ++i) {
        Tensor& leaf = *plain[i].second;
        const Tensor here = leaf;
        const Tensor direction = fixed(leaf) / std::sqrt(double(leaf.numel()));
        const double step = 1e-6;
        const auto moved = [&](double by) {
          leaf = here + by * direction;
          return loss(leaves).item<double>();
        };
        const double numeric = (moved(step) - moved(-step)) / (2 * step);
        leaf = here;
        const Tensor gradient = with_gradients[i].second->grad();
        ASSERT_TRUE(gradient.defined()) << name_of(kind) << " " << plain[i].first;
        const double exact = (gradient * direction).sum().item<double>();
        const double error = std::abs(numeric - exact) / (largest(gradient) + 1e-2);
        EXPECT_TRUE(error <= 2e-6) << name_of(kind) << " " << plain[i].first << ": " << numeric << " by differences, "
                                   << exact;
        worst = std::max(worst, error);
      }
    }
  }
  std::printf("worst relative error %.1e\n", worst);
}

TEST(InnerLoop, WithoutGradientsGivesTheSameBitsAndNoGraph) {
  for (const Kind& kind : kinds()) {
    const LoopShape shape = loop_of(kind);
    Leaves leaves(shape, 4 * kTokens, 3);
    const auto plain = run(shape, leaves);  // nothing wants a gradient
    EXPECT_FALSE(plain.z.requires_grad());
    EXPECT_FALSE(plain.end.weights.back().requires_grad());
    for (const auto& [name, leaf] : leaves.named()) leaf->requires_grad_(true);
    const auto tracked = run(shape, leaves);
    EXPECT_TRUE(tracked.z.requires_grad());
    EXPECT_TRUE(at::equal(plain.z, tracked.z)) << name_of(kind);
    const at::NoGradGuard none;
    const auto guarded = run(shape, leaves);
    EXPECT_FALSE(guarded.z.requires_grad());
    EXPECT_TRUE(at::equal(plain.z, guarded.z)) << name_of(kind);
  }
}

TEST(InnerLoop, InWindowsEqualsTheWhole) {
  for (const Kind& kind : kinds()) {
    for (const bool ends : {true, false}) {
      LoopShape shape = loop_of(kind);
      if (!ends) shape.mini_batch = 0;
      Leaves leaves(shape, 7 * kTokens, 4);
      const auto whole = run(shape, leaves);
      LoopState state = loop_start(shape, leaves.weights, kBatch);
      std::vector<Tensor> pieces;
      std::int64_t first = 0;
      for (const int frames : {1, 3, 1, 2}) {  // through the middle of mini-batches
        const auto part = run_loop(shape, leaves.window(first, frames * kTokens), state);
        pieces.push_back(part.z);
        state = part.end;
        first += frames * kTokens;
      }
      EXPECT_TRUE(largest(at::cat(pieces, 2) - whole.z) <= 1e-13) << name_of(kind);
      EXPECT_EQ(state.open_units, whole.end.open_units);
      for (std::size_t i = 0; i < state.weights.size(); ++i) {
        EXPECT_TRUE(largest(state.weights[i] - whole.end.weights[i]) <= 1e-13) << name_of(kind) << " " << i;
      }
      for (std::size_t i = 0; i < state.moments.size(); ++i) {
        EXPECT_TRUE(largest(state.moments[i] - whole.end.moments[i]) <= 1e-12) << name_of(kind) << " " << i;
      }
    }
  }
}

TEST(InnerLoop, LaterFramesDoNotReachBackAndStreamsAndHeadsDoNotTouch) {
  for (const Kind& kind : kinds()) {
    const LoopShape shape = loop_of(kind);
    Leaves leaves(shape, 4 * kTokens, 5);
    const auto before = run(shape, leaves);
    Leaves other = leaves;
    Draw draw(6);
    for (Tensor* rows : {&other.in.q, &other.in.k, &other.in.v}) {
      *rows = rows->clone();
      rows->select(0, 1).select(0, 0).narrow(0, 2 * kTokens, kTokens).add_(draw({kTokens, kWidth}));
    }
    const auto after = run(shape, other);
    const Tensor changed = (after.z - before.z).abs().amax(3);  // [B][nh][L]
    EXPECT_EQ(largest(changed[0]), 0) << name_of(kind);
    EXPECT_EQ(largest(changed[1][1]), 0) << name_of(kind);
    EXPECT_EQ(largest(changed[1][0].narrow(0, 0, 2 * kTokens)), 0) << name_of(kind);
    EXPECT_GT(largest(changed[1][0].narrow(0, 3 * kTokens, kTokens)), 1e-6) << name_of(kind);
  }
}

// A frame's queries read what its own keys have just taught.
TEST(InnerLoop, AFrameReadsWhatItWrote) {
  for (const Kind& kind : kinds()) {
    const LoopShape shape = loop_of(kind);
    Leaves leaves(shape, kTokens, 7);
    const auto before = run(shape, leaves);
    leaves.in.v = leaves.in.v + 1.0 * fixed(leaves.in.v);
    EXPECT_GT(largest(run(shape, leaves).z - before.z), 1e-3) << name_of(kind);
  }
}

// A head that was refused one frame goes on as if that frame had never been.
TEST(InnerLoop, RefusesStepsThatAreNotFinite) {
  for (const Kind& kind : kinds()) {
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), 1e200}) {
      LoopShape shape = loop_of(kind);
      shape.mini_batch = kTokens;
      Leaves leaves(shape, 4 * kTokens, 8);
      const auto good = run(shape, leaves);
      EXPECT_EQ(good.refused, 0);
      Leaves broken = leaves;
      broken.in.v = leaves.in.v.clone();
      broken.in.v[1][0].narrow(0, kTokens, kTokens).fill_(bad);
      const auto got = run(shape, broken);
      EXPECT_EQ(got.refused, 1) << name_of(kind) << " " << bad;
      EXPECT_TRUE(at::equal(got.z[0], good.z[0])) << name_of(kind);
      EXPECT_TRUE(at::equal(got.z[1][1], good.z[1][1])) << name_of(kind);

      Leaves cut = leaves;
      for (Tensor* rows : {&cut.in.q, &cut.in.k, &cut.in.v, &cut.in.share}) {
        *rows = at::cat({rows->narrow(2, 0, kTokens), rows->narrow(2, 2 * kTokens, 2 * kTokens)}, 2);
      }
      const auto without = run(shape, cut);
      const Tensor rest = got.z[1][0].narrow(0, 2 * kTokens, 2 * kTokens);
      EXPECT_TRUE(largest(rest - without.z[1][0].narrow(0, kTokens, 2 * kTokens)) <= 1e-14)
          << name_of(kind) << " " << bad;
      for (std::size_t i = 0; i < got.end.moments.size(); ++i) {
        EXPECT_TRUE(largest(got.end.moments[i][1][0] - without.end.moments[i][1][0]) <= 1e-12) << name_of(kind);
      }
      broken.weights[0].requires_grad_(true);
      EXPECT_THROW(run(shape, broken), std::runtime_error) << name_of(kind);
    }
  }
}

TEST(InnerLoop, LearnsWhatComesAgainAndAgain) {
  constexpr int kTimes = 30;
  for (const Kind& kind : kinds()) {
    for (const int mini_batch : {1, 2 * kTokens}) {
      LoopShape shape = loop_of(kind);
      if (mini_batch == 1 && kind.model != "mlp") continue;
      shape.mini_batch = mini_batch;
      if (mini_batch == 1) shape.unit = 1;
      Leaves leaves(shape, 2 * kTokens, 9);
      leaves.in.share = Tensor();
      leaves.in.scale = Tensor();
      for (Tensor* rows : {&leaves.in.q, &leaves.in.k, &leaves.in.v}) *rows = rows->repeat({1, 1, kTimes, 1});
      const Tensor before = run(shape, leaves).before;
      const double first = before.narrow(2, 0, 2 * kTokens).mean().item<double>();
      const double last = before.narrow(2, (kTimes - 1) * 2 * kTokens, 2 * kTokens).mean().item<double>();
      std::printf("%-12s %-9s b=%d: %.3f to %.3f\n", kind.model.c_str(), kind.optimiser.c_str(), mini_batch, first,
                  last);
      EXPECT_LT(last, 0.6 * first) << name_of(kind);
    }
  }
}

TEST(InnerLoop, ARateOfZeroLearnsNothing) {
  for (const char* optimiser : {"sgd", "momentum", "adam", "muon"}) {
    const LoopShape shape = loop_of({"mlp", optimiser, 0});
    Leaves leaves(shape, 4 * kTokens, 10);
    const auto out = run(shape, leaves);
    for (std::size_t i = 0; i < leaves.weights.size(); ++i) {
      EXPECT_TRUE(at::equal(out.end.weights[i], leaves.weights[i].expand_as(out.end.weights[i]))) << optimiser;
    }
  }
}

TEST(InnerLoop, RefusesWhatDoesNotFit) {
  const auto wrong = [](const Kind& kind, const std::function<void(LoopShape&, Leaves&)>& change) {
    LoopShape shape = loop_of(kind);
    Leaves leaves(shape, 4 * kTokens, 11);
    change(shape, leaves);
    EXPECT_THROW(run(shape, leaves), std::invalid_argument);
  };
  const Kind mlp{"mlp", "sgd", 0.1}, cnn{"cnn", "sgd", 0.1}, rls{"linear", "rls", 0.1};
  wrong(mlp, [](LoopShape& s, Leaves&) { s.mini_batch = 6; });
  wrong(mlp, [](LoopShape& s, Leaves&) { s.unit = 0; });
  wrong(cnn, [](LoopShape& s, Leaves& l) { s.unit = 2, s.mini_batch = 4, l.in.scale = at::ones({2}, at::kDouble); });
  wrong(rls, [](LoopShape& s, Leaves& l) {
    s.norm = true, l.in.norm_weight = l.in.norm_bias = at::ones({kHeads, kWidth}, at::kDouble);
  });
  wrong(mlp, [](LoopShape&, Leaves& l) { l.in.k = l.in.k.narrow(2, 0, 4); });
  wrong(mlp, [](LoopShape&, Leaves& l) { l.in = l.window(0, 6); });
  wrong(mlp, [](LoopShape&, Leaves& l) { l.in.share = l.in.share.narrow(2, 0, 4); });
  wrong(mlp, [](LoopShape&, Leaves& l) { l.in.scale = at::ones({3}, at::kDouble); });
  wrong(mlp, [](LoopShape&, Leaves& l) { l.in.norm_bias = Tensor(); });
  EXPECT_THROW(make_model("abacus", {}), std::invalid_argument);
  EXPECT_THROW(make_model("cnn", {8, 8, 12}), std::invalid_argument);
  EXPECT_THROW(make_optimiser("abacus", 1), std::invalid_argument);
  EXPECT_THROW(make_optimiser("sgd", -1), std::invalid_argument);
  EXPECT_THROW(make_optimiser("rls", 0), std::invalid_argument);
}

}  // namespace
}  // namespace longtake::inner
