#include "models/kernel_bench.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <thread>

#include <torch/types.h>
#include <torch/utils.h>

#include "kernels/aligned.h"
#include "kernels/dense.h"
#include "kernels/fma_loop.h"
#include "kernels/isa.h"
#include "kernels/ttt_backward.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {
namespace {

using Clock = std::chrono::steady_clock;
using Floats = AlignedVector<float>;

constexpr int kMiniBatches = 16;  // of one call
constexpr int kColdHeads = 64;
constexpr int kEvery = 4;  // mini-batches between checkpoints

template <class Work>
double seconds_of(Work work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

enum class Kind { kForward, kTrain, kDecode };

struct Plan {
  TttShape shape;
  Kind kind = Kind::kForward;
  int threads = 1;
  bool cold = false;
  bool with_libtorch = false;

  int tokens() const { return kind == Kind::kDecode ? 1 : cold ? shape.mini_batch : kMiniBatches * shape.mini_batch; }
  // Of one token and head; training is forward, once more, and twice that backwards.
  double flop() const {
    const double f = shape.head_width, h = shape.hidden_width, b = shape.mini_batch;
    const double forward = shape.model == TttModel::kMlp ? 14 * f * h + 4 * b * (f + h) : 6 * f * f + 4 * b * f;
    return kind == Kind::kTrain ? 4 * forward : forward;
  }
  std::string name() const {
    const char* kinds[] = {".forward", ".train", ".decode"};
    return std::string(shape.model == TttModel::kMlp ? "ttt_mlp" : "ttt_linear") + kinds[static_cast<int>(kind)];
  }
};

// One thread's work: a stream, or 64 of them in turn.
class Stream {
 public:
  Stream(const Plan& plan, const TttBackend<float>& backend, unsigned seed)
      : plan_(plan), backend_(backend), random_(seed), size_(ttt_weights_size(plan.shape)) {
    const std::size_t f = plan.shape.head_width;
    const std::size_t tokens = plan.tokens();
    const std::size_t heads = plan.cold ? kColdHeads : 1;
    for (Floats* rows : {&q_, &k_, &v_, &d_z_}) *rows = draw(tokens * f, 0, 1);
    lr_ = draw(tokens, 0.1f / f, 0);
    for (int i = 1; i <= plan.shape.mini_batch; ++i) tau_.push_back(1.0f / i);
    gamma_ = draw(f, 1, 0.1f);
    beta_ = draw(f, 0, 0.1f);
    start_ = draw(size_, 0, 1 / std::sqrt(static_cast<float>(f)));
    for (std::size_t head = 0; head < heads; ++head) weights_.insert(weights_.end(), start_.begin(), start_.end());
    rows_.resize(heads * ttt_rows_size(plan.shape));
    open_.resize(heads);
    z_.resize(tokens * f);
    std::size_t scratch = backend.scratch_size(plan.shape);
    if (plan.kind == Kind::kTrain) {
      scratch = std::max(scratch, backend.backward_scratch_size(plan.shape, kEvery));
      for (Floats* rows : {&d_q_, &d_k_, &d_v_}) rows->resize(tokens * f);
      d_lr_.resize(tokens);
      d_tau_.resize(plan.shape.mini_batch);
      d_gamma_.resize(f);
      d_beta_.resize(f);
      d_weights_.resize(size_);
      checkpoints_.resize(size_ * ttt_checkpoint_count(plan.shape, static_cast<int>(tokens), kEvery));
    }
    scratch_.resize(scratch);
  }

  // One call on each head; gives the tokens.
  int run() {
    const std::size_t heads = open_.size();
    const std::ptrdiff_t f = plan_.shape.head_width;
    TttCall<float> call;
    call.tokens = plan_.tokens();
    call.q = {q_.data(), 0, f};
    call.k = {k_.data(), 0, f};
    call.v = {v_.data(), 0, f};
    call.lr = {lr_.data(), 0, 1};
    call.token_scale = tau_.data();
    call.norm_weight = gamma_.data();
    call.norm_bias = beta_.data();
    call.z = {z_.data(), 0, f};
    call.scratch = scratch_;
    if (plan_.kind == Kind::kTrain) return train(call);
    for (std::size_t head = 0; head < heads; ++head) {
      TttState<float> state{&weights_[head * size_], rows_.data() + head * ttt_rows_size(plan_.shape), open_[head]};
      ttt_forward(backend_, plan_.shape, call, state);
      open_[head] = state.open;
    }
    return static_cast<int>(heads) * call.tokens;
  }

 private:
  int train(const TttCall<float>& call) {
    const std::ptrdiff_t f = plan_.shape.head_width;
    std::copy(start_.begin(), start_.end(), weights_.begin());
    std::fill(d_weights_.begin(), d_weights_.end(), 0.0f);
    TttState<float> state{weights_.data(), rows_.data(), 0};
    const TttCheckpoints<float> checkpoints{kEvery, checkpoints_.data()};
    ttt_forward(backend_, plan_.shape, call, state, checkpoints);
    TttGradients<float> gradients;
    gradients.z = {d_z_.data(), 0, f};
    gradients.q = {d_q_.data(), 0, f};
    gradients.k = {d_k_.data(), 0, f};
    gradients.v = {d_v_.data(), 0, f};
    gradients.lr = {d_lr_.data(), 0, 1};
    gradients.weights = d_weights_.data();
    gradients.token_scale = d_tau_.data();
    gradients.norm_weight = d_gamma_.data();
    gradients.norm_bias = d_beta_.data();
    ttt_backward(backend_, plan_.shape, call, checkpoints, gradients);
    return call.tokens;
  }

  Floats draw(std::size_t count, float centre, float spread) {
    std::normal_distribution<float> normal;
    Floats out(count);
    for (float& value : out) value = centre + spread * normal(random_);
    return out;
  }

  const Plan plan_;
  const TttBackend<float>& backend_;
  std::mt19937 random_;
  const std::size_t size_;
  Floats q_, k_, v_, lr_, tau_, gamma_, beta_, start_, weights_, rows_, z_, scratch_;
  Floats d_z_, d_q_, d_k_, d_v_, d_lr_, d_tau_, d_gamma_, d_beta_, d_weights_, checkpoints_;
  std::vector<int> open_;
};

// The same work by the definition, on one thread.
class Definition {
 public:
  explicit Definition(const Plan& plan) : plan_(plan) {
    const std::int64_t f = plan.shape.head_width, h = plan.shape.hidden_width, tokens = plan.tokens();
    const bool train = plan.kind == Kind::kTrain;
    const auto leaf = [&](at::Tensor values) { return values.set_requires_grad(train); };
    in_.q = leaf(torch::randn({1, 1, tokens, f}));
    in_.k = leaf(torch::randn({1, 1, tokens, f}));
    in_.v = leaf(torch::randn({1, 1, tokens, f}));
    in_.lr = leaf(torch::full({1, 1, tokens}, 0.1 / static_cast<double>(f)));
    in_.token_scale = leaf(1 / torch::arange(1, plan.shape.mini_batch + 1, torch::kFloat));
    in_.norm_weight = leaf(torch::ones({1, f}));
    in_.norm_bias = leaf(torch::zeros({1, f}));
    const double spread = 1 / std::sqrt(static_cast<double>(f));
    const bool mlp = plan.shape.model == TttModel::kMlp;
    start_.w1 = leaf(torch::randn({1, 1, f, mlp ? h : f}) * spread);
    start_.b1 = leaf(torch::zeros({1, 1, 1, mlp ? h : f}));
    if (!mlp) return;
    start_.w2 = leaf(torch::randn({1, 1, h, f}) * spread);
    start_.b2 = leaf(torch::zeros({1, 1, 1, f}));
  }

  int run() {
    if (plan_.kind == Kind::kTrain) {
      definition::inner_loop(plan_.shape, in_, start_).z.sum().backward();
    } else {
      const torch::NoGradGuard no_gradients;
      definition::inner_loop(plan_.shape, in_, start_);
    }
    return plan_.tokens();
  }

 private:
  const Plan plan_;
  definition::InnerInputs in_;
  definition::FastWeights start_;
};

// Best seconds per token. Short runs, like those of the peak: where others use the machine too, quiet moments are short.
class Best {
 public:
  template <class Run>
  void take(Run run) {
    double seconds = 0;
    std::int64_t tokens = 0;
    while (seconds < 2e-4) {
      seconds += seconds_of([&] { tokens += run(); });
    }
    best_ = std::min(best_, seconds / static_cast<double>(tokens));
  }
  void take(double seconds) { best_ = std::min(best_, seconds); }
  double seconds() const { return best_; }

 private:
  double best_ = std::numeric_limits<double>::infinity();
};

// Puts the calling thread on the i-th of the cores it may use. A scheduler leaves new threads on one core for longer than
// a run lasts.
void stay_on_core(std::size_t i) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  std::size_t left = i % static_cast<std::size_t>(CPU_COUNT(&allowed));
  int core = 0;
  while (!CPU_ISSET(core, &allowed) || left-- != 0) ++core;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  sched_setaffinity(0, sizeof one, &one);
}

// Seconds per token when all streams run at once, each on a thread: from the first one's start to the last one's end.
double run_together(std::vector<Stream>& streams, int calls) {
  struct Span {
    Clock::time_point begin, end;
  };
  std::vector<Span> spans(streams.size());
  std::barrier start(static_cast<std::ptrdiff_t>(streams.size()));
  std::atomic<std::int64_t> tokens = 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    threads.emplace_back([&, i] {
      stay_on_core(i);
      start.arrive_and_wait();
      spans[i].begin = Clock::now();
      for (int call = 0; call < calls; ++call) tokens += streams[i].run();
      spans[i].end = Clock::now();
    });
  }
  threads.clear();
  const auto begin = std::ranges::min(spans, {}, &Span::begin).begin;
  const auto end = std::ranges::max(spans, {}, &Span::end).end;
  return std::chrono::duration<double>(end - begin).count() / static_cast<double>(tokens.load());
}

