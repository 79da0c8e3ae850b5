#include "kernels/recall.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longtake {
namespace {

using Numbers = std::vector<double>;

// A stream of pairs and a state to begin with; floats are roundings of the same numbers.
struct Problem {
  RecallShape shape;
  int steps = 0;
  Numbers x, v, c, state;
  double lambda = 0.15;
  double rate = 0.3;
};

Problem problem(RecallRule rule, int steps, int keys, int hidden, int values, unsigned seed = 1) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  const auto draw = [&](std::size_t count, double spread) {
    Numbers out(count);
    for (double& value : out) value = static_cast<float>(spread * normal(engine));
    return out;
  };
  Problem p;
  p.shape = {rule, keys, hidden, values};
  p.steps = steps;
  const auto many = static_cast<std::size_t>(steps);
  p.x = draw(many * static_cast<std::size_t>(keys), 1);
  for (std::size_t t = 0; t < many; ++t) {  // unit length
    double square = 0;
    for (int i = 0; i < keys; ++i) square += p.x[t * static_cast<std::size_t>(keys) + static_cast<std::size_t>(i)] *
                                             p.x[t * static_cast<std::size_t>(keys) + static_cast<std::size_t>(i)];
    for (int i = 0; i < keys; ++i) {
      double& value = p.x[t * static_cast<std::size_t>(keys) + static_cast<std::size_t>(i)];
      value = static_cast<float>(value / std::sqrt(square));
    }
  }
  p.v = draw(many * static_cast<std::size_t>(values), 1);
  for (int t = 0; t < steps; ++t) p.c.push_back(static_cast<float>(0.2 + 0.7 * std::abs(std::sin(t + 1.0))));
  p.state = draw(recall_state_size(p.shape), 0.1);
  if (rule == RecallRule::kRls) {
    double* const inverse = recall_parts(p.shape, p.state.data()).p;
    for (int i = 0; i < keys; ++i) {
      for (int j = 0; j < keys; ++j) inverse[i * keys + j] = i == j ? 1 : 0;
    }
  }
  return p;
}

// The rules as Note: The maths has them, one number at a time.
struct Answers {
  Numbers z, state;
};
Answers by_definition(const Problem& p) {
  const int n = p.shape.keys, h = p.shape.hidden, values = p.shape.values;
  Answers out{{}, p.state};
  const auto parts = recall_parts(p.shape, out.state.data());
  const auto slope_of = [](double a, double& value) {
    const double inner = std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a);
    const double t = std::tanh(inner);
    value = 0.5 * a * (1 + t);
    return 0.5 * (1 + t) + 0.5 * a * (1 - t * t) * std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * a * a);
  };
  for (int t = 0; t < p.steps; ++t) {
    const double* x = &p.x[static_cast<std::size_t>(t * n)];
    const double* v = &p.v[static_cast<std::size_t>(t * values)];
    const double c = p.c[static_cast<std::size_t>(t)];
    const bool deep = p.shape.rule == RecallRule::kMlp;
    const int read = deep ? h : n;
    Numbers y(x, x + n), slope(static_cast<std::size_t>(h)), q;
    if (deep) {
      for (int i = 0; i < n; ++i) q.push_back(std::sqrt(n) * x[i]);
      y.assign(static_cast<std::size_t>(h), 0);
      double square = p.shape.feature_eps;
      for (int j = 0; j < h; ++j) {
        double a = parts.b1[j];
        for (int i = 0; i < n; ++i) a += q[static_cast<std::size_t>(i)] * parts.w1[i * h + j];
        slope[static_cast<std::size_t>(j)] = slope_of(a, y[static_cast<std::size_t>(j)]);
        square += y[static_cast<std::size_t>(j)] * y[static_cast<std::size_t>(j)];
      }
      for (double& value : y) value /= std::sqrt(square);
      for (double& value : slope) value /= std::sqrt(square);
    }
    Numbers e;
    for (int m = 0; m < values; ++m) {
      double z = 0;
      for (int i = 0; i < read; ++i) z += y[static_cast<std::size_t>(i)] * parts.w[i * values + m];
      out.z.push_back(z);
      e.push_back(v[m] - z);
    }
    Numbers gain = y;
    if (p.shape.rule == RecallRule::kDelta) {
      for (double& value : gain) value *= c;
    } else if (p.shape.rule == RecallRule::kRls) {
      Numbers px(static_cast<std::size_t>(n));
      double size = p.lambda;
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) px[static_cast<std::size_t>(i)] += parts.p[i * n + j] * x[j];
        size += px[static_cast<std::size_t>(i)] * x[i];
      }
      for (int i = 0; i < n; ++i) gain[static_cast<std::size_t>(i)] = c * px[static_cast<std::size_t>(i)] / size;
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) parts.p[i * n + j] -= gain[static_cast<std::size_t>(i)] * px[static_cast<std::size_t>(j)];
      }
    } else {
      for (double& value : e) value *= c;
      Numbers first(static_cast<std::size_t>(h));
      for (int j = 0; j < h; ++j) {
        for (int m = 0; m < values; ++m) first[static_cast<std::size_t>(j)] += e[static_cast<std::size_t>(m)] * parts.w[j * values + m];
        first[static_cast<std::size_t>(j)] *= p.rate / values * slope[static_cast<std::size_t>(j)];
      }
      for (int j = 0; j < h; ++j) {
        for (int i = 0; i < n; ++i) parts.w1[i * h + j] += q[static_cast<std::size_t>(i)] * first[static_cast<std::size_t>(j)];
        parts.b1[j] += first[static_cast<std::size_t>(j)];
      }
    }
    for (int i = 0; i < read; ++i) {
      for (int m = 0; m < values; ++m) parts.w[i * values + m] += gain[static_cast<std::size_t>(i)] * e[static_cast<std::size_t>(m)];
    }
  }
  return out;
}

