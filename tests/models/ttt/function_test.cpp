// The differentiable inner loop by the kernels: against the definition's own gradients and against finite
// differences.
#include <cstdio>
#include <functional>
#include <random>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "models/ttt/ttt_function.h"

namespace longtake {
namespace {

using at::Tensor;
using definition::FastWeights;
using definition::InnerInputs;
using definition::InnerOutputs;

struct Case {
  TttShape shape;
  int batch = 3;
  int length = 0;
  bool decay = false;
  bool shared_start = false;  // one start for all sequences
};

std::string name_of(const Case& c) {
  std::string name = c.shape.model == TttModel::kMlp ? "mlp" : "linear";
  if (c.shape.form == TttForm::kFrame) name += " frame";
  if (c.shape.target == TttTarget::kNormalised) name += " normalised";
  if (c.shape.update == TttUpdate::kLastLayer) name += " last layer";
  if (c.shape.keep_row_norms) name += " row norms";
  return name + (c.decay ? " decay" : "") + (c.shared_start ? " shared start" : "");
}

// Every model, form, target and rule, in sizes drawn at random.
std::vector<Case> cases(unsigned seed, int widest) {
  std::mt19937 random(seed);
  std::vector<Case> all;
  for (int kind = 0; kind < 64; ++kind) {
    const auto bit = [&](int i) { return (kind >> i & 1) != 0; };
    if (!bit(0) && bit(3)) continue;  // a linear model has one layer only
    Case c;
    c.shape.model = bit(0) ? TttModel::kMlp : TttModel::kLinear;
    c.shape.form = bit(1) ? TttForm::kFrame : TttForm::kCausal;
    c.shape.target = bit(2) ? TttTarget::kNormalised : TttTarget::kResidual;
    c.shape.update = bit(3) ? TttUpdate::kLastLayer : TttUpdate::kAll;
    c.shape.keep_row_norms = bit(4);
    c.decay = bit(5);
    c.shared_start = random() % 2 == 0;
    c.shape.heads = 2;
    c.shape.head_width = 4 + int(random() % (widest - 3));
    c.shape.hidden_width = 3 + int(random() % (2 * widest));
    c.shape.mini_batch = 1 + int(random() % 6);
    c.length = 3 * c.shape.mini_batch;
    if (!bit(1)) c.length += int(random() % c.shape.mini_batch);
    all.push_back(c);
  }
  return all;
}

// The leaves of a call; each wants a gradient.
struct Leaves {
  InnerInputs in;
  FastWeights start;

  Leaves(const Case& c, unsigned seed, at::ScalarType type) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto draw = [&](std::vector<std::int64_t> extents, double spread, double centre = 0) {
      Tensor out = at::empty(extents, at::kFloat);
      for (std::int64_t i = 0; i < out.numel(); ++i) {
        out.data_ptr<float>()[i] = static_cast<float>(centre + spread * normal(random));
      }
      return out.to(type);
    };
    const std::int64_t nh = c.shape.heads, f = c.shape.head_width, h = c.shape.hidden_width;
    const std::vector<std::int64_t> rows{c.batch, nh, c.length, f};
    in.q = draw(rows, 1);
    in.k = draw(rows, 1);
    in.v = draw(rows, 1);
    in.lr = draw({c.batch, nh, c.length}, 0.2 / double(f), 1.0 / double(f));
    if (c.shape.form == TttForm::kCausal) in.token_scale = draw({c.shape.mini_batch}, 0.1, 0.5);
    in.norm_weight = draw({nh, f}, 0.2, 1);
    in.norm_bias = draw({nh, f}, 0.2);
    if (c.decay) in.decay = at::full({nh}, 0.125, type);
    const auto weights = [&](std::int64_t sequences) {
      FastWeights w;
      const double spread = 1 / std::sqrt(double(f));
      const bool deep = c.shape.model == TttModel::kMlp;
      w.w1 = draw({sequences, nh, f, deep ? h : f}, spread);
      w.b1 = draw({sequences, nh, 1, deep ? h : f}, spread);
      if (deep) w.w2 = draw({sequences, nh, h, f}, spread);
      if (deep) w.b2 = draw({sequences, nh, 1, f}, spread);
      return w;
    };
    start = weights(c.shared_start ? 1 : c.batch);
    if (c.decay || c.shape.keep_row_norms) in.learned_start = weights(1);
    for (const auto& [name, leaf] : named()) leaf->requires_grad_(true);
  }

