// Every backend of the inner loop against the primal form, and its properties.
#include "kernels/ttt.h"

#include <bit>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/kernels/problem.h"

namespace longtake {

void PrintTo(const TttShape& s, std::ostream* out) {
  *out << (s.model == TttModel::kMlp ? "mlp" : "linear") << (s.form == TttForm::kCausal ? " causal" : " frame")
       << (s.target == TttTarget::kResidual ? "" : " normalised") << (s.update == TttUpdate::kAll ? "" : " last layer")
       << (s.keep_row_norms ? " row norms" : "") << " heads " << s.heads << " f " << s.head_width << " h "
       << s.hidden_width << " b " << s.mini_batch;
}

namespace {

TttShape shape_of(TttModel model, TttForm form, TttTarget target, int heads, int f, int h, int b) {
  TttShape s;
  s.model = model;
  s.form = form;
  s.target = target;
  s.heads = heads;
  s.head_width = f;
  s.hidden_width = h;
  s.mini_batch = b;
  return s;
}

std::vector<TttShape> shapes(const std::vector<int>& widths, const std::vector<int>& mini_batches) {
  std::vector<TttShape> all;
  for (const TttModel model : {TttModel::kLinear, TttModel::kMlp}) {
    for (const TttForm form : {TttForm::kCausal, TttForm::kFrame}) {
      for (const int f : widths) {
        for (const int b : mini_batches) {
          // The hidden width need not be 4f; an odd one now and then.
          const int h = f % 3 == 0 ? 4 * f : 3 * f + 1;
          const auto target = (f + b) % 2 == 0 && f > 1 ? TttTarget::kNormalised : TttTarget::kResidual;
          all.push_back(shape_of(model, form, target, 2, f, h, b));
        }
      }
    }
  }
  return all;
}

// Whole mini-batches and, in the causal form, a remainder.
int tokens_for(const TttShape& s) { return 2 * s.mini_batch + (s.form == TttForm::kCausal ? s.mini_batch / 3 + 1 : 0); }

template <class T>
class Ttt : public testing::Test {
 protected:
  const std::span<const TttBackend<T>> backends = ttt_backends<T>();
};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Ttt, Precisions);

TYPED_TEST(Ttt, EqualsThePrimalFormInEveryShape) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    double worst = 0;
    for (const TttShape& s : shapes({1, 2, 7, 8, 9, 16, 24, 32, 64}, {1, 4, 16, 64})) {
      if (!backend.supports(s)) continue;
      const Problem problem(s, tokens_for(s), 3);
      const auto want = primal(problem);
      const auto got = problem.run<T>(backend);
      // Each number is a few sums of f or h products behind one another. The oracle's difference quotient of
      // gelu is good to 1e-10.
      const double reduction = s.head_width + (s.model == TttModel::kMlp ? s.hidden_width : 0);
      const double limit = 16 * std::numeric_limits<T>::epsilon() * std::sqrt(reduction) + 1e-9;
      // A width of 1 or 2 leaves LN almost nothing to divide by.
      const double scale = s.head_width <= 2 ? 1e3 : 1;
      for (const double error : {distance(got.z, want.z), distance(got.weights, want.weights)}) {
        EXPECT_TRUE(error <= limit * scale)
            << testing::PrintToString(s) << ": " << error << ", limit " << limit * scale;
        worst = std::max(worst, error / (limit * scale));
      }
      const double loss_limit = 8 * limit * scale;  // squares of numbers up to 4
      EXPECT_TRUE(distance(got.before, want.before) <= loss_limit) << testing::PrintToString(s);
      EXPECT_TRUE(distance(got.after, want.after) <= loss_limit) << testing::PrintToString(s);
      EXPECT_TRUE(distance(got.init, want.init) <= loss_limit) << testing::PrintToString(s);
      EXPECT_TRUE(got.intact) << testing::PrintToString(s) << ": wrote outside of its buffers";
      EXPECT_EQ(got.report.closed, s.heads * (problem.tokens / s.mini_batch));
      EXPECT_EQ(got.report.refused, 0);
      EXPECT_EQ(got.open, problem.tokens % s.mini_batch);
    }
    std::printf("%s: worst error %.2f of its limit\n", backend.name, worst);
  }
}

