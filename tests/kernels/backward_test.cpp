// The backward pass of every backend against finite differences of the primal form, and its properties.
#include <array>
#include <cstdio>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "kernels/ttt_backward.h"
#include "tests/kernels/problem.h"

namespace longtake {
namespace {

std::string name_of(const Problem& p) {
  const TttShape& s = p.shape;
  std::string name = s.model == TttModel::kMlp ? "mlp" : "linear";
  if (s.form == TttForm::kFrame) name += " frame";
  if (s.target == TttTarget::kNormalised) name += " normalised";
  if (s.update == TttUpdate::kLastLayer) name += " last layer";
  if (s.keep_row_norms) name += " row norms";
  if (!p.alpha.empty()) name += " decay";
  if (!p.gate.empty()) name += " unfinished inputs";
  return name + " f " + std::to_string(s.head_width) + " b " + std::to_string(s.mini_batch) + " tokens " +
         std::to_string(p.tokens);
}

std::vector<double> draw(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<double> out(count);
  for (double& value : out) value = normal(random);
  return out;
}

// Every model, form, target and rule; in the causal form with and without a remainder. Weights start
// elsewhere than at the learned start, and steps are large, so that each rule shows.
std::vector<Problem> problems(int f, int h, int b, double rate = 2.0) {
  std::vector<Problem> all;
  for (int kind = 0; kind < 128; ++kind) {
    const auto bit = [&](int i) { return (kind >> i & 1) != 0; };
    TttShape s;
    s.model = bit(0) ? TttModel::kMlp : TttModel::kLinear;
    s.form = bit(1) ? TttForm::kFrame : TttForm::kCausal;
    s.target = bit(2) ? TttTarget::kNormalised : TttTarget::kResidual;
    s.update = bit(3) ? TttUpdate::kLastLayer : TttUpdate::kAll;
    s.keep_row_norms = bit(4);
    if (s.model == TttModel::kLinear && bit(3)) continue;  // has one layer only
    if (s.form == TttForm::kFrame && bit(6)) continue;     // has no remainder
    s.heads = 2;
    s.head_width = f;
    s.hidden_width = h;
    s.mini_batch = b;
    Problem p(s, 3 * b + (bit(6) ? (b + 1) / 2 : 0), 100 + kind, rate);
    if (bit(5)) p.alpha = {0.25, 0.125};
    if (f % 2 == 0 && kind % 3 == 0) p.leave_inputs_unfinished(rate);
    p.carried = draw(p.start.size(), 200 + kind);
    for (std::size_t i = 0; i < p.start.size(); ++i) p.carried[i] = float(p.start[i] + 0.2 * p.carried[i]);
    all.push_back(std::move(p));
  }
  return all;
}

// L = Σ z ⊙ by_z + Σ W ⊙ by_weights, W after the last whole mini-batch.
struct OuterLoss {
  std::vector<double> by_z, by_weights;
  explicit OuterLoss(const Problem& p) : by_z(draw(p.q.size(), 1)), by_weights(draw(p.start.size(), 2)) {}
  double operator()(const Problem& p) const {
    const auto out = primal(p);
    double sum = 0;
    for (std::size_t i = 0; i < by_z.size(); ++i) sum += by_z[i] * out.z[i];
    for (std::size_t i = 0; i < by_weights.size(); ++i) sum += by_weights[i] * out.weights[i];
    return sum;
  }
};

constexpr const char* kInputs[] = {"q", "k", "v", "lr", "tau", "gamma", "beta", "weights", "start"};
constexpr int kLr = 3, kTau = 4, kWeights = 7, kStart = 8;  // of them
std::vector<double>& input(Problem& p, int which) {
  return *std::array{&p.q, &p.k, &p.v, &p.lr, &p.tau, &p.gamma, &p.beta, &p.carried, &p.start}[which];
}

template <class T>
struct Gradients {
  std::array<std::vector<T>, 9> of;  // in the order of kInputs; tau [heads][b]
  bool intact = true;
  bool operator==(const Gradients&) const = default;
};

struct Windows {
  int every = 2;            // mini-batches a checkpoint
  std::vector<int> tokens;  // of each call; empty: all in one
  bool truncated = false;   // no gradient passes from a window to the one before it
};

// The stream in one call after another, then the gradients, the last call first.
template <class T>
Gradients<T> run(const TttBackend<T>& backend, const Problem& p, const OuterLoss& loss, Windows windows = {}) {
  const auto as = [](const std::vector<double>& from) { return std::vector<T>(from.begin(), from.end()); };
  const auto q = as(p.q), k = as(p.k), v = as(p.v), lr = as(p.lr), tau = as(p.tau), gamma = as(p.gamma),
             beta = as(p.beta), start = as(p.start), alpha = as(p.alpha), gate = as(p.gate), by_z = as(loss.by_z);
  const TttShape& s = p.shape;
  const std::ptrdiff_t f = s.head_width;
  if (windows.tokens.empty()) windows.tokens = {p.tokens};
  const bool rules = s.keep_row_norms || !p.alpha.empty();

  std::vector<T> weights = as(p.first_weights()), rows(s.heads * ttt_rows_size(s)), z(q.size());
  TttState<T> state{weights.data(), rows.data(), 0};
  const std::size_t size = backend.backward_scratch_size(s, windows.every);
  Guarded<T> scratch(size), forward_scratch(backend.scratch_size(s));
  std::vector<Guarded<T>> kept;
  const auto call_at = [&](int first, int n) {
    const auto view = [&](const std::vector<T>& from) {
      return TttView<const T>{from.data() + first * f, p.tokens * f, f};
    };
    TttCall<T> call;
    call.tokens = n;
    call.q = view(q);
    call.k = view(k);
    call.v = view(v);
    call.lr = {lr.data() + first, p.tokens, 1};
    call.token_scale = tau.data();
    call.norm_weight = gamma.data();
    call.norm_bias = beta.data();
    call.start = rules ? start.data() : nullptr;
    call.decay = alpha.empty() ? nullptr : alpha.data();
    p.describe_inputs(call, first, gate.data());
    return call;
  };
  int first = 0;
  for (const int n : windows.tokens) {
    kept.emplace_back(s.heads * ttt_checkpoint_count(s, n, windows.every) * ttt_weights_size(s));
    auto call = call_at(first, n);
    call.z = {z.data() + first * f, p.tokens * f, f};
    call.scratch = {forward_scratch.data(), backend.scratch_size(s)};
    ttt_forward(backend, s, call, state, TttCheckpoints<T>{windows.every, kept.back().data()});
    first += n;
  }

  Guarded<T> dq(q.size()), dk(q.size()), dv(q.size()), dlr(lr.size()), dtau(s.heads * tau.size()), dgamma(gamma.size()),
      dbeta(beta.size()), dweights(weights.size()), dstart(rules ? start.size() : 0);
  const auto fill = [](Guarded<T>& to, const std::vector<double>& from) {
    std::copy(from.begin(), from.end(), to.data());
  };
  for (Guarded<T>* added : {&dtau, &dgamma, &dbeta, &dstart}) fill(*added, std::vector<double>(added->size()));
  fill(dweights, loss.by_weights);
  for (std::size_t i = windows.tokens.size(); i-- > 0;) {
    const int n = windows.tokens[i];
    first -= n;
    auto call = call_at(first, n);
    call.scratch = {scratch.data(), size};
    const auto view = [&](Guarded<T>& to) { return TttView<T>{to.data() + first * f, p.tokens * f, f}; };
    TttGradients<T> to;
    to.z = {by_z.data() + first * f, p.tokens * f, f};
    to.q = view(dq);
    to.k = view(dk);
    to.v = view(dv);
    to.lr = {dlr.data() + first, p.tokens, 1};
    to.weights = dweights.data();
    to.token_scale = s.form == TttForm::kCausal ? dtau.data() : nullptr;
    to.norm_weight = dgamma.data();
    to.norm_bias = dbeta.data();
    to.start = rules ? dstart.data() : nullptr;
    ttt_backward(backend, s, call, TttCheckpoints<T>{windows.every, kept[i].data()}, to);
    if (windows.truncated && i > 0) fill(dweights, std::vector<double>(weights.size()));
  }
  Gradients<T> out;
  Guarded<T>* const all[] = {&dq, &dk, &dv, &dlr, &dtau, &dgamma, &dbeta, &dweights, &dstart};
  out.intact = scratch.intact() && forward_scratch.intact();
  for (auto& block : kept) out.intact &= block.intact();
  for (int i = 0; i < 9; ++i) {
    out.of[i] = all[i]->values();
    out.intact &= all[i]->intact();
  }
  return out;
}

// Largest |a − b| as a part of the largest |b|.
template <class A, class B>
double relative(const std::vector<A>& a, const std::vector<B>& b) {
  double largest = 0;
  for (const B value : b) largest = std::max(largest, std::abs(double(value)));
  return distance(a, b) / (largest > 0 ? largest : 1);
}

template <class T>
std::vector<T> summed_over_heads(const std::vector<T>& values, int heads) {
  std::vector<T> sum(values.size() / heads);
  for (std::size_t i = 0; i < values.size(); ++i) sum[i % sum.size()] += values[i];
  return sum;
}

// f'(0) to the fourth order.
double slope(const std::function<double(double)>& f) {
  const double step = 5e-4;
  return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step);
}

template <class T>
class TttBackward : public testing::Test {
 protected:
  std::vector<TttBackend<T>> backends;
  TttBackward() {
    for (const auto& backend : ttt_backends<T>()) {
      if (backend.backward != nullptr) backends.push_back(backend);
    }
  }
};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(TttBackward, Precisions);

using TttBackwardInDouble = TttBackward<double>;

TEST_F(TttBackwardInDouble, EqualsFiniteDifferencesOfThePrimalForm) {
  ASSERT_FALSE(backends.empty());
  std::mt19937 random(5);
  std::array<double, 9> worst{};
  for (const auto& sizes : {std::array{5, 7, 3}, std::array{8, 4, 1}}) {
    for (Problem p : problems(sizes[0], sizes[1], sizes[2])) {
      const OuterLoss loss(p);
      std::vector<Gradients<double>> found;
      for (const auto& backend : backends) {
        found.push_back(backend.supports(p.shape) ? run(backend, p, loss) : Gradients<double>{});
        EXPECT_TRUE(found.back().intact) << name_of(p) << ": wrote outside of its buffers";
      }
      for (int which = 0; which < 9; ++which) {
        std::vector<double>& values = input(p, which);
        if (which == kTau && p.shape.form == TttForm::kFrame) continue;
        if (which == kStart && p.alpha.empty() && !p.shape.keep_row_norms) continue;
        // All entries together in a random direction, then some alone.
        for (int sample = 0; sample < 3; ++sample) {
          std::vector<double> direction(values.size());
          if (sample == 0) direction = draw(values.size(), random());
          for (double& value : direction) value /= std::sqrt(double(values.size()));
          if (sample > 0) direction[random() % values.size()] = 1;
          const std::vector<double> here = values;
          const double numeric = slope([&](double by) {
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = here[i] + by * direction[i];
            return loss(p);
          });
          values = here;
          for (std::size_t at = 0; at < backends.size(); ++at) {
            if (!backends[at].supports(p.shape)) continue;
            auto gradient = found[at].of[which];
            if (which == kTau) gradient = summed_over_heads(gradient, p.shape.heads);
            ASSERT_EQ(gradient.size(), values.size());
            double exact = 0, largest = 0;
            for (std::size_t i = 0; i < values.size(); ++i) {
              exact += gradient[i] * direction[i];
              largest = std::max(largest, std::abs(gradient[i]));
            }
            const double error = std::abs(numeric - exact) / (largest + 1e-3);
            EXPECT_TRUE(error <= 1e-7) << backends[at].name << ", " << name_of(p) << ", " << kInputs[which] << ": "
                                       << numeric << " by differences, " << exact;
            worst[which] = std::max(worst[which], error);
          }
        }
      }
    }
  }
  for (int which = 0; which < 9; ++which) std::printf("%s %.1e  ", kInputs[which], worst[which]);
  std::printf("worst errors, limit 1e-7\n");
}

// The plain backend computes a mini-batch again with the bits of the forward pass; vector ones round on another way.
template <class T>
double slack_of(const TttBackend<T>& backend) {
  return std::string_view(backend.name) == "scalar" ? 0 : 32 * double(std::numeric_limits<T>::epsilon());
}

TYPED_TEST(TttBackward, IsTheSameAtAnyIntervalOfCheckpoints) {
  for (const auto& backend : this->backends) {
    const double slack = slack_of(backend);
    for (const Problem& p : problems(9, 14, 4)) {
      if (!backend.supports(p.shape)) continue;
      const OuterLoss loss(p);
      const auto want = run(backend, p, loss, {1, {}, false});
      EXPECT_TRUE(want.intact);
      for (const int every : {2, 3, 4, 100}) {
        const auto got = run(backend, p, loss, {every, {}, false});
        for (int which = 0; which < 9; ++which) {
          EXPECT_TRUE(relative(got.of[which], want.of[which]) <= slack)
              << backend.name << ", " << name_of(p) << " every " << every << ", " << kInputs[which] << ": "
              << relative(got.of[which], want.of[which]);
        }
      }
    }
  }
}

TYPED_TEST(TttBackward, PassesGradientsFromWindowToWindow) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (const Problem& p : problems(9, 14, 4)) {
      if (!backend.supports(p.shape)) continue;
      const OuterLoss loss(p);
      const auto whole = run(backend, p, loss);
      const int b = p.shape.mini_batch;
      const auto windows = run(backend, p, loss, {2, {2 * b, p.tokens - 2 * b}, false});
      for (int which = 0; which < 9; ++which) {  // sums over windows round elsewhere
        EXPECT_TRUE(relative(windows.of[which], whole.of[which]) <=
                    4 * std::numeric_limits<T>::epsilon() + slack_of(backend))
            << backend.name << ", " << name_of(p) << " " << kInputs[which];
      }
      if (slack_of(backend) > 0) continue;
      EXPECT_EQ(windows.of[kLr], whole.of[kLr]);
      EXPECT_EQ(windows.of[kWeights], whole.of[kWeights]);
    }
  }
}