enum class Way { kFast, kPlain };

// A problem in T, with guards behind what is written.
template <class T>
struct Trial {
  explicit Trial(const Problem& p)
      : shape(p.shape),
        x(p.x.begin(), p.x.end()),
        v(p.v.begin(), p.v.end()),
        c(p.c.begin(), p.c.end()),
        start(p.state.begin(), p.state.end()),
        state(start),
        z(p.v.size() + kGuard, std::numeric_limits<T>::quiet_NaN()),
        scratch(std::max(recall_scratch_size(shape), recall_backward_scratch_size(shape, p.steps)) + kGuard,
                std::numeric_limits<T>::quiet_NaN()) {
    call.steps = p.steps;
    call.x = x.data(), call.x_stride = shape.keys;
    call.v = v.data(), call.v_stride = shape.values;
    call.c = c.data();
    call.lambda = static_cast<T>(p.lambda);
    call.rate = static_cast<T>(p.rate);
    call.z = z.data(), call.z_stride = shape.values;
    call.scratch = std::span(scratch).first(scratch.size() - kGuard);
  }

  RecallReport forward(Way way) {
    return way == Way::kFast ? recall_forward<T>(shape, call, state.data()) : plain::recall_forward<T>(shape, call, state.data());
  }

  struct Back {
    std::vector<T> x, v, c, state;
    T lambda, rate;
  };
  Back backward(Way way, const Numbers& d_z, const Numbers& d_state) {
    const std::vector<T> given(d_z.begin(), d_z.end());
    const T nan = std::numeric_limits<T>::quiet_NaN();
    Back out{std::vector<T>(x.size(), nan), std::vector<T>(v.size(), nan), std::vector<T>(c.size(), nan),
             {d_state.begin(), d_state.end()}, nan, nan};
    RecallGradients<T> to;
    to.z = given.data(), to.x = out.x.data(), to.v = out.v.data(), to.c = out.c.data(), to.state = out.state.data();
    if (way == Way::kFast) {
      recall_backward<T>(shape, call, start.data(), to);
    } else {
      plain::recall_backward<T>(shape, call, start.data(), to);
    }
    out.lambda = to.lambda;
    out.rate = to.rate;
    return out;
  }

  void guards_hold() const {
    for (std::size_t i = 0; i < kGuard; ++i) {
      ASSERT_TRUE(std::isnan(z[z.size() - 1 - i]));
      ASSERT_TRUE(std::isnan(scratch[scratch.size() - 1 - i]));
    }
  }

  static constexpr std::size_t kGuard = 9;
  RecallShape shape;
  std::vector<T> x, v, c, start, state, z, scratch;
  RecallCall<T> call;
};

template <class T>
double worst(const std::vector<T>& got, const Numbers& want, std::size_t count) {
  double error = 0;
  double scale = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(std::abs(double(got[i]) - want[i]) <= error)) error = std::abs(double(got[i]) - want[i]);
    scale = std::max(scale, std::abs(want[i]));
  }
  return error / std::max(scale, 1e-30);
}