TYPED_TEST(Ttt, EqualsThePrimalFormAtLargeWidths) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({96, 128}, {16})) {
      if (!backend.supports(s)) continue;
      const Problem problem(s, s.form == TttForm::kCausal ? 21 : 32, 4);
      const double limit =
          16 * std::numeric_limits<T>::epsilon() * std::sqrt(double(s.head_width + s.hidden_width)) + 1e-9;
      EXPECT_TRUE(distance(problem.run<T>(backend).z, primal(problem).z) <= limit) << testing::PrintToString(s);
    }
  }
}

// The rules for what a mini-batch does to W, alone and together. Steps are large, so that each rule shows.
std::vector<Problem> problems_with_rules(const std::vector<int>& widths) {
  std::vector<Problem> all;
  for (TttShape s : shapes(widths, {4, 16})) {
    for (int rules = 1; rules < 8; ++rules) {
      s.update = (rules & 1) != 0 ? TttUpdate::kLastLayer : TttUpdate::kAll;
      s.keep_row_norms = (rules & 2) != 0;
      Problem problem(s, tokens_for(s), 30 + rules, 5.0);
      if ((rules & 4) != 0) problem.alpha = {0.25, 0.0625};
      all.push_back(std::move(problem));
    }
  }
  return all;
}

TYPED_TEST(Ttt, EqualsThePrimalFormUnderEveryRule) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const Problem& problem : problems_with_rules({8, 9, 64})) {
      if (!backend.supports(problem.shape)) continue;
      const auto want = primal(problem);
      const auto got = problem.run<T>(backend);
      const double limit = 64 * std::numeric_limits<T>::epsilon() *
                               std::sqrt(double(problem.shape.head_width + problem.shape.hidden_width)) +
                           1e-9;
      EXPECT_TRUE(distance(got.z, want.z) <= limit) << testing::PrintToString(problem.shape);
      EXPECT_TRUE(distance(got.weights, want.weights) <= limit) << testing::PrintToString(problem.shape);
      EXPECT_TRUE(distance(got.after, want.after) <= 8 * limit) << testing::PrintToString(problem.shape);
      EXPECT_TRUE(got.intact) << testing::PrintToString(problem.shape);
      // A rule that is left out would be seen.
      Problem plain = problem;
      plain.shape.update = TttUpdate::kAll;
      plain.shape.keep_row_norms = false;
      plain.alpha.clear();
      if (problem.shape.keep_row_norms || !problem.alpha.empty() || problem.shape.model == TttModel::kMlp) {
        EXPECT_GT(distance(primal(plain).weights, want.weights), 100 * limit) << testing::PrintToString(problem.shape);
      }
    }
  }
}

TYPED_TEST(Ttt, EqualsThePrimalFormWithUnfinishedInputs) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({8, 18, 64}, {1, 4, 16})) {
      if (!backend.supports(s)) continue;
      Problem problem(s, tokens_for(s), 8);
      const auto finished = primal(problem);
      problem.leave_inputs_unfinished();
      const auto want = primal(problem);
      const double limit =
          64 * std::numeric_limits<T>::epsilon() * std::sqrt(double(s.head_width + s.hidden_width)) + 1e-9;
      EXPECT_GT(distance(finished.z, want.z), 100 * limit) << testing::PrintToString(s);
      const auto whole = problem.run<T>(backend);
      EXPECT_TRUE(distance(whole.z, want.z) <= limit) << testing::PrintToString(s);
      EXPECT_TRUE(distance(whole.weights, want.weights) <= limit) << testing::PrintToString(s);
      EXPECT_TRUE(whole.intact) << testing::PrintToString(s);
      const std::vector<int> cut = s.form == TttForm::kCausal ? std::vector{3, 1, 7} : std::vector{s.mini_batch};
      const auto pieces = problem.run<T>(backend, cut);
      EXPECT_EQ(pieces.z, whole.z) << testing::PrintToString(s);
      EXPECT_EQ(pieces.weights, whole.weights) << testing::PrintToString(s);
    }
  }
}