double fma_peak(Isa isa) {
  constexpr std::int64_t kFlop = 20'000'000;
  std::int64_t done = 0;
  const double seconds = seconds_of([&] { done = run_fma_loop(isa, kFlop); });
  return static_cast<double>(done) / seconds / 1e9;
}

// `peak` is the best of all cases with these instructions so far, so that one disturbed second flatters no case.
KernelCase measure(const Plan& plan, const TttBackend<float>& backend, double seconds, double& peak) {
  const Isa isa = isa_named(backend.name).value_or(Isa::kScalar);
  std::vector<Stream> streams;
  for (int i = 0; i < plan.threads; ++i) streams.emplace_back(plan, backend, i + 1);
  std::optional<Definition> definition;
  if (plan.with_libtorch) definition.emplace(plan);
  Best ours, theirs;
  streams[0].run();
  if (definition) definition->run();
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (int round = 0; round < 5 || Clock::now() < end; ++round) {
    peak = std::max(peak, fma_peak(isa));
    if (plan.threads == 1) {
      for (int i = 0; i < 16; ++i) ours.take([&] { return streams[0].run(); });
    } else {
      for (int i = 0; i < 4; ++i) ours.take(run_together(streams, 2));
    }
    if (definition) theirs.take([&] { return definition->run(); });
  }
  KernelCase out;
  out.name = plan.name();
  out.f = plan.shape.head_width;
  out.h = plan.shape.model == TttModel::kMlp ? plan.shape.hidden_width : 0;
  out.b = plan.shape.mini_batch;
  out.isa = backend.name;
  out.threads = plan.threads;
  out.cold = plan.cold;
  out.ns_per_token_head = 1e9 * ours.seconds();
  out.gflops = plan.flop() / ours.seconds() / 1e9;
  out.fraction_of_peak = out.gflops / (peak * plan.threads);
  if (definition) out.ratio_to_libtorch = theirs.seconds() / ours.seconds();
  return out;
}

