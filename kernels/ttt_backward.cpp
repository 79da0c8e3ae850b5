// What the backward passes of all backends share: the checks at the entry, the checkpoints.
#include "kernels/ttt_backward.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/ttt_entry.h"

namespace longtake {
namespace {

using ttt_entry::check;
using ttt_entry::require;

// From token `first` on.
template <class U>
TttView<U> from(TttView<U> view, int first) {
  if (view.data != nullptr) view.data += first * view.token_stride;
  return view;
}

template <class T>
TttCall<T> piece(TttCall<T> call, int first, int tokens) {
  call.tokens = tokens;
  call.q = from(call.q, first);
  call.k = from(call.k, first);
  call.v = from(call.v, first);
  call.lr = from(call.lr, first);
  if (call.rope.period > 0) call.rope.position = (call.rope.position + first) % call.rope.period;
  call.z = from(call.z, first);
  call.loss.before = from(call.loss.before, first);
  call.loss.after = from(call.loss.after, first);
  call.loss.init = from(call.loss.init, first);
  return call;
}

}  // namespace

int ttt_checkpoint_count(const TttShape& shape, int tokens, int every) {
  check(shape);
  require(tokens >= 0 && tokens <= kMaxTttTokens, "tokens", tokens);
  require(every >= 1 && every <= kMaxTttTokens, "the interval of checkpoints", every);
  const int mini_batches = (tokens + shape.mini_batch - 1) / shape.mini_batch;
  return (mini_batches + every - 1) / every;
}

template <class T>
TttReport ttt_forward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                      TttState<T>& state, const TttCheckpoints<T>& checkpoints) {
  ttt_entry::check_forward(backend, shape, call, state);
  const int count = ttt_checkpoint_count(shape, call.tokens, checkpoints.every);
  require(checkpoints.weights != nullptr || count == 0, "the checkpoints have no memory");
  require(state.open == 0, "checkpoints need a state without an open mini-batch");
  const std::size_t size = ttt_weights_size(shape);
  TttReport report;
  for (int c = 0; c < count; ++c) {
    for (int head = 0; head < shape.heads; ++head) {
      const std::size_t to = std::size_t(head) * count + c;
      std::copy_n(state.weights + head * size, size, checkpoints.weights + to * size);
    }
    // Not more than the tokens of a call, so no overflow: all but the last group are whole.
    const int group = count == 1 ? call.tokens : checkpoints.every * shape.mini_batch;
    const TttReport part =
        backend.forward(shape, piece(call, c * group, std::min(group, call.tokens - c * group)), state);
    report.closed += part.closed;
    report.refused += part.refused;
  }
  return report;
}

template <class T>
void ttt_backward(const TttBackend<T>& backend, const TttShape& shape, const TttCall<T>& call,
                  const TttCheckpoints<T>& checkpoints, const TttGradients<T>& gradients) {
  ttt_entry::check_inputs(backend, shape, call);
  require(backend.backward != nullptr, "the backend has no backward pass");
  const int count = ttt_checkpoint_count(shape, call.tokens, checkpoints.every);
  require(checkpoints.weights != nullptr || count == 0, "the checkpoints have no memory");
  require(call.scratch.size() >= backend.backward_scratch_size(shape, checkpoints.every),
          "the scratch is too small");
  require(gradients.weights != nullptr, "the weights' gradient is missing");
  require(gradients.norm_weight != nullptr && gradients.norm_bias != nullptr,
          "the norm's gradient is missing");
  require(gradients.token_scale != nullptr || shape.form == TttForm::kFrame,
          "the token scale's gradient is missing");
  require(gradients.start != nullptr || (call.decay == nullptr && !shape.keep_row_norms),
          "the start weights' gradient is missing");
  if (call.tokens == 0) return;
  require(gradients.z.data != nullptr, "the gradient of z is missing");
  require(gradients.q.data != nullptr && gradients.k.data != nullptr && gradients.v.data != nullptr,
          "the gradient of q, k or v is missing");
  require(gradients.lr.data != nullptr, "the gradient of lr is missing");
  backend.backward(shape, call, checkpoints, gradients);
}

template <class T>
const TttBackend<T>& ttt_best_trainer(const TttShape& shape) {
  check(shape);
  for (const auto& backend : ttt_backends<T>()) {
    if (backend.backward != nullptr && backend.supports(shape)) return backend;
  }
  throw std::logic_error("ttt: the last backend trains every shape");
}

#define LONGTAKE_INSTANTIATE(T)                                                                          \
  template TttReport ttt_forward(const TttBackend<T>&, const TttShape&, const TttCall<T>&, TttState<T>&, \
                                 const TttCheckpoints<T>&);                                              \
  template void ttt_backward(const TttBackend<T>&, const TttShape&, const TttCall<T>&,                   \
                             const TttCheckpoints<T>&, const TttGradients<T>&);                          \
  template const TttBackend<T>& ttt_best_trainer(const TttShape&);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
