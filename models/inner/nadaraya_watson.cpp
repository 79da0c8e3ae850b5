#include "models/inner/nadaraya_watson.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>

namespace longtake::inner {

using at::Tensor;

KeptPairs nothing_kept(const Tensor& like) {
  const Tensor none = at::zeros({like.size(0), like.size(1), 1, like.size(-1)}, like.options());
  return {none, none, at::zeros({like.size(0), 1}, like.options())};
}

Recalled nadaraya_watson(const Tensor& q, const Tensor& k, const Tensor& v, std::int64_t unit, const KeptPairs& start,
                         std::int64_t most) {
  const std::int64_t length = q.size(2);
  if (unit < 1 || length < 1 || length % unit != 0 || most < unit) {
    throw std::invalid_argument("nadaraya_watson: the length must be a number of whole units, and one must find room");
  }
  const double bandwidth = std::sqrt(static_cast<double>(q.size(3)));
  const std::int64_t earlier = start.keys.size(2);
  const KeptPairs all{at::cat({start.keys, k}, 2), at::cat({start.values, v}, 2),
                      at::cat({start.kept, at::ones({k.size(0), length}, k.options())}, 1)};
  const auto last_of = [&](std::int64_t end) {  // the places that count when there are `end` of them
    const std::int64_t first = std::max<std::int64_t>(0, end - most);
    return KeptPairs{all.keys.narrow(2, first, end - first), all.values.narrow(2, first, end - first),
                     all.kept.narrow(1, first, end - first)};
  };
  std::vector<Tensor> results;
  for (std::int64_t first = 0; first < length; first += unit) {
    const KeptPairs known = last_of(earlier + first + unit);
    const Tensor scores = at::matmul(q.narrow(2, first, unit), known.keys.transpose(-1, -2)) / bandwidth;
    const Tensor absent = (known.kept == 0).unsqueeze(1).unsqueeze(1);
    const Tensor masked = scores.masked_fill(absent, -std::numeric_limits<double>::infinity());
    // A factor common to all kernels of a query, so that the largest is 1.
    const Tensor kernel = at::exp(masked - masked.detach().amax(-1, /*keepdim=*/true));
    results.push_back(at::matmul(kernel, known.values) / kernel.sum(-1, true));
  }
  Recalled out{at::cat(results, 2), last_of(earlier + length)};
  // Places at the front that mean nothing in any stream.
  const Tensor used = out.end.kept.sum(0).nonzero();
  if (const auto unused = used[0].item<std::int64_t>(); unused > 0) {
    const std::int64_t left = out.end.kept.size(1) - unused;
    out.end = {out.end.keys.narrow(2, unused, left), out.end.values.narrow(2, unused, left),
               out.end.kept.narrow(1, unused, left)};
  }
  return out;
}

}  // namespace longtake::inner