struct Case {
  RecallRule rule;
  int steps, keys, hidden, values;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> out;
    for (const RecallRule rule : {RecallRule::kDelta, RecallRule::kRls, RecallRule::kMlp}) {
      for (const auto [steps, keys, hidden, values] :
           {std::array{1, 1, 1, 1}, std::array{3, 2, 5, 7}, std::array{12, 16, 8, 64}, std::array{20, 17, 33, 65},
            std::array{40, 64, 64, 1024}}) {
        out.push_back({rule, steps, keys, hidden, values});
      }
    }
    return out;
  }();
  return all;
}
std::string name_of(RecallRule rule) {
  return rule == RecallRule::kDelta ? "delta" : rule == RecallRule::kRls ? "rls" : "mlp";
}

class Recall : public testing::TestWithParam<Case> {
 protected:
  Problem given() const {
    const Case& c = GetParam();
    return problem(c.rule, c.steps, c.keys, c.hidden, c.values);
  }
};
INSTANTIATE_TEST_SUITE_P(Shapes, Recall, testing::ValuesIn(cases()), [](const auto& test) {
  return name_of(test.param.rule) + "_" + std::to_string(test.param.steps) + "_" + std::to_string(test.param.keys) + "_" +
         std::to_string(test.param.hidden) + "_" + std::to_string(test.param.values);
});

TEST_P(Recall, IsWhatTheNoteSays) {
  const Problem p = given();
  const Answers want = by_definition(p);
  for (const Way way : {Way::kFast, Way::kPlain}) {
    Trial<double> exact(p);
    EXPECT_EQ(exact.forward(way).refused, 0);
    exact.guards_hold();
    EXPECT_LE(worst(exact.z, want.z, want.z.size()), 1e-12);
    EXPECT_LE(worst(exact.state, want.state, want.state.size()), 1e-12);
    Trial<float> single(p);
    EXPECT_EQ(single.forward(way).refused, 0);
    single.guards_hold();
    EXPECT_LE(worst(single.z, want.z, want.z.size()), 1e-5);
    EXPECT_LE(worst(single.state, want.state, want.state.size()), 1e-5);
  }
}

TEST_P(Recall, PiecesGiveTheBitsOfTheWhole) {
  const Problem p = given();
  Trial<float> whole(p), pieces(p);
  whole.forward(Way::kFast);
  RecallCall<float> call = pieces.call;
  for (int first = 0; first < p.steps; first += call.steps) {
    call.steps = std::min(1 + first % 3, p.steps - first);
    call.x = pieces.call.x + first * call.x_stride;
    call.v = pieces.call.v + first * call.v_stride;
    call.c = pieces.call.c + first;
    call.z = pieces.call.z + first * call.z_stride;
    recall_forward<float>(p.shape, call, pieces.state.data());
  }
  EXPECT_EQ(whole.state, pieces.state);
  for (std::size_t i = 0; i < p.v.size(); ++i) ASSERT_EQ(whole.z[i], pieces.z[i]) << i;
}

