#include "kernels/isa.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "kernels/simd.h"
// After simd.h, whose choice of targets it reads.
#include <hwy/highway.h>

namespace longtake {
namespace {

constexpr std::array<std::pair<Isa, std::string_view>, 4> kNames{
    {{Isa::kAvx512, "avx512"}, {Isa::kAvx2, "avx2"}, {Isa::kNeon, "neon"}, {Isa::kScalar, "scalar"}}};

Isa choose() {
  if (const char* wanted = std::getenv("LONGTAKE_ISA"); wanted != nullptr && *wanted != 0) {
    if (const auto isa = isa_named(wanted); isa && isa_runs_here(*isa)) return *isa;
  }
  for (const auto& [isa, name] : kNames) {
    if (isa_runs_here(isa)) return isa;
  }
  return Isa::kScalar;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  for (const auto& [each, name] : kNames) {
    if (each == isa) return name;
  }
  return "unknown";
}

std::optional<Isa> isa_named(std::string_view name) {
  for (const auto& [isa, each] : kNames) {
    if (each == name) return isa;
  }
  return std::nullopt;
}

bool isa_runs_here(Isa isa) {
  const auto targets = hwy::SupportedTargets() & HWY_TARGETS;
  switch (isa) {
    case Isa::kAvx512:
      return (targets & HWY_AVX3) != 0;
    case Isa::kAvx2:
      return (targets & HWY_AVX2) != 0;
    case Isa::kNeon:
      return (targets & HWY_NEON) != 0;
    case Isa::kScalar:
      return true;
  }
  return false;
}

Isa isa_in_use() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace longtake