// What a truncated window gives is what the window gives alone.
TYPED_TEST(TttBackward, CanBeTruncatedBetweenWindows) {
  for (const auto& backend : this->backends) {
    for (const Problem& p : problems(9, 14, 4)) {
      if (!backend.supports(p.shape)) continue;
      const OuterLoss loss(p);
      const int n = 2 * p.shape.mini_batch;
      const auto both = run(backend, p, loss, {2, {n, p.tokens - n}, true});
      Problem only = p;
      only.tokens = n;
      OuterLoss only_loss = loss;
      std::fill(only_loss.by_weights.begin(), only_loss.by_weights.end(), 0.0);
      const auto cut = [&](std::vector<double>& of, int width) {
        std::vector<double> kept;
        for (int head = 0; head < p.shape.heads; ++head) {
          const auto from = of.begin() + std::ptrdiff_t(head) * p.tokens * width;
          kept.insert(kept.end(), from, from + n * width);
        }
        of = kept;
      };
      for (auto* rows : {&only.q, &only.k, &only.v, &only_loss.by_z}) cut(*rows, p.shape.head_width);
      cut(only.lr, 1);
      const auto alone = run(backend, only, only_loss);
      EXPECT_EQ(both.of[kWeights], alone.of[kWeights]) << name_of(p);
      for (int i = 0; i < n; ++i) EXPECT_EQ(both.of[kLr][i], alone.of[kLr][i]) << name_of(p);
    }
  }
}