TEST_P(Recall, GradientsAreThoseOfFiniteDifferences) {
  const Problem p = given();
  if (p.shape.values > 100) GTEST_SKIP() << "too many numbers to move one by one";
  std::mt19937_64 engine(7);
  std::normal_distribution<double> normal;
  Numbers weight_z(p.v.size()), weight_state(p.state.size());
  for (double& w : weight_z) w = normal(engine);
  for (double& w : weight_state) w = normal(engine);
  const auto loss = [&](const Problem& of) {
    const Answers got = by_definition(of);
    double sum = 0;
    for (std::size_t i = 0; i < weight_z.size(); ++i) sum += weight_z[i] * got.z[i];
    for (std::size_t i = 0; i < weight_state.size(); ++i) sum += weight_state[i] * got.state[i];
    return sum;
  };
  for (const Way way : {Way::kFast, Way::kPlain}) {
    Trial<double> run(p);
    run.forward(way);
    const auto got = run.backward(way, weight_z, weight_state);
    run.guards_hold();
    const auto moved = [&](auto member) {
      Problem more = p, less = p;
      double& up = member(more);
      double& down = member(less);
      const double size = 1e-5 * std::max(1.0, std::abs(up));
      up += size;
      down -= size;
      return (loss(more) - loss(less)) / (2 * size);
    };
    const auto compare = [&](const std::vector<double>& gradient, Numbers Problem::* numbers, const char* what) {
      double scale = 1e-3;
      for (const double value : gradient) scale = std::max(scale, std::abs(value));
      const std::size_t every = std::max<std::size_t>(1, gradient.size() / 40);
      for (std::size_t i = 0; i < gradient.size(); i += every) {
        const double want = moved([&](Problem& of) -> double& { return (of.*numbers)[i]; });
        ASSERT_LE(std::abs(gradient[i] - want), 1e-7 * scale) << what << " " << i << ": " << gradient[i] << " " << want;
      }
    };
    compare(got.x, &Problem::x, "x");
    compare(got.v, &Problem::v, "v");
    compare(got.c, &Problem::c, "c");
    // P is symmetric: both sides of its diagonal move together.
    std::vector<double> d_state = got.state;
    const int n = p.shape.keys;
    const std::ptrdiff_t first = p.shape.rule == RecallRule::kRls ? std::ptrdiff_t(n) * p.shape.values : std::ssize(d_state);
    for (std::ptrdiff_t i = first; i < std::ssize(d_state); ++i) {
      const std::ptrdiff_t row = (i - first) / n, column = (i - first) % n;
      const std::ptrdiff_t mirror = first + column * n + row;
      if (mirror != i) d_state[static_cast<std::size_t>(i)] += got.state[static_cast<std::size_t>(mirror)];
    }
    double scale = 1e-3;
    for (const double value : d_state) scale = std::max(scale, std::abs(value));
    for (std::ptrdiff_t i = 0; i < std::ssize(d_state); i += std::max<std::ptrdiff_t>(1, std::ssize(d_state) / 60)) {
      const std::ptrdiff_t mirror = i < first ? i : first + (i - first) % n * n + (i - first) / n;
      Problem more = p, less = p;
      for (const std::ptrdiff_t at : {i, mirror}) {
        more.state[static_cast<std::size_t>(at)] = p.state[static_cast<std::size_t>(at)] + 1e-5;
        less.state[static_cast<std::size_t>(at)] = p.state[static_cast<std::size_t>(at)] - 1e-5;
      }
      ASSERT_NEAR(d_state[static_cast<std::size_t>(i)], (loss(more) - loss(less)) / 2e-5, 1e-7 * scale) << "state " << i;
    }
    if (p.shape.rule == RecallRule::kRls) {
      EXPECT_NEAR(got.lambda, moved([](Problem& of) -> double& { return of.lambda; }), 1e-6 * std::max(1.0, std::abs(got.lambda)));
    }
    if (p.shape.rule == RecallRule::kMlp) {
      EXPECT_NEAR(got.rate, moved([](Problem& of) -> double& { return of.rate; }), 1e-6 * std::max(1.0, std::abs(got.rate)));
    }
  }
}

TEST_P(Recall, FloatGradientsAreThoseOfDoubles) {
  const Problem p = given();
  Trial<double> exact(p);
  exact.forward(Way::kPlain);
  const Numbers d_z(p.v.size(), 0.5), d_state(p.state.size(), 0.01);
  const auto want = exact.backward(Way::kPlain, d_z, d_state);
  for (const Way way : {Way::kFast, Way::kPlain}) {
    Trial<float> run(p);
    run.forward(way);
    const auto got = run.backward(way, d_z, d_state);
    run.guards_hold();
    EXPECT_LE(worst(got.x, want.x, want.x.size()), 2e-5);
    EXPECT_LE(worst(got.v, want.v, want.v.size()), 2e-5);
    EXPECT_LE(worst(got.c, want.c, want.c.size()), 2e-5);
    EXPECT_LE(worst(got.state, want.state, want.state.size()), 2e-5);
  }
}

