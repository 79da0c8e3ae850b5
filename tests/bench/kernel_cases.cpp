// The inner loop's parts under Google Benchmark, for work on one of them:
//   kernel_cases --benchmark_filter=step --benchmark_repetitions=9
// `longtake bench kernels` sets the whole beside the machine's peak and beside LibTorch.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>

#include <benchmark/benchmark.h>

#include "kernels/aligned.h"
#include "kernels/dense.h"
#include "kernels/gelu.h"
#include "kernels/ttt_backward.h"

namespace longtake {
namespace {

using Floats = AlignedVector<float>;

Floats draw(std::size_t count, float spread = 1, float centre = 0) {
  static std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Floats out(count);
  for (float& value : out) value = centre + spread * normal(random);
  return out;
}

void count_flop(benchmark::State& state, double flop) {
  state.counters["flop/s"] = benchmark::Counter(flop, benchmark::Counter::kIsIterationInvariantRate);
}

// C += A · B; with `transposed` A is the transpose of what lies in memory, as in a step of W.
void product(benchmark::State& state, ProductExtents extents, bool transposed) {
  const auto [rows, inner, columns] = extents;
  const Floats a = draw(std::size_t(rows) * inner), b = draw(std::size_t(inner) * columns);
  Floats c(std::size_t(rows) * columns);
  const LeftMatrix<float> left =
      transposed ? LeftMatrix<float>{a.data(), 1, rows} : LeftMatrix<float>{a.data(), inner, 1};
  for (auto _ : state) {
    multiply_add(extents, left, b.data(), columns, c.data(), columns);
    benchmark::ClobberMemory();
  }
  count_flop(state, 2.0 * rows * inner * columns);
}
BENCHMARK_CAPTURE(product, keys_w1, ProductExtents{16, 64, 256}, false);
BENCHMARK_CAPTURE(product, hidden_w2, ProductExtents{16, 256, 64}, false);
BENCHMARK_CAPTURE(product, w2_gradients, ProductExtents{256, 64, 16}, false);
BENCHMARK_CAPTURE(product, step_w1, ProductExtents{64, 16, 256}, true);
BENCHMARK_CAPTURE(product, step_w2, ProductExtents{256, 16, 64}, true);

void gelu_with_slope(benchmark::State& state) {
  const Floats start = draw(4096);
  Floats x(start.size()), slope(start.size());
  for (auto _ : state) {
    std::copy(start.begin(), start.end(), x.begin());
    gelu(x.data(), slope.data(), x.size());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(x.size()));
}
BENCHMARK(gelu_with_slope);

// What a head of a TTT-MLP works on; `tokens` of each call.
struct Head {
  Head(int f, int b, int tokens) {
    shape.head_width = f;
    shape.hidden_width = 4 * f;
    shape.mini_batch = b;
    const std::size_t numbers = std::size_t(tokens) * f;
    q = draw(numbers), k = draw(numbers), v = draw(numbers), z.resize(numbers), d_z = draw(numbers);
    d_q.resize(numbers), d_k.resize(numbers), d_v.resize(numbers), d_lr.resize(tokens);
    lr = draw(tokens, 0, 0.1f / f), gamma = draw(f, 0.1f, 1), beta = draw(f, 0.1f);
    for (int i = 1; i <= b; ++i) tau.push_back(1.0f / static_cast<float>(i));
    start = draw(ttt_weights_size(shape), 1 / std::sqrt(static_cast<float>(f)));
    weights = start;
    d_weights.resize(start.size()), rows.resize(ttt_rows_size(shape));
    kept.resize(start.size() * ttt_checkpoint_count(shape, tokens, checkpoints.every));
    checkpoints.weights = kept.data();
    d_tau.resize(b), d_gamma.resize(f), d_beta.resize(f);
    call.tokens = tokens;
    call.q = {q.data(), 0, f}, call.k = {k.data(), 0, f}, call.v = {v.data(), 0, f}, call.z = {z.data(), 0, f};
    call.lr = {lr.data(), 0, 1};
    call.token_scale = tau.data(), call.norm_weight = gamma.data(), call.norm_bias = beta.data();
    gradients.z = {d_z.data(), 0, f}, gradients.lr = {d_lr.data(), 0, 1};
    gradients.q = {d_q.data(), 0, f}, gradients.k = {d_k.data(), 0, f}, gradients.v = {d_v.data(), 0, f};
    gradients.weights = d_weights.data(), gradients.token_scale = d_tau.data();
    gradients.norm_weight = d_gamma.data(), gradients.norm_bias = d_beta.data();
    scratch.resize(std::max(backend().scratch_size(shape), backend().backward_scratch_size(shape, checkpoints.every)));
    call.scratch = scratch;
    state = {weights.data(), rows.data(), 0};
  }
  const TttBackend<float>& backend() const { return ttt_best_trainer<float>(shape); }

  TttShape shape;
  Floats q, k, v, z, lr, tau, gamma, beta, start, weights, rows, kept, scratch;
  Floats d_z, d_q, d_k, d_v, d_lr, d_weights, d_tau, d_gamma, d_beta;
  TttCall<float> call;
  TttState<float> state;
  TttCheckpoints<float> checkpoints;
  TttGradients<float> gradients;
};

// {f, b, tokens of a call}; tokens that do not fill a mini-batch are what a stream brings.
void mlp_forward(benchmark::State& state) {
  Head head(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2)));
  for (auto _ : state) ttt_forward(head.backend(), head.shape, head.call, head.state);
  state.SetItemsProcessed(state.iterations() * head.call.tokens);
}
BENCHMARK(mlp_forward)->Args({16, 16, 256})->Args({32, 16, 256})->Args({64, 16, 256})->Args({128, 16, 256});
BENCHMARK(mlp_forward)->Args({64, 4, 256})->Args({64, 64, 256})->Args({64, 16, 1})->Args({64, 16, 5});

void mlp_backward(benchmark::State& state) {
  Head head(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)), static_cast<int>(state.range(2)));
  ttt_forward(head.backend(), head.shape, head.call, head.state, head.checkpoints);
  for (auto _ : state) ttt_backward(head.backend(), head.shape, head.call, head.checkpoints, head.gradients);
  state.SetItemsProcessed(state.iterations() * head.call.tokens);
}
BENCHMARK(mlp_backward)->Args({64, 16, 256})->Args({128, 16, 256});

}  // namespace
}  // namespace longtake

BENCHMARK_MAIN();