  std::vector<std::pair<const char*, Tensor*>> named() {
    std::vector<std::pair<const char*, Tensor*>> all{{"q", &in.q},
                                                     {"k", &in.k},
                                                     {"v", &in.v},
                                                     {"lr", &in.lr},
                                                     {"tau", &in.token_scale},
                                                     {"gamma", &in.norm_weight},
                                                     {"beta", &in.norm_bias},
                                                     {"W1", &start.w1},
                                                     {"b1", &start.b1},
                                                     {"W2", &start.w2},
                                                     {"b2", &start.b2},
                                                     {"W1 learned", &in.learned_start.w1},
                                                     {"b1 learned", &in.learned_start.b1},
                                                     {"W2 learned", &in.learned_start.w2},
                                                     {"b2 learned", &in.learned_start.b2}};
    std::erase_if(all, [](const auto& entry) { return !entry.second->defined(); });
    return all;
  }

  // Of a loss of all that training may look at.
  std::vector<Tensor> gradients(const std::function<Tensor(const Leaves&)>& loss) {
    for (const auto& [name, leaf] : named()) leaf->mutable_grad() = Tensor();
    loss(*this).backward();
    std::vector<Tensor> out;
    for (const auto& [name, leaf] : named()) {
      out.push_back(leaf->grad().defined() ? leaf->grad().clone() : at::zeros_like(*leaf));
    }
    return out;
  }
};

// The same for every call of its shape.
Tensor fixed(const Tensor& like) {
  return at::sin(at::arange(like.numel(), at::kDouble) * 1.7)
      .view(like.sizes())
      .to(like.options().requires_grad(false));
}
Tensor loss_of(const InnerOutputs& out) {
  Tensor sum = (out.z * fixed(out.z)).sum();
  for (const Tensor& weight : {out.end.w1, out.end.b1, out.end.w2, out.end.b2}) {
    if (weight.defined()) sum = sum + (weight * fixed(weight)).sum();
  }
  return sum;
}

using Loop = std::function<InnerOutputs(const TttShape&, const InnerInputs&, const FastWeights&)>;
const Loop by_definition = definition::inner_loop;
const Loop by_kernels = [](const TttShape& shape, const InnerInputs& in, const FastWeights& start) {
  return ttt_inner_loop(shape, in, start, {2, nullptr});
};

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().to(at::kDouble).item<double>(); }

TEST(TttFunction, EqualsTheDefinitionAndItsGradients) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    double worst = 0;
    for (const Case& c : cases(1, 20)) {
      Leaves leaves(c, 2, type);
      Leaves exact_leaves(c, 2, at::kDouble);
      const double eps = type == at::kDouble ? 2.3e-16 : 1.2e-7;
      // In double both sides round.
      const double limit = 64 * eps * std::sqrt(double(c.shape.head_width + c.shape.hidden_width));
      const auto got = by_kernels(c.shape, leaves.in, leaves.start);
      const auto want = by_definition(c.shape, exact_leaves.in, exact_leaves.start);
      EXPECT_TRUE(largest(got.z - want.z) <= limit * 4) << name_of(c);
      EXPECT_TRUE(largest(got.before - want.before) <= limit * 16) << name_of(c);
      EXPECT_TRUE(largest(got.end.w1 - want.end.w1) <= limit) << name_of(c);
      const auto gradients =
          leaves.gradients([&](const Leaves& at) { return loss_of(by_kernels(c.shape, at.in, at.start)); });
      const auto wanted = exact_leaves.gradients(
          [&](const Leaves& at) { return loss_of(by_definition(c.shape, at.in, at.start)); });
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        ASSERT_EQ(gradients[i].sizes(), wanted[i].sizes());
        const double error = largest(gradients[i] - wanted[i]) / (largest(wanted[i]) + 1e-6);
        EXPECT_TRUE(error <= limit) << name_of(c) << " " << leaves.named()[i].first << ": " << error
                                    << ", limit " << limit;
        worst = std::max(worst, error / limit);
      }
    }
    std::printf("%s: worst gradient %.2f of its limit\n", type == at::kDouble ? "double" : "float", worst);
  }
}