TYPED_TEST(Ttt, LeavesTheFirstLayerAloneIfAsked) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (TttShape s : shapes({8, 64}, {4, 16})) {
      if (s.model != TttModel::kMlp) continue;
      s.update = TttUpdate::kLastLayer;
      s.heads = 1;
      const Problem problem(s, tokens_for(s), 6, 5.0);
      const auto got = problem.run<T>(backend);
      const std::vector<T> start(problem.start.begin(), problem.start.end());
      const std::size_t first_layer = std::size_t(s.head_width) * s.hidden_width + s.hidden_width;
      EXPECT_EQ(std::memcmp(got.weights.data(), start.data(), first_layer * sizeof(T)), 0);
      EXPECT_NE(std::memcmp(got.weights.data(), start.data(), start.size() * sizeof(T)), 0);
    }
  }
}

TYPED_TEST(Ttt, GivesTheSameBitsInAnyPieces) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({8, 9, 64}, {1, 4, 16})) {
      if (!backend.supports(s)) continue;
      const bool causal = s.form == TttForm::kCausal;
      const Problem problem(s, causal ? 101 : 7 * s.mini_batch, 5);
      const auto whole = problem.run<T>(backend);
      std::vector<std::vector<int>> cuts{{1}, {3, 1, 7, 2, 5}, {17, 40}};
      if (!causal) cuts = {{s.mini_batch}, {2 * s.mini_batch, s.mini_batch}};
      for (const auto& cut : cuts) {
        const auto pieces = problem.run<T>(backend, cut);
        EXPECT_EQ(pieces.z, whole.z) << testing::PrintToString(s);
        EXPECT_EQ(pieces.weights, whole.weights) << testing::PrintToString(s);
        EXPECT_EQ(pieces.before, whole.before) << testing::PrintToString(s);
        EXPECT_EQ(pieces.open, whole.open);
      }
    }
  }
}

TYPED_TEST(Ttt, GivesTheSameBitsAtAnyAlignment) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({5, 33, 64}, {4, 16})) {
      if (!backend.supports(s)) continue;
      const Problem problem(s, s.form == TttForm::kCausal ? 37 : 2 * s.mini_batch, 6);
      const auto aligned = problem.run<T>(backend);
      for (const int shift : {1, 2, 15}) {
        const auto shifted = problem.run<T>(backend, {1 << 20}, shift);
        EXPECT_TRUE(shifted.intact) << testing::PrintToString(s) << shift;
        EXPECT_EQ(shifted.z, aligned.z) << testing::PrintToString(s) << shift;
        EXPECT_EQ(shifted.weights, aligned.weights) << testing::PrintToString(s) << shift;
        EXPECT_EQ(shifted.before, aligned.before) << testing::PrintToString(s) << shift;
      }
    }
  }
}

TYPED_TEST(Ttt, LaterTokensDoNotReachBack) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({8, 64}, {4, 16})) {
      const int from = s.form == TttForm::kCausal ? 2 * s.mini_batch - 2 : s.mini_batch;  // inside a mini-batch
      Problem problem(s, 3 * s.mini_batch, 6);
      const auto plain = problem.run<T>(backend);
      for (int head = 0; head < s.heads; ++head) {
        for (int t = from; t < problem.tokens; ++t) {
          const std::size_t row = std::size_t(head) * problem.tokens + t;
          for (int c = 0; c < s.head_width; ++c) {
            problem.k[row * s.head_width + c] = std::numeric_limits<double>::quiet_NaN();
            problem.v[row * s.head_width + c] = 1e30;
            problem.q[row * s.head_width + c] = -5;
          }
          problem.lr[row] = 100;
        }
      }
      const auto changed = problem.run<T>(backend);
      for (int head = 0; head < s.heads; ++head) {
        for (std::size_t i = 0; i < std::size_t(from) * s.head_width; ++i) {
          const std::size_t at = std::size_t(head) * problem.tokens * s.head_width + i;
          ASSERT_EQ(changed.z[at], plain.z[at]) << testing::PrintToString(s);
        }
      }
    }
  }
}

