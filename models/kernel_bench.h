// How fast the inner loop is on this machine: beside what its registers could do, and beside the same work in LibTorch.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace longtake {

// Noise only ever adds time, so each figure is the best of many short runs; peak, kernel and LibTorch take turns, so that
// their ratios come from the same minute.
struct KernelCase {
  std::string name;  // ttt_mlp|ttt_linear .forward|.train|.decode, or product.… for one matrix product alone
  int f = 64, h = 256, b = 16;
  std::string isa;
  int threads = 1;
  bool cold = false;  // 64 heads in turn, one mini-batch each: their weights come from further away than L2
  double ns_per_token_head = 0;  // by the clock, over all threads' tokens
  double gflops = 0;             // floating point operations as the equations have them, a multiply-add being two
  double fraction_of_peak = 0;   // of `threads` times the peak of this instruction set on one core
  std::optional<double> ratio_to_libtorch;  // how many times faster than definition::inner_loop(), one thread
};

struct KernelBench {
  double fma_peak_gflops = 0;  // of one core, with the best instruction set in use
  std::vector<KernelCase> cases;
};

struct KernelBenchOptions {
  double seconds_per_case = 0.5;
  std::function<void(const KernelCase&)> on_case;  // as soon as one is done
};

KernelBench bench_kernels(const KernelBenchOptions& options = {});

}  // namespace longtake
