#include <oneapi/dnnl/dnnl.h>

#include "models/net/gemm.h"

namespace longtake {

bool gemm(std::int64_t m, std::int64_t n, std::int64_t k, Factor a, Factor b, bool on_top, float* c) {
  return dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, 1.0F, a.data, a.stride, b.data, b.stride,
                    on_top ? 1.0F : 0.0F, c, n) == dnnl_success;
}

}  // namespace longtake