TYPED_TEST(TttBackward, HeadsDoNotTouchEachOther) {
  for (const auto& backend : this->backends) {
    for (const Problem& p : problems(8, 12, 4)) {
      if (!backend.supports(p.shape)) continue;
      const OuterLoss loss(p);
      const auto together = run(backend, p, loss);
      for (int head = 0; head < p.shape.heads; ++head) {
        Problem one = p;
        OuterLoss one_loss = loss;
        one.shape.heads = 1;
        const auto only = [&](std::vector<double>& of) {
          const std::size_t count = of.size() / p.shape.heads;
          of = std::vector<double>(of.begin() + head * count, of.begin() + (head + 1) * count);
        };
        for (auto* part : {&one.q, &one.k, &one.v, &one.lr, &one.gamma, &one.beta, &one.start, &one.carried, &one.alpha,
                           &one.gate, &one_loss.by_z, &one_loss.by_weights}) {
          only(*part);
        }
        const auto alone = run(backend, one, one_loss);
        for (int which = 0; which < 9; ++which) {
          const auto at = together.of[which].begin() + std::ptrdiff_t(head * alone.of[which].size());
          EXPECT_TRUE(std::equal(alone.of[which].begin(), alone.of[which].end(), at))
              << name_of(p) << " " << kInputs[which];
        }
      }
    }
  }
}

