#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "models/kernel_bench.h"

namespace longtake {
namespace {

nlohmann::ordered_json to_json(const KernelCase& one) {
  nlohmann::ordered_json out;
  out["case"] = one.name;
  out["f"] = one.f;
  out["h"] = one.h;
  out["b"] = one.b;
  out["isa"] = one.isa;
  out["threads"] = one.threads;
  out["state"] = one.cold ? "cold" : "warm";
  out["ns_per_token_head"] = one.ns_per_token_head;
  out["gflops"] = one.gflops;
  out["fraction_of_peak"] = one.fraction_of_peak;
  out["ratio_to_libtorch"] = one.ratio_to_libtorch ? nlohmann::ordered_json(*one.ratio_to_libtorch) : nullptr;
  return out;
}

void print(const KernelCase& one) {
  fmt::print("{:<20} {:>4} {:>4} {:>3}  {:<7} {:>7} {:>5} {:>10.1f} {:>8.1f} {:>7.1f} %", one.name, one.f, one.h, one.b,
             one.isa, one.threads, one.cold ? "cold" : "warm", one.ns_per_token_head, one.gflops,
             100 * one.fraction_of_peak);
  if (one.ratio_to_libtorch) fmt::print(" {:>9.1f}", *one.ratio_to_libtorch);
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int run_bench_kernels(const Context& context) {
  KernelBenchOptions options;
  if (!context.settings.json) {
    fmt::print("{:<20} {:>4} {:>4} {:>3}  {:<7} {:>7} {:>5} {:>10} {:>8} {:>9} {:>9}\n", "case", "f", "h", "b", "isa",
               "threads", "state", "ns/token", "GFLOP/s", "of peak", "LibTorch");
    options.on_case = print;
  }
  const KernelBench bench = bench_kernels(options);
  if (!context.settings.json) {
    fmt::print("\nns per token and head; one core's registers alone: {:.1f} GFLOP/s; last column: times as fast as the\n"
               "definition in LibTorch on one thread\n",
               bench.fma_peak_gflops);
    return kExitDone;
  }
  nlohmann::ordered_json out = headed("bench kernels");
  out["fma_peak_gflops"] = bench.fma_peak_gflops;
  out["cases"] = nlohmann::ordered_json::array();
  for (const KernelCase& one : bench.cases) out["cases"].push_back(to_json(one));
  fmt::print("{}\n", out.dump());
  return kExitDone;
}

}  // namespace longtake
