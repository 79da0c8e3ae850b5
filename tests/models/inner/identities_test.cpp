// What TTT is equal to: the theorems of arXiv 2407.04620, 2.6, against attention written out here, and the fast loops.
#include <cmath>

#include <gtest/gtest.h>

#include "models/inner/nadaraya_watson.h"
#include "models/ttt/ttt_definition.h"
#include "tests/models/inner/inner_testing.h"

namespace longtake::inner {
namespace {

using at::Tensor;

constexpr int kLength = 12;

double limit_of(at::ScalarType type) { return type == at::kFloat ? 1e-5 : 1e-13; }

// z_i = Σ_s v_s (k_s · q_i) over all s up to the end of the unit of i, in doubles.
Tensor linear_attention(const Tensor& q, const Tensor& k, const Tensor& v, std::int64_t unit) {
  const Tensor exact_q = q.to(at::kDouble), exact_k = k.to(at::kDouble), exact_v = v.to(at::kDouble);
  const auto keys = exact_k.accessor<double, 4>(), queries = exact_q.accessor<double, 4>(),
             values = exact_v.accessor<double, 4>();
  Tensor out = at::zeros(exact_v.sizes(), at::kDouble);
  auto z = out.accessor<double, 4>();
  for (int b = 0; b < q.size(0); ++b) {
    for (int h = 0; h < q.size(1); ++h) {
      for (int i = 0; i < q.size(2); ++i) {
        for (int s = 0; s < (i / unit + 1) * unit; ++s) {
          double score = 0;
          for (int c = 0; c < q.size(3); ++c) score += queries[b][h][i][c] * keys[b][h][s][c];
          for (int c = 0; c < q.size(3); ++c) z[b][h][i][c] += score * values[b][h][s][c];
        }
      }
    }
  }
  return out;
}

// Theorem 1. The paper's loss has no ½ and its rate is ½: together, a rate of 1 here.
TEST(Identities, BatchGradientDescentOfALinearModelIsLinearAttention) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const int f : {1, 7, 16}) {
      for (const int unit : {1, 4, kLength}) {  // causal; by frame; the whole sequence read after it was learned
        Draw draw{unsigned(f), type};
        LoopShape shape;
        shape.model = make_model("linear", {f, 0, 16, /*bias=*/false});
        shape.optimiser = make_optimiser("sgd", 1);
        shape.unit = unit;
        shape.mini_batch = 0;
        shape.norm = false;
        shape.residual = false;
        const std::vector<std::int64_t> rows{3, 2, kLength, f};
        const Inputs in{draw(rows), draw(rows), draw(rows), {}, {}, {}, {}};
        const auto start = loop_start(shape, {at::zeros({1, 2, f, f}, type)}, 3);
        const Tensor want = linear_attention(in.q, in.k, in.v, unit);
        const double scale = largest(want);
        EXPECT_TRUE(largest(run_loop(shape, in, start).z - want) <= limit_of(type) * scale) << f << " " << unit;
        shape.mini_batch = kLength;  // one batch that ends
        const auto ended = run_loop(shape, in, start);
        EXPECT_TRUE(largest(ended.z - want) <= limit_of(type) * scale) << f << " " << unit;
        // What it learned is the sum of all k ⊗ v.
        EXPECT_TRUE(largest(ended.end.weights[0] - at::matmul(in.k.transpose(2, 3), in.v)) <= limit_of(type) * scale);
      }
    }
  }
}

// Mini-batches are what makes TTT more than that: later gradients know what earlier ones taught.
TEST(Identities, SmallerMiniBatchesAreNotLinearAttention) {
  Draw draw(1);
  LoopShape shape;
  shape.model = make_model("linear", {4, 0, 16, false});
  shape.optimiser = make_optimiser("sgd", 1);
  shape.unit = 1;
  shape.mini_batch = 6;
  shape.norm = shape.residual = false;
  const std::vector<std::int64_t> rows{1, 1, kLength, 4};
  const Inputs in{draw(rows), draw(rows), draw(rows), {}, {}, {}, {}};
  const Tensor z = run_loop(shape, in, loop_start(shape, {at::zeros({1, 1, 4, 4}, at::kDouble)}, 1)).z;
  const Tensor attention = linear_attention(in.q, in.k, in.v, 1);
  EXPECT_TRUE(largest((z - attention).narrow(2, 0, 6)) <= 1e-12);
  EXPECT_GT(largest((z - attention).narrow(2, 6, 6)), 0.1);
}