TYPED_TEST(TttBackward, EqualsTheScalarOneInDouble) {
  using T = TypeParam;
  const auto& exact = ttt_backends<double>().back();
  for (const auto& backend : this->backends) {
    if (sizeof(T) == sizeof(double) && backend.name == std::string(exact.name)) continue;
    std::array<double, 9> worst{};
    for (const auto& sizes : {std::array{7, 9, 4}, std::array{16, 64, 16}, std::array{64, 256, 16}}) {
      const auto all = problems(sizes[0], sizes[1], sizes[2], 1.0);
      for (std::size_t i = 0; i < all.size(); i += sizes[0] == 64 ? 7 : 1) {  // large ones take their time
        const Problem& p = all[i];
        if (!backend.supports(p.shape)) continue;
        const OuterLoss loss(p);
        const auto got = run(backend, p, loss);
        const auto want = run(exact, p, loss);
        EXPECT_TRUE(got.intact) << name_of(p);
        // Some five sums of f + h products behind one another, twice over three mini-batches, and derivatives of gelu
        // that are themselves good to some dozens of units.
        const double limit = 16 * std::numeric_limits<T>::epsilon() * (2 + std::sqrt(double(sizes[0] + sizes[1])));
        for (int which = 0; which < 9; ++which) {
          const double error = relative(got.of[which], want.of[which]);
          EXPECT_TRUE(error <= limit) << backend.name << ", " << name_of(p) << ", " << kInputs[which] << ": " << error
                                      << ", limit " << limit;
          worst[which] = std::max(worst[which], error);
        }
      }
    }
    std::printf("%s: ", backend.name);
    for (int which = 0; which < 9; ++which) std::printf("%s %.1e  ", kInputs[which], worst[which]);
    std::printf("\n");
  }
}