TYPED_TEST(Ttt, HeadsDoNotTouchEachOther) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (TttShape s : shapes({16}, {4})) {
      s.heads = 3;
      const Problem all(s, 4 * s.mini_batch, 7);
      const auto together = all.run<T>(backend);
      for (int head = 0; head < s.heads; ++head) {
        Problem one = all;
        one.shape.heads = 1;
        const auto only = [&](std::vector<double>& of) {
          const std::size_t count = of.size() / s.heads;
          of = std::vector<double>(of.begin() + head * count, of.begin() + (head + 1) * count);
        };
        for (auto* part : {&one.q, &one.k, &one.v, &one.lr, &one.gamma, &one.beta, &one.start}) only(*part);
        const auto alone = one.run<T>(backend);
        const auto at = together.z.begin() + head * alone.z.size();
        EXPECT_TRUE(std::equal(alone.z.begin(), alone.z.end(), at)) << testing::PrintToString(s);
      }
    }
  }
}

TYPED_TEST(Ttt, LearnsNothingAtRateZero) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({9, 64}, {16})) {
      Problem problem(s, 48, 8);
      std::fill(problem.lr.begin(), problem.lr.end(), 0.0);
      const auto got = problem.run<T>(backend);
      const std::vector<T> start(problem.start.begin(), problem.start.end());
      EXPECT_EQ(std::memcmp(got.weights.data(), start.data(), start.size() * sizeof(T)), 0)
          << testing::PrintToString(s);
      EXPECT_EQ(got.after, got.before);
      EXPECT_EQ(got.init, got.before);
    }
  }
}

TYPED_TEST(Ttt, LowersItsLossOnAStreamThatRepeats) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({16}, {16})) {
      Problem problem(s, 40 * 16, 9, 1.0);
      const std::size_t period = 16 * s.head_width;  // one mini-batch again and again
      for (int head = 0; head < s.heads; ++head) {
        const std::size_t from = std::size_t(head) * problem.tokens * s.head_width;
        for (std::size_t i = period; i < std::size_t(problem.tokens) * s.head_width; ++i) {
          problem.k[from + i] = problem.k[from + i - period];
          problem.v[from + i] = problem.v[from + i - period];
        }
      }
      const auto got = problem.run<T>(backend);
      const auto mean_of = [&](int mini_batch) {
        double sum = 0;
        for (int i = 0; i < 16; ++i) sum += got.before[mini_batch * 16 + i] / 16;
        return sum;
      };
      EXPECT_LT(mean_of(39), 0.9 * mean_of(0)) << testing::PrintToString(s);
    }
  }
}

// LN makes the loss blind to the scale of the last layer, so a step is orthogonal to it: norms add by
// Pythagoras.
TYPED_TEST(Ttt, LastLayerGrowsByTheSquareOfItsStep) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (TttShape s : shapes({16, 64}, {16})) {
      s.heads = 1;
      Problem problem(s, 16, 10, 2.0);
      const auto got = problem.run<T>(backend);
      const std::vector<T> start(problem.start.begin(), problem.start.end());
      const std::size_t last =
          s.model == TttModel::kMlp ? std::size_t(s.head_width) * s.hidden_width + s.hidden_width : 0;
      double old = 0, now = 0, step = 0;
      for (std::size_t i = last; i < start.size(); ++i) {
        old += double(start[i]) * start[i];
        now += double(got.weights[i]) * got.weights[i];
        step += (double(got.weights[i]) - start[i]) * (double(got.weights[i]) - start[i]);
      }
      EXPECT_GT(step, 1e-4);
      EXPECT_TRUE(std::abs(now - old - step) <= 2e-5 * old)
          << testing::PrintToString(s) << " " << now - old << " " << step;
    }
  }
}