// One product of the MLP's mini-batch, f = 64, h = 256, b = 16, with the instruction set in use.
KernelCase measure_product(const std::string& name, ProductExtents extents, bool transposed, double seconds,
                           double& peak) {
  Floats a(std::size_t(extents.rows) * extents.inner, 0.5f), b(std::size_t(extents.inner) * extents.columns, 0.25f),
      c(std::size_t(extents.rows) * extents.columns);
  const LeftMatrix<float> left =
      transposed ? LeftMatrix<float>{a.data(), 1, extents.rows} : LeftMatrix<float>{a.data(), extents.inner, 1};
  Best best;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (int round = 0; round < 5 || Clock::now() < end; ++round) {
    peak = std::max(peak, fma_peak(isa_in_use()));
    best.take([&] {
      multiply_add(extents, left, b.data(), extents.columns, c.data(), extents.columns);
      return 16;
    });
  }
  KernelCase out;
  out.name = name;
  out.isa = isa_name(isa_in_use());
  out.ns_per_token_head = 1e9 * best.seconds();
  out.gflops = 2.0 * extents.rows * extents.inner * extents.columns / (16 * best.seconds()) / 1e9;
  out.fraction_of_peak = out.gflops / peak;
  return out;
}

TttShape shape_of(TttModel model, int f, int b) {
  TttShape shape;
  shape.model = model;
  shape.head_width = f;
  shape.hidden_width = 4 * f;
  shape.mini_batch = b;
  return shape;
}

}  // namespace

