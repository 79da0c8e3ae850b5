// dense.h and gelu.h for floats in vector registers. One source, compiled once per Highway target.
#include "kernels/dense_simd.h"

#include "kernels/isa.h"
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_simd.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include "kernels/dense-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD
DenseSimd dense() { return {Dense::multiply_add, Dense::dot, Dense::gelu}; }
#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace longtake {

const DenseSimd* dense_simd() {
  switch (isa_in_use()) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512: {
      static const DenseSimd dense = N_AVX3::dense();
      return &dense;
    }
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2: {
      static const DenseSimd dense = N_AVX2::dense();
      return &dense;
    }
#endif
#if HWY_TARGETS & HWY_NEON
    case Isa::kNeon: {
      static const DenseSimd dense = N_NEON::dense();
      return &dense;
    }
#endif
    default:
      return nullptr;
  }
}

}  // namespace longtake
#endif  // HWY_ONCE