// At rate zero W stays: with no rules its gradient passes through as it is, plus what the queries read.
TYPED_TEST(TttBackward, LeavesKeysAndValuesAloneAtRateZero) {
  using T = TypeParam;
  for (const auto& backend : this->backends) {
    for (Problem p : problems(8, 12, 4)) {
      if (!backend.supports(p.shape)) continue;
      p.gate.clear();  // after which lr is the rate
      std::fill(p.lr.begin(), p.lr.end(), 0.0);
      const auto got = run(backend, p, OuterLoss(p));
      for (const int which : {1, 2, kTau}) {
        for (const T value : got.of[which]) ASSERT_EQ(value, T(0)) << name_of(p) << " " << kInputs[which];
      }
      EXPECT_GT(*std::max_element(got.of[kLr].begin(), got.of[kLr].end()), T(0)) << "a rate could still help";
    }
  }
}

TYPED_TEST(TttBackward, AddsToTheGradientsOfWhatWindowsShare) {
  using T = TypeParam;
  const Problem p = problems(8, 12, 4).front();
  ASSERT_FALSE(p.gate.empty()) << "windows have positions of their own";
  const OuterLoss loss(p);
  for (const auto& backend : this->backends) {
    const int b = p.shape.mini_batch;
    const auto two = run(backend, p, loss, {1, {b, p.tokens - b}, false});
    const auto one = run(backend, p, loss, {1, {}, false});
    EXPECT_TRUE(relative(two.of[kTau], one.of[kTau]) <= 4 * std::numeric_limits<T>::epsilon());
  }
}

TEST(TttCheckpointCount, IsTheNumberOfGroups) {
  TttShape s;
  s.mini_batch = 4;
  EXPECT_EQ(ttt_checkpoint_count(s, 0, 3), 0);
  EXPECT_EQ(ttt_checkpoint_count(s, 1, 3), 1);
  EXPECT_EQ(ttt_checkpoint_count(s, 12, 3), 1);
  EXPECT_EQ(ttt_checkpoint_count(s, 13, 3), 2);
  EXPECT_EQ(ttt_checkpoint_count(s, 13, 1), 4);
  EXPECT_EQ(ttt_checkpoint_count(s, kMaxTttTokens, kMaxTttTokens), 1);
  EXPECT_THROW(ttt_checkpoint_count(s, 4, 0), std::invalid_argument);
  EXPECT_THROW(ttt_checkpoint_count(s, -1, 1), std::invalid_argument);
}