KernelBench bench_kernels(const KernelBenchOptions& options) {
  at::set_num_threads(1);
  KernelBench out;
  const auto keep = [&](KernelCase one) {
    if (options.on_case) options.on_case(one);
    out.cases.push_back(std::move(one));
  };
  const double seconds = options.seconds_per_case;
  for (int i = 0; i < 100; ++i) out.fma_peak_gflops = std::max(out.fma_peak_gflops, fma_peak(isa_in_use()));
  keep(measure_product("product.keys_w1", {16, 64, 256}, false, seconds, out.fma_peak_gflops));
  keep(measure_product("product.hidden_w2", {16, 256, 64}, false, seconds, out.fma_peak_gflops));
  keep(measure_product("product.w2_gradients", {256, 64, 16}, false, seconds, out.fma_peak_gflops));
  keep(measure_product("product.step_w1", {64, 16, 256}, true, seconds, out.fma_peak_gflops));
  keep(measure_product("product.step_w2", {256, 16, 64}, true, seconds, out.fma_peak_gflops));

  const auto mlp = [](int f, int b) { return shape_of(TttModel::kMlp, f, b); };
  const TttShape linear = shape_of(TttModel::kLinear, 64, 16);
  const std::vector<Plan> plans{
      {mlp(64, 16), Kind::kForward, 1, false, true},  {mlp(64, 16), Kind::kForward, 1, true, false},
      {mlp(64, 16), Kind::kForward, 2, false, false}, {mlp(64, 16), Kind::kTrain, 1, false, true},
      {mlp(64, 16), Kind::kTrain, 2, false, false},   {mlp(64, 16), Kind::kDecode, 1, false, true},
      {mlp(32, 16), Kind::kForward, 1, false, false}, {mlp(128, 16), Kind::kForward, 1, false, false},
      {mlp(64, 64), Kind::kForward, 1, false, false}, {linear, Kind::kForward, 1, false, true},
      {linear, Kind::kTrain, 1, false, true},         {linear, Kind::kDecode, 1, false, true},
  };
  for (const TttBackend<float>& backend : ttt_backends<float>()) {
    double narrower = 0;
    double& peak = isa_named(backend.name) == isa_in_use() ? out.fma_peak_gflops : narrower;
    for (const Plan& plan : plans) {
      if (plan.kind == Kind::kTrain && backend.backward == nullptr) continue;
      keep(measure(plan, backend, seconds, peak));
    }
  }
  return out;
}

}  // namespace longtake
