// A learner without weights: it keeps every pair that it has seen, and answers with the Nadaraya-Watson estimator, the
// mean of the values kept, each counting as near as its key is to the query:
//     f(q) = Σ_s κ(q, k_s) v_s / Σ_s κ(q, k_s),  κ(q, k) = exp(q · k / √f)
// Inside a TTT layer this is self-attention over everything kept (Theorem 2 of arXiv 2407.04620). Its state grows with
// the stream, up to a bound: it is what a memory of fixed size is compared with.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace longtake::inner {

struct KeptPairs {
  at::Tensor keys;    // [B][nh][S][f]
  at::Tensor values;  // likewise
  at::Tensor kept;    // [B][S] 1, or 0: a place that means nothing in this stream
};

// One place with nothing in it, so that streams of different lengths, a new one too, may lie beside each other.
KeptPairs nothing_kept(const at::Tensor& like);  // like [B][nh][…][f]

inline constexpr std::int64_t kMostKept = 1 << 16;  // tokens; the oldest go first

struct Recalled {
  at::Tensor z;  // [B][nh][L][f]
  KeptPairs end;
};

// q, k, v [B][nh][L][f]; each unit of tokens is kept, then read. Extents that do not fit throw c10::Error or
// std::invalid_argument.
Recalled nadaraya_watson(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t unit,
                         const KeptPairs& start, std::int64_t most = kMostKept);

}  // namespace longtake::inner