// The normal equations, by elimination: (λI + Σ xᵀx) W = Σ xᵀv.
Numbers ridge(const Problem& p) {
  const int n = p.shape.keys, values = p.shape.values;
  const int width = n + values;
  Numbers rows(static_cast<std::size_t>(n * width));
  const auto at = [&](int i, int j) -> double& { return rows[static_cast<std::size_t>(i * width + j)]; };
  for (int i = 0; i < n; ++i) at(i, i) = p.lambda;
  for (int t = 0; t < p.steps; ++t) {
    for (int i = 0; i < n; ++i) {
      const double xi = p.x[static_cast<std::size_t>(t * n + i)];
      for (int j = 0; j < n; ++j) at(i, j) += xi * p.x[static_cast<std::size_t>(t * n + j)];
      for (int m = 0; m < values; ++m) at(i, n + m) += xi * p.v[static_cast<std::size_t>(t * values + m)];
    }
  }
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = at(k, i) / at(i, i);
      for (int j = i; j < width; ++j) at(k, j) -= factor * at(i, j);
    }
  }
  Numbers w;
  for (int i = 0; i < n; ++i) {
    for (int m = 0; m < values; ++m) w.push_back(at(i, n + m) / at(i, i));
  }
  return w;
}

TEST(RecallRls, IsTheLeastSquaresSolutionOfAllThatWasWritten) {
  Problem p = problem(RecallRule::kRls, 50, 12, 0, 9);
  std::fill(p.c.begin(), p.c.end(), 1.0);
  std::fill_n(p.state.begin(), 12 * 9, 0.0);
  Trial<double> run(p);
  run.forward(Way::kFast);
  EXPECT_LE(worst(run.state, ridge(p), 12 * 9), 1e-12);
}

TEST(RecallRls, StaysSymmetricToTheBit) {
  const Problem p = problem(RecallRule::kRls, 300, 33, 0, 8);
  Trial<float> run(p);
  run.forward(Way::kFast);
  const float* inverse = recall_parts(p.shape, run.state.data()).p;
  for (int i = 0; i < 33; ++i) {
    for (int j = 0; j < i; ++j) ASSERT_EQ(inverse[i * 33 + j], inverse[j * 33 + i]);
  }
}

TEST(RecallDelta, AnswersWhatItWasJustTold) {
  Problem p = problem(RecallRule::kDelta, 2, 16, 0, 32);
  std::copy_n(p.x.begin(), 16, p.x.begin() + 16);  // the same key again
  p.c = {1, 1};
  Trial<double> run(p);
  run.forward(Way::kFast);
  for (std::size_t i = 0; i < 32; ++i) EXPECT_NEAR(run.z[32 + i], p.v[i], 1e-6);  // keys are unit length in float
}

TEST_P(Recall, WithoutRatesItOnlyReads) {
  const Problem p = given();
  Trial<float> run(p);
  const std::vector<float> before = run.state;
  run.call.c = nullptr;
  run.call.v = nullptr;
  run.forward(Way::kFast);
  EXPECT_EQ(run.state, before);
  Trial<float> zero(p);
  std::fill(zero.c.begin(), zero.c.end(), 0.0F);
  zero.forward(Way::kFast);
  EXPECT_EQ(zero.state, before);
}

TEST_P(Recall, RefusesWhatIsNotFiniteAndGoesOn) {
  const Problem p = given();
  if (p.steps < 3) GTEST_SKIP();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30F}) {
    Trial<float> run(p), without(p);
    run.v[static_cast<std::size_t>(p.shape.values)] = bad;  // of the second pair
    EXPECT_EQ(run.forward(Way::kFast).refused, 1);
    without.call.steps = 1;
    without.forward(Way::kFast);
    without.call.steps = p.steps - 2;
    without.call.x += 2 * without.call.x_stride;
    without.call.v += 2 * without.call.v_stride;
    without.call.c += 2;
    without.forward(Way::kFast);
    EXPECT_EQ(run.state, without.state);
  }
}

TEST(RecallEntry, RefusesACallersMistake) {
  const Problem p = problem(RecallRule::kRls, 2, 4, 0, 4);
  const auto refuses = [&](auto spoil) {
    Trial<float> run(p);
    spoil(run);
    EXPECT_THROW(recall_forward<float>(run.shape, run.call, run.state.data()), std::invalid_argument);
    EXPECT_EQ(run.state, run.start);
  };
  refuses([](auto& run) { run.call.x = nullptr; });
  refuses([](auto& run) { run.call.z = nullptr; });
  refuses([](auto& run) { run.call.v = nullptr; });
  refuses([](auto& run) { run.call.scratch = run.call.scratch.first(1); });
  refuses([](auto& run) { run.call.lambda = 0; });
  refuses([](auto& run) { run.call.steps = -1; });
  refuses([](auto& run) { run.shape.keys = 0; });
  Trial<float> run(p);
  EXPECT_THROW(recall_forward<float>(run.shape, run.call, nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