TEST(TttBackwardEntry, RefusesCallsBeforeItWritesAnything) {
  const auto& backend = ttt_backends<float>().back();
  TttShape causal;
  causal.head_width = 8;
  causal.hidden_width = 12;
  causal.mini_batch = 4;
  causal.keep_row_norms = true;
  TttShape frame = causal;
  frame.form = TttForm::kFrame;
  const std::vector<float> in(64, 0.5f), weights(ttt_weights_size(causal), 1.0f);
  std::vector<float> out(ttt_weights_size(causal), 42.0f), kept(2 * weights.size(), 42.0f),
      scratch(std::max(backend.backward_scratch_size(causal, 1), backend.scratch_size(causal)));
  const auto untouched = [&] {
    return out == std::vector<float>(out.size(), 42.0f) && kept == std::vector<float>(kept.size(), 42.0f);
  };
  using Call = TttCall<float>;
  using Checkpoints = TttCheckpoints<float>;
  using To = TttGradients<float>;
  using State = TttState<float>;
  const auto call_of = [&] {
    Call call;
    call.tokens = 8;
    call.q = call.k = call.v = {in.data(), 64, 8};
    call.lr = {in.data(), 8, 1};
    call.token_scale = in.data();
    call.norm_weight = call.norm_bias = in.data();
    call.start = weights.data();
    call.z = {out.data(), 64, 8};
    call.scratch = scratch;
    return call;
  };
  const auto attempt = [&](const TttShape& shape, auto change) {
    Call call = call_of();
    To to;
    to.z = {in.data(), 64, 8};
    to.q = to.k = to.v = {out.data(), 64, 8};
    to.lr = {out.data(), 8, 1};
    to.weights = to.token_scale = to.norm_weight = to.norm_bias = to.start = out.data();
    Checkpoints checkpoints{1, kept.data()};
    change(call, checkpoints, to);
    EXPECT_THROW(ttt_backward(backend, shape, call, checkpoints, to), std::invalid_argument);
    EXPECT_TRUE(untouched());
  };
  attempt(frame, [](Call& c, Checkpoints&, To&) { c.tokens = 7; });
  attempt(causal, [](Call& c, Checkpoints&, To&) { c.tokens = -1; });
  attempt(causal, [](Call& c, Checkpoints&, To&) { c.k.data = nullptr; });
  attempt(causal, [](Call& c, Checkpoints&, To&) { c.start = nullptr; });
  attempt(causal, [](Call& c, Checkpoints&, To&) { c.scratch = c.scratch.first(10); });
  attempt(causal, [](Call&, Checkpoints& p, To&) { p.every = 0; });
  attempt(causal, [](Call&, Checkpoints& p, To&) { p.every = 1 << 20; });  // the scratch is too small for it
  attempt(causal, [](Call&, Checkpoints& p, To&) { p.weights = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.z.data = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.q.data = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.lr.data = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.weights = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.token_scale = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.norm_bias = nullptr; });
  attempt(causal, [](Call&, Checkpoints&, To& g) { g.start = nullptr; });

  const auto attempt_forward = [&](auto change) {
    Call call = call_of();
    auto moved = weights;
    std::vector<float> rows(ttt_rows_size(causal));
    State state{moved.data(), rows.data(), 0};
    Checkpoints checkpoints{1, kept.data()};
    change(call, checkpoints, state);
    EXPECT_THROW(ttt_forward(backend, causal, call, state, checkpoints), std::invalid_argument);
    EXPECT_TRUE(untouched());
    EXPECT_EQ(moved, weights);
  };
  attempt_forward([](Call&, Checkpoints&, State& s) { s.open = 1; });
  attempt_forward([](Call&, Checkpoints&, State& s) { s.weights = nullptr; });
  attempt_forward([](Call&, Checkpoints& p, State&) { p.weights = nullptr; });
  attempt_forward([](Call&, Checkpoints& p, State&) { p.every = 0; });
  attempt_forward([](Call& c, Checkpoints&, State&) { c.z.data = nullptr; });
}

TEST(TttBackwardEntry, SaysThatABackendHasNone) {
  auto backend = ttt_backends<float>().back();
  backend.backward = nullptr;
  const std::vector<float> one(1, 1.0f);
  TttCall<float> call;
  call.norm_weight = call.norm_bias = call.token_scale = one.data();
  EXPECT_THROW(ttt_backward(backend, TttShape{}, call, {}, {}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
