// Between named tensors and a TTT layer's weights and state.
#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "models/ttt/tensors.h"
#include "models/ttt/ttt_layer.h"

namespace longtake {
namespace {

// One part of every head, with its place in the head's block and its name and shape outside it.
struct NamedPart {
  const char* name;
  std::vector<std::int64_t> shape;  // [heads][…]
  std::size_t at;                   // in the block
  std::size_t count;                // numbers per head
};

std::vector<NamedPart> laid_out(const TttShape& shape,
                                std::initializer_list<std::pair<const char*, std::vector<int>>> parts) {
  std::vector<NamedPart> all;
  std::size_t at = 0;
  for (const auto& [name, extents] : parts) {
    NamedPart part{name, {shape.heads}, at, 1};
    for (const int extent : extents) {
      part.shape.push_back(extent);
      part.count *= extent;
    }
    at += part.count;
    all.push_back(std::move(part));
  }
  return all;
}

// In the order of Note: The state in kernels/ttt.h.
std::vector<NamedPart> weight_parts(const TttShape& s) {
  const int f = s.head_width;
  const int h = s.hidden_width;
  if (s.model == TttModel::kLinear) return laid_out(s, {{"W1", {f, f}}, {"b1", {1, f}}});
  return laid_out(s, {{"W1", {f, h}}, {"b1", {1, h}}, {"W2", {h, f}}, {"b2", {1, f}}});
}

std::vector<NamedPart> row_parts(const TttShape& s) {
  const int f = s.head_width;
  const int h = s.hidden_width;
  const int b = s.mini_batch;
  if (s.form == TttForm::kFrame) return {};
  if (s.model == TttModel::kLinear)
    return laid_out(s, {{"rows.k", {b, f}}, {"rows.g", {b, f}}, {"rows.lr", {b}}});
  return laid_out(
      s, {{"rows.k", {b, f}}, {"rows.x", {b, h}}, {"rows.g1", {b, h}}, {"rows.g", {b, f}}, {"rows.lr", {b}}});
}

// From [heads][…] into the heads' blocks.
template <class T>
void place(const NamedPart& part, const std::vector<T>& values, std::size_t block, AlignedVector<T>& into) {
  for (std::size_t head = 0; head * part.count < values.size(); ++head) {
    std::copy_n(values.begin() + head * part.count, part.count, into.begin() + head * block + part.at);
  }
}

std::vector<float> gathered(const NamedPart& part, std::size_t block, const AlignedVector<float>& from) {
  std::vector<float> values;
  for (std::int64_t head = 0; head < part.shape[0]; ++head) {
    const auto at = from.begin() + head * block + part.at;
    values.insert(values.end(), at, at + part.count);
  }
  return values;
}

// Sets the rows from `open` on to zero; they hold what earlier mini-batches left. [heads][b][…]
void clear_unused(const TttShape& shape, int open, std::vector<float>& rows) {
  const std::size_t width = rows.size() / shape.heads / shape.mini_batch;
  for (std::size_t row = 0; row < rows.size() / width; ++row) {
    if (row % shape.mini_batch >= std::size_t(open)) std::fill_n(rows.begin() + row * width, width, 0.0f);
  }
}

}  // namespace

TttShape TttLayerConfig::shape() const {
  const bool fits = width >= 1 && heads >= 1 && width <= kMaxTttWidth && width % heads == 0 &&
                    width / heads % 2 == 0 && mini_batch >= 1 && std::isfinite(base_rate) && base_rate >= 0 && decay >= 0 && decay <= 1 &&
                    conv_width >= 1 && conv_width <= 64 && post_norm_eps > 0;
  if (!fits) throw std::invalid_argument("TttLayerConfig: the numbers do not fit together");
  TttShape shape;
  shape.model = model;
  shape.form = form;
  shape.target = target;
  shape.update = update;
  shape.keep_row_norms = keep_row_norms;
  shape.heads = heads;
  shape.head_width = width / heads;
  shape.hidden_width = 4 * shape.head_width;
  shape.mini_batch = mini_batch;
  shape.norm_eps = inner_eps;
  ttt_weights_size(shape);  // checks the rest
  return shape;
}

template <class T>
Dense<T> read_dense(TensorReader<T>& reader, const std::string& name, int in, int out, bool bias) {
  Dense<T> dense{in, out, transposed(reader.read(name + ".weight", {out, in}), out, in), {}};
  if (bias) dense.bias = reader.read(name + ".bias", {out});
  return dense;
}

template <class T>
DepthwiseConv<T> read_conv(TensorReader<T>& reader, const std::string& name, int width, int taps) {
  return {taps, transposed(reader.read(name + ".weight", {width, 1, taps}), width, taps),
          reader.read(name + ".bias", {width})};
}

template <class T>
Result<TttLayerWeights<T>> load_ttt_layer(const TttLayerConfig& config, const TensorFile& file,
                                          std::string_view prefix) {
  const TttShape shape = config.shape();
  const int width = config.width;
  const int heads = config.heads;
  const int f = shape.head_width;
  TensorReader<T> reader(file, prefix);
  TttLayerWeights<T> w;
  w.config = config;
  w.rope = mini_batch_rope(config.mini_batch, f, config.rope_theta);
  w.q = read_dense(reader, "q_proj", width, width, config.projection_bias);
  w.v = read_dense(reader, "v_proj", width, width, config.projection_bias);
  w.o = read_dense(reader, "o_proj", width, width, config.projection_bias);
  if (config.share_qk) {
    w.conv_q = read_conv(reader, "conv_q", width, config.conv_width);
    w.conv_k = read_conv(reader, "conv_k", width, config.conv_width);
  } else {
    w.k = read_dense(reader, "k_proj", width, width, config.projection_bias);
  }
  if (config.gate) w.g = read_dense(reader, "g_proj", width, width, false);
  w.rate = {width, heads, transposed(reader.read("learnable_ttt_lr_weight", {heads, 1, width}), heads, width),
            reader.read("learnable_ttt_lr_bias", {heads, 1})};
  if (config.form == TttForm::kCausal) {
    w.token_offset = reader.read("learnable_token_idx", {config.mini_batch});
  }
  w.norm_weight = reader.read("ttt_norm_weight", {heads, f});
  w.norm_bias = reader.read("ttt_norm_bias", {heads, f});
  w.post_norm = {reader.read("post_norm.weight", {width}), reader.read("post_norm.bias", {width}),
                 config.post_norm_eps};
  w.start.resize(heads * ttt_weights_size(shape));
  for (const auto& part : weight_parts(shape)) {
    place(part, reader.read(part.name, part.shape), ttt_weights_size(shape), w.start);
  }
  if (reader.failed()) return reader.error();
  return w;
}

template <class T>
TttLayerState<T> start_state(const TttLayerWeights<T>& w) {
  TttLayerState<T> state;
  state.weights = w.start;
  state.rows.resize(w.config.heads * ttt_rows_size(w.config.shape()));
  if (w.config.share_qk) state.conv_tail.resize(std::size_t(w.config.conv_width - 1) * w.config.width);
  return state;
}

void save_state(const TttLayerWeights<float>& w, const TttLayerState<float>& state, TensorFile& file,
                std::string_view prefix) {
  const TttShape shape = w.config.shape();
  const std::string start(prefix);
  for (const auto& part : weight_parts(shape)) {
    file.tensors[start + part.name] =
        Tensor::of(gathered(part, ttt_weights_size(shape), state.weights), part.shape);
  }
  for (const auto& part : row_parts(shape)) {
    auto rows = gathered(part, ttt_rows_size(shape), state.rows);
    clear_unused(shape, state.open, rows);
    file.tensors[start + part.name] = Tensor::of(rows, part.shape);
  }
  if (w.config.share_qk) {
    file.tensors[start + "conv_tail"] =
        Tensor::of(state.conv_tail, {w.config.conv_width - 1, w.config.width});
  }
  const std::vector<std::int64_t> counts{state.open, state.position};
  file.tensors[start + "counts"] = Tensor::of(counts, {2});
}

Result<TttLayerState<float>> load_state(const TttLayerWeights<float>& w, const TensorFile& file,
                                        std::string_view prefix) {
  const TttShape shape = w.config.shape();
  TttLayerState<float> state = start_state(w);
  TensorReader<float> reader(file, prefix);
  for (const auto& part : weight_parts(shape)) {
    place(part, reader.read(part.name, part.shape), ttt_weights_size(shape), state.weights);
  }
  // What a damaged frame left in the open mini-batch is not finite and is dealt with when the mini-batch
  // ends.
  for (const auto& part : row_parts(shape)) {
    place(part, reader.read_any(part.name, part.shape), ttt_rows_size(shape), state.rows);
  }
  if (w.config.share_qk)
    state.conv_tail = reader.read_any("conv_tail", {w.config.conv_width - 1, w.config.width});
  if (reader.failed()) return reader.error();
  const std::string name = std::string(prefix) + "counts";
  auto counts = file.integers(name, {2});
  if (!counts) return std::move(counts).error();
  const std::int64_t open = (*counts)[0];
  const std::int64_t position = (*counts)[1];
  const int most_open = shape.form == TttForm::kFrame ? 1 : shape.mini_batch;
  if (open < 0 || open >= most_open || position < 0 || position >= w.rope.period) {
    return Error{ErrorKind::kModel, "cannot use tensor \"" + name + "\": a count is out of range"};
  }
  state.open = static_cast<int>(open);
  state.position = static_cast<int>(position);
  return state;
}

template <class T>
std::size_t state_bytes(const TttLayerState<T>& state) {
  return (state.weights.size() + state.rows.size() + state.conv_tail.size()) * sizeof(T);
}

#define LONGTAKE_INSTANTIATE(T)                                                                \
  template Dense<T> read_dense(TensorReader<T>&, const std::string&, int, int, bool);          \
  template DepthwiseConv<T> read_conv(TensorReader<T>&, const std::string&, int, int);         \
  template Result<TttLayerWeights<T>> load_ttt_layer(const TttLayerConfig&, const TensorFile&, \
                                                     std::string_view);                        \
  template TttLayerState<T> start_state(const TttLayerWeights<T>&);                            \
  template std::size_t state_bytes(const TttLayerState<T>&);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