TYPED_TEST(Ttt, GradientRowsSumToZero) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({16, 64}, {16})) {
      if (s.form == TttForm::kFrame) continue;  // keeps no rows
      const Problem problem(s, 15, 11);         // an open mini-batch: its rows are in the state
      auto got = problem.run<T>(backend);
      for (int head = 0; head < s.heads; ++head) {
        const auto rows = ttt_row_parts(s, got.rows.data() + head * ttt_rows_size(s));
        for (int i = 0; i < 15; ++i) {
          double sum = 0, magnitude = 0;
          for (int c = 0; c < s.head_width; ++c) {
            sum += rows.g[i * s.head_width + c];
            magnitude += std::abs(rows.g[i * s.head_width + c]);
          }
          EXPECT_TRUE(std::abs(sum) <= 4 * std::numeric_limits<T>::epsilon() * magnitude)
              << testing::PrintToString(s) << ": " << sum << " of " << magnitude;
        }
      }
    }
  }
}

TYPED_TEST(Ttt, RefusesAnUpdateThatIsNotFiniteAndGoesOn) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const TttShape& s : shapes({16}, {4})) {
      for (const double poison : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        // The second of three mini-batches of head 1 is bad; without it the stream is the reference.
        Problem bad(s, 12, 12);
        Problem good = bad;
        good.tokens = 8;
        const auto cut = [&](std::vector<double>& of, std::size_t width) {
          std::vector<double> kept;
          for (int head = 0; head < s.heads; ++head) {
            const auto from = of.begin() + std::size_t(head) * 12 * width;
            kept.insert(kept.end(), from, from + 4 * width);
            kept.insert(kept.end(), from + 8 * width, from + 12 * width);
          }
          of = kept;
        };
        for (auto* part : {&good.q, &good.k, &good.v}) cut(*part, s.head_width);
        cut(good.lr, 1);
        bad.k[(12 + 5) * s.head_width + 3] = poison;  // head 1, token 5
        const auto got = bad.run<T>(backend);
        const auto want = good.run<T>(backend);
        EXPECT_EQ(got.report.refused, 1) << testing::PrintToString(s);
        EXPECT_EQ(got.report.closed, 6);
        EXPECT_TRUE(got.intact);
        const std::size_t head = ttt_weights_size(s);
        EXPECT_TRUE(std::equal(got.weights.begin() + head, got.weights.end(), want.weights.begin() + head));
        for (int i = 0; i < 4 * s.head_width; ++i) {  // what head 1 gives after the bad mini-batch
          EXPECT_EQ(got.z[(12 + 8) * s.head_width + i], want.z[(8 + 4) * s.head_width + i]);
        }
        for (int i = 0; i < 12 * s.head_width; ++i) EXPECT_TRUE(std::isfinite(got.z[i])) << "head 0 is not touched";
      }
    }
  }
}

TYPED_TEST(Ttt, RefusesAnUpdateThatOverflows) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    Problem problem(shape_of(TttModel::kMlp, TttForm::kFrame, TttTarget::kResidual, 1, 8, 32, 4), 4, 13);
    std::fill(problem.lr.begin(), problem.lr.end(), double(std::numeric_limits<T>::max()));
    const auto got = problem.run<T>(backend);
    EXPECT_EQ(got.report.refused, 1);
    EXPECT_EQ(got.weights, std::vector<T>(problem.start.begin(), problem.start.end()));
    for (const T value : got.z) EXPECT_TRUE(std::isfinite(value));
  }
}