// Theorem 2.
TEST(Identities, NadarayaWatsonIsSelfAttention) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const int f : {1, 7, 16}) {
      for (const int unit : {1, 4, kLength}) {
        Draw draw{unsigned(f), type};
        const std::vector<std::int64_t> rows{3, 2, kLength, f};
        const Tensor q = draw(rows, 3), k = draw(rows), v = draw(rows);
        const Tensor group = at::arange(kLength).div(unit, "floor");
        const Tensor later = group.unsqueeze(1) < group.unsqueeze(0);  // [query][key]
        const Tensor scores = at::matmul(q.to(at::kDouble), k.to(at::kDouble).transpose(2, 3)) / std::sqrt(double(f));
        const Tensor want = at::matmul(at::softmax(scores.masked_fill(later, -1e300), -1), v.to(at::kDouble));
        const auto got = nadaraya_watson(q, k, v, unit, nothing_kept(q));
        EXPECT_TRUE(largest(got.z - want) <= limit_of(type)) << f << " " << unit;
        EXPECT_TRUE(at::equal(got.end.keys, k));
      }
    }
  }
}

TEST(NadarayaWatson, InPiecesEqualsTheWhole) {
  Draw draw(2);
  const std::vector<std::int64_t> rows{2, 2, kLength, 3};
  const Tensor q = draw(rows), k = draw(rows), v = draw(rows);
  for (const std::int64_t most : {kMostKept, std::int64_t{6}}) {
    const auto whole = nadaraya_watson(q, k, v, 2, nothing_kept(q), most);
    const auto piece = [&](std::int64_t first, std::int64_t count, const KeptPairs& start) {
      return nadaraya_watson(q.narrow(2, first, count), k.narrow(2, first, count), v.narrow(2, first, count), 2, start,
                             most);
    };
    const auto first = piece(0, 2, nothing_kept(q));
    const auto second = piece(2, 8, first.end);
    const auto third = piece(10, 2, second.end);
    EXPECT_TRUE(largest(at::cat({first.z, second.z, third.z}, 2) - whole.z) <= 1e-14);
    EXPECT_TRUE(at::equal(third.end.keys, whole.end.keys));
    EXPECT_EQ(whole.end.keys.size(2), std::min<std::int64_t>(most, kLength));
  }
}

TEST(NadarayaWatson, StreamsThatBeganLaterLieBesideOthers) {
  Draw draw(3);
  const std::vector<std::int64_t> rows{2, 1, 4, 3};
  const Tensor before = draw(rows), q = draw(rows), k = draw(rows), v = draw(rows);
  const auto earlier = nadaraya_watson(before, before, before, 2, nothing_kept(before));
  // As StackNet::restarted() does it, with the second stream.
  const auto begins = at::tensor({0, 1}).to(at::kBool);
  const KeptPairs none = nothing_kept(before);
  const KeptPairs mixed{at::where(begins.view({2, 1, 1, 1}), none.keys, earlier.end.keys),
                        at::where(begins.view({2, 1, 1, 1}), none.values, earlier.end.values),
                        at::where(begins.view({2, 1}), none.kept, earlier.end.kept)};
  const auto got = nadaraya_watson(q, k, v, 2, mixed);
  const auto going_on = nadaraya_watson(q, k, v, 2, earlier.end);
  const auto alone = nadaraya_watson(q, k, v, 2, none);
  EXPECT_TRUE(largest(got.z[0] - going_on.z[0]) <= 1e-14);
  EXPECT_TRUE(largest(got.z[1] - alone.z[1]) <= 1e-14);
  // Places of nobody are let go.
  const KeptPairs both_new{mixed.keys, mixed.values, at::zeros_like(mixed.kept)};
  EXPECT_EQ(nadaraya_watson(q, k, v, 2, both_new).end.keys.size(2), 4);
}

TEST(NadarayaWatson, GradientEqualsFiniteDifferences) {
  Draw draw(4);
  const std::vector<std::int64_t> rows{2, 1, 6, 3};
  std::vector<Tensor> leaves{draw(rows), draw(rows), draw(rows)};
  const auto loss = [](const std::vector<Tensor>& at) {
    const auto first =
        nadaraya_watson(at[0].narrow(2, 0, 4), at[1].narrow(2, 0, 4), at[2].narrow(2, 0, 4), 2, nothing_kept(at[0]));
    const auto second =
        nadaraya_watson(at[0].narrow(2, 4, 2), at[1].narrow(2, 4, 2), at[2].narrow(2, 4, 2), 2, first.end);
    return (first.z * fixed(first.z)).sum() + (second.z * fixed(second.z)).sum();
  };
  std::vector<Tensor> tracked;
  for (const Tensor& leaf : leaves) tracked.push_back(leaf.clone().requires_grad_(true));
  loss(tracked).backward();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const Tensor direction = fixed(leaves[i]);
    const auto moved = [&](double by) {
      auto other = leaves;
      other[i] = leaves[i] + by * direction;
      return loss(other).item<double>();
    };
    const double exact = (tracked[i].grad() * direction).sum().item<double>();
    EXPECT_NEAR((moved(1e-6) - moved(-1e-6)) / 2e-6, exact, 1e-8) << i;
  }
}