TEST(TttFunction, EqualsFiniteDifferences) {
  double worst = 0;
  for (const Case& c : cases(3, 8)) {
    Leaves leaves(c, 4, at::kDouble);
    const auto loss = [&](const Leaves& at) { return loss_of(by_kernels(c.shape, at.in, at.start)); };
    const auto gradients = leaves.gradients(loss);
    at::NoGradGuard guard;
    const auto names = leaves.named();
    for (std::size_t i = 0; i < names.size(); ++i) {
      Tensor& leaf = *names[i].second;
      const Tensor here = leaf;
      const Tensor direction = fixed(leaf) / std::sqrt(double(leaf.numel()));
      const double step = 1e-5;
      const auto moved = [&](double by) {
        leaf = here + by * direction;
        return loss(leaves).item<double>();
      };
      const double numeric = (moved(step) - moved(-step)) / (2 * step);
      leaf = here;
      const double exact = (gradients[i] * direction).sum().item<double>();
      const double error = std::abs(numeric - exact) / (largest(gradients[i]) + 1e-3);
      EXPECT_TRUE(error <= 1e-6) << name_of(c) << " " << names[i].first << ": " << numeric
                                 << " by differences, " << exact;
      worst = std::max(worst, error);
    }
  }
  std::printf("worst relative error %.1e\n", worst);
}

TEST(TttFunction, GivesTheSameBitsOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  auto all = cases(5, 20);
  for (Case& c : all) c.batch = 6;
  Case large = all[1];  // enough work for every thread to have some
  large.batch = 8;
  large.shape.head_width = 32;
  large.shape.hidden_width = 128;
  large.shape.mini_batch = 16;
  large.length = 5 * 16;
  all.insert(all.end(), 3, large);
  for (const Case& c : all) {
    std::vector<Tensor> first;
    for (const int threads : {1, 2, 4}) {
      at::set_num_threads(threads);
      Leaves leaves(c, 6, at::kFloat);
      auto got = leaves.gradients([&](const Leaves& at) {
        const auto out = by_kernels(c.shape, at.in, at.start);
        return (out.z * fixed(out.z)).sum() + (out.end.b1 * fixed(out.end.b1)).sum();
      });
      got.push_back(by_kernels(c.shape, leaves.in, leaves.start).z.detach());
      if (first.empty()) first = got;
      for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(at::equal(got[i], first[i])) << name_of(c) << " " << i;
    }
  }
  at::set_num_threads(before);
}

TEST(TttFunction, PassesGradientsBetweenWindowsUnlessDetached) {
  for (const Case& c : cases(7, 12)) {
    const int n = 2 * c.shape.mini_batch;
    const auto window = [&](const InnerInputs& in, int first, int count) {
      InnerInputs part = in;
      for (Tensor* rows : {&part.q, &part.k, &part.v, &part.lr}) *rows = rows->narrow(2, first, count);
      return part;
    };
    Leaves leaves(c, 8, at::kDouble);
    const auto whole =
        leaves.gradients([&](const Leaves& at) { return loss_of(by_kernels(c.shape, at.in, at.start)); });
    const auto in_two = [&](const Leaves& at, bool truncated) {
      const auto first = by_kernels(c.shape, window(at.in, 0, n), at.start);
      FastWeights carried = first.end;
      for (Tensor* weight : {&carried.w1, &carried.b1, &carried.w2, &carried.b2}) {
        if (truncated && weight->defined()) *weight = weight->detach();
      }
      InnerInputs rest = window(at.in, n, c.length - n);
      const auto second = by_kernels(c.shape, rest, carried);
      return loss_of({at::cat({first.z, second.z}, 2), second.end, {}});
    };
    const auto windows = leaves.gradients([&](const Leaves& at) { return in_two(at, false); });
    const auto truncated = leaves.gradients([&](const Leaves& at) { return in_two(at, true); });
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_TRUE(largest(windows[i] - whole[i]) <= 1e-13 * (1 + largest(whole[i])))
          << name_of(c) << " " << i;
    }
    const Tensor seen = truncated[1].narrow(2, 0, n), all = whole[1].narrow(2, 0, n);  // of k
    EXPECT_GT(largest(seen - all), 1e-6) << name_of(c);
    EXPECT_TRUE(largest(truncated[1].narrow(2, n, c.length - n) - whole[1].narrow(2, n, c.length - n)) <=
                1e-13 * (1 + largest(whole[1])));
  }
}