TYPED_TEST(Ttt, TakesTokensInAnyLayout) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    const TttShape s = shape_of(TttModel::kMlp, TttForm::kCausal, TttTarget::kResidual, 3, 8, 32, 4);
    const Problem problem(s, 10, 14);
    const auto want = problem.run<T>(backend);
    // [tokens][heads·f] with a gap behind each row.
    const std::ptrdiff_t width = 3 * 8 + 5;
    const auto woven = [&](const std::vector<double>& from) {
      std::vector<T> out(10 * width, T(99));
      for (int head = 0; head < 3; ++head) {
        for (int t = 0; t < 10; ++t) {
          for (int c = 0; c < 8; ++c) out[t * width + head * 8 + c] = T(from[(head * 10 + t) * 8 + c]);
        }
      }
      return out;
    };
    const auto q = woven(problem.q), k = woven(problem.k), v = woven(problem.v);
    std::vector<T> lr(30), z(10 * width, T(99));
    for (int head = 0; head < 3; ++head) {
      for (int t = 0; t < 10; ++t) lr[t * 3 + head] = T(problem.lr[head * 10 + t]);
    }
    const std::vector<T> tau(problem.tau.begin(), problem.tau.end()), gamma(problem.gamma.begin(), problem.gamma.end()),
        beta(problem.beta.begin(), problem.beta.end());
    std::vector<T> weights(problem.start.begin(), problem.start.end()), rows(3 * ttt_rows_size(s)),
        scratch(backend.scratch_size(s));
    TttState<T> state{weights.data(), rows.data(), 0};
    TttCall<T> call;
    call.tokens = 10;
    call.q = {q.data(), 8, width};
    call.k = {k.data(), 8, width};
    call.v = {v.data(), 8, width};
    call.lr = {lr.data(), 1, 3};
    call.token_scale = tau.data();
    call.norm_weight = gamma.data();
    call.norm_bias = beta.data();
    call.z = {z.data(), 8, width};
    call.scratch = scratch;
    ttt_forward(backend, s, call, state);
    for (int t = 0; t < 10; ++t) {
      for (int c = 0; c < width; ++c) {
        const T expected = c < 24 ? want.z[((c / 8) * 10 + t) * 8 + c % 8] : T(99);
        ASSERT_EQ(z[t * width + c], expected) << t << " " << c;
      }
    }
    EXPECT_EQ(weights, want.weights);
  }
}

TYPED_TEST(Ttt, DriftIsTheRelativeChangeOfTheWeights) {
  using T = TypeParam;
  const TttShape s = shape_of(TttModel::kMlp, TttForm::kFrame, TttTarget::kResidual, 2, 16, 64, 16);
  const std::vector<T> start(2 * ttt_weights_size(s), T(2));
  EXPECT_EQ(ttt_drift<T>(s, start.data(), start.data()), 0);
  std::vector<T> moved = start;
  for (T& value : moved) value = T(2.5);
  EXPECT_NEAR(ttt_drift<T>(s, moved.data(), start.data()), 0.25, 1e-6);
  const std::vector<T> zeros(start.size(), T(0));
  EXPECT_EQ(ttt_drift<T>(s, zeros.data(), zeros.data()), 0);
}

TEST(TttEntry, RefusesWhatDoesNotFit) {
  const TttShape good = shape_of(TttModel::kMlp, TttForm::kFrame, TttTarget::kResidual, 1, 8, 32, 4);
  const auto wrong = [&](auto change) {
    TttShape s = good;
    change(s);
    EXPECT_THROW(ttt_weights_size(s), std::invalid_argument);
  };
  wrong([](TttShape& s) { s.heads = 0; });
  wrong([](TttShape& s) { s.heads = kMaxTttHeads + 1; });
  wrong([](TttShape& s) { s.head_width = 0; });
  wrong([](TttShape& s) { s.head_width = kMaxTttWidth + 1; });
  wrong([](TttShape& s) { s.hidden_width = -1; });
  wrong([](TttShape& s) { s.mini_batch = 0; });
  wrong([](TttShape& s) { s.norm_eps = std::numeric_limits<double>::quiet_NaN(); });
  wrong([](TttShape& s) { s.norm_eps = 0; });
  wrong([](TttShape& s) { s.head_width = 1, s.target = TttTarget::kNormalised; });
}

