#include <algorithm>
#include <random>

#include "kernels/ttt_backward.h"
#include "models/golden/subjects.h"

namespace longtake {
namespace {

template <class T>
std::vector<T> as(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

struct Weight {
  const char* name;
  std::vector<std::int64_t> shape;  // of one head
};

// In the order of Note: The state in kernels/ttt.h.
std::vector<Weight> weights_of(const TttShape& s) {
  const std::int64_t f = s.head_width;
  const std::int64_t h = s.hidden_width;
  if (s.model == TttModel::kLinear) return {{"W1", {f, f}}, {"b1", {1, f}}};
  return {{"W1", {f, h}}, {"b1", {1, h}}, {"W2", {h, f}}, {"b2", {1, f}}};
}

std::vector<std::int64_t> joined(std::vector<std::int64_t> first, const std::vector<std::int64_t>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// What the file keeps by weight, [blocks][extents of one], as blocks [blocks][ttt_weights_size].
template <class T>
std::vector<T> as_blocks(const GoldenFile& file, const TttShape& shape, const std::string& prefix,
                         const std::vector<std::int64_t>& leading) {
  std::int64_t count = 1;
  for (const std::int64_t extent : leading) count *= extent;
  std::vector<T> blocks;
  for (std::int64_t block = 0; block < count; ++block) {
    for (const auto& weight : weights_of(shape)) {
      const auto& all = file.values(prefix + weight.name, joined(leading, weight.shape));
      const auto size = std::ptrdiff_t(all.size()) / count;
      blocks.insert(blocks.end(), all.begin() + block * size, all.begin() + (block + 1) * size);
    }
  }
  return blocks;
}

// The other way round: one weight of all blocks.
template <class T>
std::vector<T> part_of_blocks(const std::vector<T>& blocks, const TttShape& shape, const Weight& wanted) {
  std::ptrdiff_t offset = 0;
  for (const auto& weight : weights_of(shape)) {
    if (std::string_view(weight.name) == wanted.name) break;
    offset += weight.shape[0] * weight.shape[1];
  }
  std::vector<T> part;
  for (auto from = blocks.begin(); from != blocks.end(); from += std::ptrdiff_t(ttt_weights_size(shape))) {
    part.insert(part.end(), from + offset, from + offset + wanted.shape[0] * wanted.shape[1]);
  }
  return part;
}

// Of sum(out · R) + Σ sum(state_end · RS). What sequences share is summed over them.
template <class T>
struct CoreGradients {
  std::vector<T> q, k, v, lr;  // extents as in Core
  std::vector<T> tau;          // [nh][b]
  std::vector<T> gamma, beta;  // [nh][f]
  std::vector<T> start;        // [nh][weights]
};

template <class T>
struct Core {
  TttShape shape;
  int batch, length;
  std::vector<T> q, k, v;      // [B][nh][L][f]
  std::vector<T> lr;           // [B][nh][L]
  std::vector<T> tau;          // [b]
  std::vector<T> gamma, beta;  // [nh][f]
  std::vector<T> start;        // [nh][weights]

  explicit Core(const GoldenFile& file)
      : shape(file.block.layer.shape()), batch(file.batch), length(file.length) {
    const std::int64_t b = shape.mini_batch;
    const std::vector<std::int64_t> rows{batch, shape.heads, length / b, b, shape.head_width};
    q = as<T>(file.values("XQ", rows));
    k = as<T>(file.values("XK", rows));
    v = as<T>(file.values("XV", rows));
    lr = as<T>(file.values("lr_eta", {batch, shape.heads, length / b, 1, b}));
    tau = as<T>(file.values("token_eta", {b}));
    gamma = as<T>(file.values("param/ttt_norm_weight", {shape.heads, shape.head_width}));
    beta = as<T>(file.values("param/ttt_norm_bias", {shape.heads, shape.head_width}));
    start = as_blocks<T>(file, shape, "param/", {shape.heads});
  }

  // Tokens first … first+n−1 of a sequence.
  TttCall<T> call_at(int sequence, int first, int n) const {
    const std::ptrdiff_t f = shape.head_width;
    const std::ptrdiff_t at = std::ptrdiff_t(sequence) * shape.heads * length + first;
    const auto view = [&](const std::vector<T>& from) {
      return TttView<const T>{from.data() + at * f, length * f, f};
    };
    TttCall<T> call;
    call.tokens = n;
    call.q = view(q);
    call.k = view(k);
    call.v = view(v);
    call.lr = {lr.data() + at, length, 1};
    call.token_scale = tau.data();
    call.norm_weight = gamma.data();
    call.norm_bias = beta.data();
    return call;
  }

  // One sequence, in pieces whose lengths `next_piece` gives. `out` [L][nh·f].
  template <class NextPiece>
  void run(const TttBackend<T>& backend, int sequence, std::vector<T>& weights, T* out,
           NextPiece next_piece) const {
    const std::ptrdiff_t f = shape.head_width;
    std::vector<T> rows(shape.heads * ttt_rows_size(shape));
    std::vector<T> scratch(backend.scratch_size(shape));
    TttState<T> state{weights.data(), rows.data(), 0};
    for (int first = 0; first < length;) {
      const int n = std::min(next_piece(), length - first);
      TttCall<T> call = call_at(sequence, first, n);
      call.z = {out + first * shape.heads * f, f, shape.heads * f};
      call.scratch = scratch;
      ttt_forward(backend, shape, call, state);
      first += n;
    }
  }

  // `by_z` [B][L][nh·f], `by_end` [B][nh][weights].
  CoreGradients<T> gradients(const TttBackend<T>& backend, const std::vector<T>& by_z,
                             const std::vector<T>& by_end) const {
    const std::ptrdiff_t f = shape.head_width;
    const std::ptrdiff_t row = shape.heads * f;
    CoreGradients<T> out;
    for (auto* rows : {&out.q, &out.k, &out.v}) rows->resize(q.size());
    out.lr.resize(lr.size());
    out.tau.resize(shape.heads * tau.size());
    out.gamma.resize(gamma.size());
    out.beta.resize(beta.size());
    out.start.resize(start.size());
    const int every = 2;
    std::vector<T> kept(shape.heads * ttt_checkpoint_count(shape, length, every) * ttt_weights_size(shape));
    std::vector<T> rows(shape.heads * ttt_rows_size(shape)), z(length * row);
    std::vector<T> scratch(
        std::max(backend.scratch_size(shape), backend.backward_scratch_size(shape, every)));
    for (int sequence = 0; sequence < batch; ++sequence) {
      auto weights = start;
      TttState<T> state{weights.data(), rows.data(), 0};
      TttCall<T> call = call_at(sequence, 0, length);
      call.z = {z.data(), f, row};
      call.scratch = scratch;
      ttt_forward(backend, shape, call, state, TttCheckpoints<T>{every, kept.data()});

      const std::ptrdiff_t at = std::ptrdiff_t(sequence) * shape.heads * length;
      const auto view = [&](std::vector<T>& to) { return TttView<T>{to.data() + at * f, length * f, f}; };
      auto carried = std::vector<T>(by_end.begin() + sequence * std::ptrdiff_t(start.size()),
                                    by_end.begin() + (sequence + 1) * std::ptrdiff_t(start.size()));
      TttGradients<T> to;
      to.z = {by_z.data() + sequence * length * row, f, row};
      to.q = view(out.q);
      to.k = view(out.k);
      to.v = view(out.v);
      to.lr = {out.lr.data() + at, length, 1};
      to.weights = carried.data();
      to.token_scale = out.tau.data();
      to.norm_weight = out.gamma.data();
      to.norm_bias = out.beta.data();
      ttt_backward(backend, shape, call, TttCheckpoints<T>{every, kept.data()}, to);
      for (std::size_t i = 0; i < carried.size(); ++i) out.start[i] += carried[i];
    }
    return out;
  }
};

template <class T>
void check_gradients(const GoldenFile& file, const TttBackend<T>& backend, const Core<T>& core,
                     Lines& report) {
  const TttShape& shape = core.shape;
  const std::int64_t nh = shape.heads;
  const std::int64_t b = shape.mini_batch;
  const std::int64_t f = shape.head_width;
  const std::int64_t groups = core.length / b;
  const auto got = core.gradients(backend, as<T>(file.values("R", {core.batch, core.length, nh * f})),
                                  as_blocks<T>(file, shape, "RS/", {core.batch, nh}));
  report.compare_gradient("XQ", got.q, {core.batch, nh, groups, b, f});
  report.compare_gradient("XK", got.k, {core.batch, nh, groups, b, f});
  report.compare_gradient("XV", got.v, {core.batch, nh, groups, b, f});
  report.compare_gradient("lr_eta", got.lr, {core.batch, nh, groups, 1, b});
  std::vector<T> tau(b);
  for (std::size_t i = 0; i < got.tau.size(); ++i) tau[i % tau.size()] += got.tau[i];
  report.compare_gradient("token_eta", tau, {b});
  report.compare_gradient("ttt_norm_weight", got.gamma, {nh, f});
  report.compare_gradient("ttt_norm_bias", got.beta, {nh, f});
  for (const auto& weight : weights_of(shape)) {
    report.compare_gradient(weight.name, part_of_blocks(got.start, shape, weight),
                            joined({nh}, weight.shape));
  }
}

}  // namespace

template <class T>
void run_on_kernel(const GoldenFile& file, const TttBackend<T>& backend, std::vector<SelftestLine>& lines) {
  const Core<T> core(file);
  if (!backend.supports(core.shape)) return;
  Lines report(lines, file, std::string(backend.name) + (sizeof(T) == 8 ? "-f64" : "-f32"));
  const std::int64_t width = file.block.layer.width;
  const std::vector<std::int64_t> extents{core.batch, core.length, width};

  std::vector<T> out(core.batch * core.length * width);
  std::vector<T> pieces(out.size());
  std::vector<std::vector<T>> ends;
  std::mt19937 random(7);
  for (int sequence = 0; sequence < core.batch; ++sequence) {
    const std::size_t at = std::size_t(sequence) * core.length * width;
    ends.push_back(core.start);
    core.run(backend, sequence, ends.back(), out.data() + at, [&] { return core.length; });
    auto weights = core.start;
    core.run(backend, sequence, weights, pieces.data() + at, [&] { return int(random() % 23) + 1; });
  }
  report.compare("out", out, "out64", extents);
  report.compare("out in pieces", pieces, "out64", extents);

  std::vector<T> end;
  for (const auto& blocks : ends) end.insert(end.end(), blocks.begin(), blocks.end());
  for (const auto& weight : weights_of(core.shape)) {
    report.compare(std::string("state_end ") + weight.name, part_of_blocks(end, core.shape, weight),
                   std::string("state_end64/") + weight.name,
                   joined({core.batch, core.shape.heads}, weight.shape));
  }
  if (backend.backward != nullptr && file.has("R")) check_gradients(file, backend, core, report);
}

template void run_on_kernel(const GoldenFile&, const TttBackend<float>&, std::vector<SelftestLine>&);
template void run_on_kernel(const GoldenFile&, const TttBackend<double>&, std::vector<SelftestLine>&);

}  // namespace longtake
