#include "models/ttt/block.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/ttt/tensors.h"

namespace longtake {
namespace {

template <class T>
void add_conv(const TttBlockWeights<T>& w, TttBlockState<T>& state, TttScratch<T>& scratch, std::span<T> x) {
  typename TttScratch<T>::Scope scope(scratch);
  const auto normed = scope.take(x.size());
  const auto filtered = scope.take(x.size());
  rms_norm<T>(w.conv_norm, x, normed);
  apply_conv<T>(w.conv, state.conv_tail, normed, filtered);
  push_tail<T>(state.conv_tail, normed);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += filtered[i];
}

template <class T>
void add_feed_forward(const TttBlockWeights<T>& w, TttScratch<T>& scratch, std::span<T> x) {
  typename TttScratch<T>::Scope scope(scratch);
  const std::size_t inner = x.size() / w.config.layer.width * w.config.inner_width;
  const auto normed = scope.take(x.size());
  const auto down = scope.take(x.size());
  const auto gate = scope.take(inner);
  const auto up = scope.take(inner);
  rms_norm<T>(w.ffn_norm, x, normed);
  apply_dense<T>(w.gate, normed, gate);
  apply_dense<T>(w.up, normed, up);
  for (std::size_t i = 0; i < inner; ++i) gate[i] = gate[i] * sigmoid(gate[i]) * up[i];
  apply_dense<T>(w.down, gate, down);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += down[i];
}

}  // namespace

template <class T>
TttLayerReport ttt_block_forward(const TttBlockWeights<T>& w, TttBlockState<T>& state, TttScratch<T>& scratch,
                                 std::span<T> x, const TttLayerOptions<T>& options) {
  const std::size_t width = w.config.layer.width;
  const std::size_t tokens = w.config.layer.form == TttForm::kFrame ? w.config.layer.mini_batch : 1;
  if (x.size() % (tokens * width) != 0) {
    throw std::invalid_argument(
        "ttt_block_forward: x must be [n][width], whole mini-batches in the frame form");
  }
  if (w.config.pre_conv) add_conv(w, state, scratch, x);
  TttLayerReport report;
  {
    typename TttScratch<T>::Scope scope(scratch);
    const auto normed = scope.take(x.size());
    const auto y = scope.take(x.size());
    rms_norm<T>(w.seq_norm, x, normed);
    report = ttt_layer_forward<T>(w.layer, state.layer, scratch, normed, y, options);
    if (w.residual_gate.empty()) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
    } else {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += w.residual_gate[i % width] * y[i];
    }
  }
  add_feed_forward(w, scratch, x);
  return report;
}

template <class T>
Result<TttBlockWeights<T>> load_ttt_block(const TttBlockConfig& config, const TensorFile& file,
                                          std::string_view prefix) {
  if (config.inner_width < 1 || !(config.norm_eps > 0)) {
    throw std::invalid_argument("TttBlockConfig: the numbers do not fit together");
  }
  const std::string start(prefix);
  auto layer = load_ttt_layer<T>(config.layer, file, start + "seq_modeling_block.");
  if (!layer) return std::move(layer).error();
  const int width = config.layer.width;
  const int inner = config.inner_width;
  TensorReader<T> reader(file, prefix);
  TttBlockWeights<T> w;
  w.config = config;
  w.layer = std::move(*layer);
  w.seq_norm = {reader.read("seq_norm.weight", {width}), config.norm_eps};
  w.ffn_norm = {reader.read("ffn_norm.weight", {width}), config.norm_eps};
  if (config.pre_conv) {
    w.conv_norm = {reader.read("conv.norm.weight", {width}), config.norm_eps};
    w.conv = read_conv(reader, "conv.conv", width, config.layer.conv_width);
  }
  if (config.gated_residual) {
    w.residual_gate = reader.read("alpha", {width});
    for (T& gate : w.residual_gate) gate = std::tanh(gate);
  }
  w.gate = read_dense(reader, "mlp.gate_proj", width, inner, false);
  w.up = read_dense(reader, "mlp.up_proj", width, inner, false);
  w.down = read_dense(reader, "mlp.down_proj", inner, width, false);
  if (reader.failed()) return reader.error();
  return w;
}

template <class T>
TttBlockState<T> start_state(const TttBlockWeights<T>& w) {
  TttBlockState<T> state{start_state(w.layer), {}};
  if (w.config.pre_conv) state.conv_tail.resize(std::size_t(w.conv.taps - 1) * w.config.layer.width);
  return state;
}

void save_state(const TttBlockWeights<float>& w, const TttBlockState<float>& state, TensorFile& file,
                std::string_view prefix) {
  save_state(w.layer, state.layer, file, prefix);
  if (!w.config.pre_conv) return;
  file.tensors[std::string(prefix) + "pre_conv_tail"] =
      Tensor::of(state.conv_tail, {w.conv.taps - 1, w.config.layer.width});
}

Result<TttBlockState<float>> load_state(const TttBlockWeights<float>& w, const TensorFile& file,
                                        std::string_view prefix) {
  auto layer = load_state(w.layer, file, prefix);
  if (!layer) return std::move(layer).error();
  TttBlockState<float> state{std::move(*layer), {}};
  if (!w.config.pre_conv) return state;
  TensorReader<float> reader(file, prefix);
  state.conv_tail = reader.read_any("pre_conv_tail", {w.conv.taps - 1, w.config.layer.width});
  if (reader.failed()) return reader.error();
  return state;
}

template <class T>
std::size_t state_bytes(const TttBlockState<T>& state) {
  return state_bytes(state.layer) + state.conv_tail.size() * sizeof(T);
}

#define LONGTAKE_INSTANTIATE(T)                                                                           \
  template TttLayerReport ttt_block_forward(const TttBlockWeights<T>&, TttBlockState<T>&, TttScratch<T>&, \
                                            std::span<T>, const TttLayerOptions<T>&);                     \
  template Result<TttBlockWeights<T>> load_ttt_block(const TttBlockConfig&, const TensorFile&,            \
                                                     std::string_view);                                   \
  template TttBlockState<T> start_state(const TttBlockWeights<T>&);                                       \
  template std::size_t state_bytes(const TttBlockState<T>&);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