TEST(TttEntry, RefusesCallsBeforeItWritesAnything) {
  const auto& backend = ttt_backends<float>().back();
  const TttShape frame = shape_of(TttModel::kMlp, TttForm::kFrame, TttTarget::kResidual, 1, 8, 32, 4);
  TttShape causal = frame;
  causal.form = TttForm::kCausal;
  const std::vector<float> in(64, 0.5f), norm(8, 1.0f), tau(4, 1.0f);
  std::vector<float> z(64, 42.0f), weights(ttt_weights_size(causal), 1.0f), rows(ttt_rows_size(causal), 42.0f),
      scratch(std::max(backend.scratch_size(frame), backend.scratch_size(causal)));
  const auto attempt = [&](const TttShape& shape, auto change) {
    TttCall<float> call;
    call.tokens = 8;
    call.q = call.k = call.v = {in.data(), 64, 8};
    call.lr = {in.data(), 8, 1};
    call.token_scale = tau.data();
    call.norm_weight = norm.data();
    call.norm_bias = norm.data();
    call.z = {z.data(), 64, 8};
    call.scratch = scratch;
    TttState<float> state{weights.data(), rows.data(), 0};
    change(call, state);
    EXPECT_THROW(ttt_forward(backend, shape, call, state), std::invalid_argument);
    EXPECT_EQ(z, std::vector<float>(64, 42.0f));
    EXPECT_EQ(weights, std::vector<float>(weights.size(), 1.0f));
  };
  using Call = TttCall<float>;
  using State = TttState<float>;
  attempt(frame, [](Call& c, State&) { c.tokens = 7; });
  attempt(frame, [](Call& c, State&) { c.tokens = -4; });
  attempt(frame, [](Call& c, State&) { c.tokens = kMaxTttTokens + 4; });
  attempt(frame, [](Call& c, State&) { c.q.data = nullptr; });
  attempt(frame, [](Call& c, State&) { c.k.data = nullptr; });
  attempt(frame, [](Call& c, State&) { c.v.data = nullptr; });
  attempt(frame, [](Call& c, State&) { c.lr.data = nullptr; });
  attempt(frame, [](Call& c, State&) { c.z.data = nullptr; });
  attempt(frame, [](Call& c, State&) { c.norm_bias = nullptr; });
  attempt(frame, [](Call& c, State&) { c.scratch = c.scratch.first(10); });
  attempt(frame, [&](Call& c, State&) { c.loss.init = {z.data(), 8, 1}; });
  attempt(frame, [](Call&, State& s) { s.weights = nullptr; });
  attempt(frame, [](Call&, State& s) { s.open = 1; });
  attempt(causal, [](Call& c, State&) { c.token_scale = nullptr; });
  attempt(causal, [](Call&, State& s) { s.rows = nullptr; });
  attempt(causal, [](Call&, State& s) { s.open = 4; });
  attempt(causal, [](Call&, State& s) { s.open = -1; });
  const TttRope rope{in.data(), in.data(), 4, 3};
  attempt(frame, [&](Call& c, State&) { c.rope = rope, c.rope.sin = nullptr; });
  attempt(frame, [&](Call& c, State&) { c.rope = rope, c.rope.period = 0; });
  attempt(frame, [&](Call& c, State&) { c.rope = rope, c.rope.position = 4; });
  attempt(frame, [&](Call& c, State&) { c.rope = rope, c.rope.position = -1; });
  TttShape odd = frame;
  odd.head_width = 7;
  attempt(odd, [&](Call& c, State&) { c.rope = rope; });
}

TEST(TttEntry, NoTokensChangeNothing) {
  const Problem problem(shape_of(TttModel::kMlp, TttForm::kCausal, TttTarget::kResidual, 1, 8, 32, 4), 0, 15);
  TttCall<float> call;
  const std::vector<float> norm(8, 1.0f), tau(4, 1.0f);
  std::vector<float> weights(ttt_weights_size(problem.shape), 1.0f), rows(ttt_rows_size(problem.shape));
  const auto& backend = ttt_best_backend<float>(problem.shape);
  std::vector<float> scratch(backend.scratch_size(problem.shape));
  call.token_scale = tau.data();
  call.norm_weight = call.norm_bias = norm.data();
  call.scratch = scratch;
  TttState<float> state{weights.data(), rows.data(), 3};
  const auto report = ttt_forward(backend, problem.shape, call, state);
  EXPECT_EQ(report.closed, 0);
  EXPECT_EQ(state.open, 3);
}

}  // namespace
}  // namespace longtake