// With sgd the loop is the one of ttt_definition.h, and so the kernels': online (b = 1), mini-batch, whole sequence.
TEST(InnerLoop, WithSgdEqualsTheDefinitionAndItsGradients) {
  constexpr int nh = 2, f = 5, h = 8, batch = 2;
  for (const char* name : {"linear", "mlp"}) {
    for (const bool causal : {true, false}) {
      for (const int b : {1, 16, 40}) {
        const bool deep = std::string(name) == "mlp";
        const int length = causal || b != 16 ? 40 : 48;  // 40 leaves half a mini-batch of 16 open
        Draw draw{unsigned(b)};
        definition::InnerInputs in;
        const std::vector<std::int64_t> rows{batch, nh, length, f};
        in.q = draw(rows), in.k = draw(rows), in.v = draw(rows);
        in.lr = draw({batch, nh, length}, 0.02, 0.1);
        if (causal) in.token_scale = draw({b}, 0.1, 0.5);
        in.norm_weight = draw({nh, f}, 0.2, 1);
        in.norm_bias = draw({nh, f}, 0.2);
        definition::FastWeights weights{
            draw({1, nh, f, deep ? h : f}, 0.5), draw({1, nh, 1, deep ? h : f}, 0.5), {}, {}};
        if (deep) weights.w2 = draw({1, nh, h, f}, 0.5), weights.b2 = draw({1, nh, 1, f}, 0.5);
        std::vector<Tensor> leaves{in.q, in.k, in.v, in.lr, in.norm_weight, in.norm_bias, weights.w1, weights.b1};
        if (causal) leaves.push_back(in.token_scale);
        if (deep) leaves.insert(leaves.end(), {weights.w2, weights.b2});
        for (Tensor& leaf : leaves) leaf.requires_grad_(true);

        TttShape fast;
        fast.model = deep ? TttModel::kMlp : TttModel::kLinear;
        fast.form = causal ? TttForm::kCausal : TttForm::kFrame;
        fast.heads = nh, fast.head_width = f, fast.hidden_width = h, fast.mini_batch = b;
        const auto want = definition::inner_loop(fast, in, weights);

        constexpr double kRate = 0.25;
        LoopShape shape;
        shape.model = make_model(name, {f, h});
        shape.optimiser = make_optimiser("sgd", kRate);
        shape.unit = causal ? 1 : b;
        shape.mini_batch = b;
        const Inputs same{in.q,           in.k,           in.v,        in.lr / (causal ? kRate : kRate * b),
                          in.token_scale, in.norm_weight, in.norm_bias};
        Weights start{weights.w1, weights.b1};
        if (deep) start.insert(start.end(), {weights.w2, weights.b2});
        const auto got = run_loop(shape, same, loop_start(shape, start, batch));

        const std::string what = std::string(name) + (causal ? " causal " : " frame ") + std::to_string(b);
        EXPECT_TRUE(largest(got.z - want.z) <= 1e-12) << what << " " << largest(got.z - want.z);
        EXPECT_TRUE(largest(got.before - want.before) <= 1e-12) << what;
        EXPECT_TRUE(largest(got.end.weights[0] - want.end.w1) <= 1e-12) << what;
        EXPECT_TRUE(largest(got.end.weights[1] - want.end.b1) <= 1e-12) << what;
        if (deep) {
          EXPECT_TRUE(largest(got.end.weights[2] - want.end.w2) <= 1e-12) << what;
          EXPECT_TRUE(largest(got.end.weights[3] - want.end.b2) <= 1e-12) << what;
        }
        const auto gradients = [&](const Tensor& z, const Tensor& before, const Tensor& end) {
          for (Tensor& leaf : leaves) leaf.mutable_grad() = Tensor();
          ((z * fixed(z)).sum() + (before * fixed(before)).sum() + (end * fixed(end)).sum()).backward();
          std::vector<Tensor> out;
          for (Tensor& leaf : leaves) out.push_back(leaf.grad().clone());
          return out;
        };
        const auto exact = gradients(want.z, want.before, want.end.w1);
        const auto ours = gradients(got.z, got.before, got.end.weights[0]);
        for (std::size_t i = 0; i < exact.size(); ++i) {
          EXPECT_TRUE(largest(ours[i] - exact[i]) <= 1e-10 * (1 + largest(exact[i]))) << what << " leaf " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace longtake::inner
