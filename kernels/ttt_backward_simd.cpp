// The backward pass in vector registers: the body of ttt_backward-inl.h compiled once per Highway target, over that
// target's products.
#include "kernels/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ttt_backward_simd.cpp"
#include <hwy/foreach_target.h>
// After it.
#include <hwy/highway.h>

#include "kernels/dense-inl.h"
#include "kernels/ttt_backward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace longtake {
namespace HWY_NAMESPACE {
#if LONGTAKE_SIMD

std::size_t ttt_backward_scratch_size(const TttShape& shape, int every) {
  return backward_scratch_size<float>(shape, every);
}

void ttt_backward_pass(const TttShape& shape, const TttCall<float>& call, const TttCheckpoints<float>& checkpoints,
                       const TttGradients<float>& gradients) {
  backward<float, Dense>(shape, call, checkpoints, gradients);
}

#endif  // LONGTAKE_SIMD
}  // namespace HWY_NAMESPACE
}  // namespace longtake
HWY_AFTER_NAMESPACE();