// As a layer gives them: views of [B][L][nh·f], and one number for all of lr.
TEST(TttFunction, TakesTensorsInAnyLayout) {
  Case c = cases(9, 12)[1];
  Leaves leaves(c, 10, at::kDouble);
  const auto want =
      leaves.gradients([&](const Leaves& at) { return loss_of(by_kernels(c.shape, at.in, at.start)); });
  const auto got = leaves.gradients([&](const Leaves& at) {
    InnerInputs in = at.in;
    for (Tensor* rows : {&in.q, &in.k, &in.v}) *rows = rows->transpose(1, 2).contiguous().transpose(1, 2);
    in.lr = in.lr.permute({2, 0, 1}).contiguous().permute({1, 2, 0});
    in.v = in.v.transpose(2, 3).contiguous().transpose(2, 3);
    const auto out = by_kernels(c.shape, in, at.start);
    return loss_of({out.z.transpose(2, 3).contiguous().transpose(2, 3), out.end, {}});
  });
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(at::equal(got[i], want[i])) << i;
}

TEST(TttFunction, WorksWithoutGradients) {
  const Case c = cases(11, 12)[0];
  Leaves leaves(c, 12, at::kFloat);
  const Tensor want = by_kernels(c.shape, leaves.in, leaves.start).z;
  EXPECT_TRUE(want.requires_grad());
  at::NoGradGuard guard;
  const Tensor got = by_kernels(c.shape, leaves.in, leaves.start).z;
  EXPECT_FALSE(got.requires_grad());
  EXPECT_TRUE(at::equal(got, want));
}

TEST(TttFunction, RefusesWhatDoesNotFit) {
  Case c = cases(13, 12)[0];
  c.decay = true;
  const auto wrong = [&](auto change) {
    Leaves leaves(c, 14, at::kFloat);
    TttFunctionOptions options;
    change(leaves, options);
    EXPECT_THROW(ttt_inner_loop(c.shape, leaves.in, leaves.start, options), std::invalid_argument);
  };
  using Options = TttFunctionOptions;
  wrong([](Leaves& l, Options&) { l.in.q = l.in.q.narrow(3, 0, 2); });
  wrong([](Leaves& l, Options&) { l.in.k = l.in.k.narrow(2, 0, 2); });
  wrong([](Leaves& l, Options&) { l.in.v = l.in.v.to(at::kDouble); });
  wrong([](Leaves& l, Options&) { l.in.lr = Tensor(); });
  wrong([](Leaves& l, Options&) { l.in.token_scale = Tensor(); });
  wrong([](Leaves& l, Options&) { l.start.b1 = l.start.w1; });
  wrong([](Leaves& l, Options&) { l.in.decay = l.in.decay.clone().requires_grad_(true); });
  wrong([](Leaves& l, Options&) {
    l.in.learned_start.w1 = at::cat({l.in.learned_start.w1, l.in.learned_start.w1});
  });
  wrong([](Leaves&, Options& o) { o.checkpoint_every = 0; });
  wrong([](Leaves&, Options& o) { o.backend = "abacus"; });
}

TEST(TttFunction, RefusesGradientsOfStepsThatAreNotFinite) {
  const Case c = cases(15, 12)[0];
  Leaves leaves(c, 16, at::kFloat);
  leaves.in.lr = at::full_like(leaves.in.lr, 1e38).requires_grad_(true);
  EXPECT_THROW(ttt_inner_loop(c.shape, leaves.in, leaves.start), std::runtime_error);
}

}  // namespace
}  // namespace longtake
