#include <algorithm>
#include <random>

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
    for (int head = 0; head < shape.heads; ++head) {
      for (const auto& weight : weights_of(shape)) {
        const auto& all =
            file.values(std::string("param/") + weight.name, joined({shape.heads}, weight.shape));
        const std::size_t count = all.size() / shape.heads;
        start.insert(start.end(), all.begin() + head * count, all.begin() + (head + 1) * count);
      }
    }
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
      call.z = {out + first * shape.heads * f, f, shape.heads * f};
      call.scratch = scratch;
      ttt_forward(backend, shape, call, state);
      first += n;
    }
  }
};

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

  std::size_t offset = 0;
  for (const auto& weight : weights_of(core.shape)) {
    const std::int64_t count = weight.shape[0] * weight.shape[1];
    std::vector<T> end;
    for (const auto& blocks : ends) {
      for (int head = 0; head < core.shape.heads; ++head) {
        const auto from = blocks.begin() + head * ttt_weights_size(core.shape) + offset;
        end.insert(end.end(), from, from + count);
      }
    }
    offset += count;
    report.compare(std::string("state_end ") + weight.name, end, std::string("state_end64/") + weight.name,
                   joined({core.batch, core.shape.heads}, weight.shape));
  }
}

template void run_on_kernel(const GoldenFile&, const TttBackend<float>&, std::vector<SelftestLine>&);
template void run_on_kernel(const GoldenFile&, const TttBackend<double>&, std::vector<SelftestLine>&);

}  // namespace longtake
