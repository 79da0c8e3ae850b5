#include <algorithm>
#include <random>
#include <stdexcept>

#include "models/golden/subjects.h"

namespace longtake {
namespace {

template <class T>
std::vector<T> sequence_of(const GoldenFile& file, const std::vector<double>& x, int sequence) {
  const std::size_t count = std::size_t(file.length) * file.block.layer.width;
  return {x.begin() + sequence * count, x.begin() + (sequence + 1) * count};
}

template <class T>
std::string backend_name() {
  return sizeof(T) == 8 ? "streaming-f64" : "streaming-f32";
}

template <class T, class Value>
Value usable(Result<Value> loaded) {
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

// Lengths of pieces that make up a stream.
using Pieces = std::vector<int>;

Pieces whole(const GoldenFile& file) { return {file.length}; }

// Single tokens, short and long pieces mixed; in the frame form whole mini-batches only.
Pieces random_pieces(const GoldenFile& file, int longest, unsigned seed) {
  const int unit = file.block.layer.form == TttForm::kFrame ? file.block.layer.mini_batch : 1;
  std::mt19937 random(seed);
  Pieces pieces;
  for (int left = file.length; left > 0; left -= pieces.back()) {
    pieces.push_back(std::min(left, (1 + static_cast<int>(random() % longest)) * unit));
  }
  return pieces;
}

template <class T>
class LayerRun {
 public:
  LayerRun(const GoldenFile& file, const StreamingSubject<T>& subject)
      : file_(file),
        subject_(subject),
        weights_(usable<T>(load_ttt_layer<T>(file.block.layer, file.parameters<T>(), ""))) {
    weights_.rope = file.rope;
  }

  const TttLayerWeights<T>& weights() const { return weights_; }

  // All sequences, each cut in the same pieces. Leaves the states at the end; fills the probe if the stream
  // is whole.
  std::vector<T> run(const Pieces& pieces) {
    const auto& x = file_.values("x", {file_.batch, file_.length, file_.block.layer.width});
    std::vector<T> out;
    states.clear();
    probes.assign(file_.batch, {});
    for (int sequence = 0; sequence < file_.batch; ++sequence) {
      const std::vector<T> in = sequence_of<T>(file_, x, sequence);
      std::vector<T> y(in.size(), std::numeric_limits<T>::quiet_NaN());
      states.push_back(start_state(weights_));
      TttLayerOptions<T> options;
      options.backend = subject_.backend;
      if (pieces.size() == 1) options.probe = &probes[sequence];
      std::size_t at = 0;
      for (const int piece : pieces) {
        const std::size_t count = std::size_t(piece) * file_.block.layer.width;
        subject_.forward(weights_, states.back(), scratch_, std::span<const T>(in).subspan(at, count),
                         std::span<T>(y).subspan(at, count), options);
        at += count;
      }
      out.insert(out.end(), y.begin(), y.end());
    }
    return out;
  }

  std::vector<TttLayerState<T>> states;  // [B]
  std::vector<TttLayerProbe<T>> probes;  // [B]

 private:
  const GoldenFile& file_;
  const StreamingSubject<T>& subject_;
  TttLayerWeights<T> weights_;
  TttScratch<T> scratch_;
};

// [L][nh·f] of every sequence → [B][nh][L][f]
template <class T>
std::vector<T> by_heads(const GoldenFile& file, const std::vector<TttLayerProbe<T>>& probes,
                        std::vector<T> TttLayerProbe<T>::*part) {
  const TttLayerConfig& layer = file.block.layer;
  std::vector<T> out;
  for (const auto& probe : probes) {
    const std::vector<T>& rows = probe.*part;
    const std::size_t f = rows.size() / file.length / layer.heads;
    for (int head = 0; head < layer.heads; ++head) {
      for (int t = 0; t < file.length; ++t) {
        const auto from = rows.begin() + (std::size_t(t) * layer.heads + head) * f;
        out.insert(out.end(), from, from + f);
      }
    }
  }
  return out;
}

// Σ_j lr_j in_j ⊗ g_j over the open mini-batch, which is how the reference keeps it.
template <class T>
std::vector<T> open_sum(const T* in, int in_width, const T* g, int out_width, const T* lr, int open) {
  std::vector<T> sum(std::size_t(in_width) * out_width);
  for (int j = 0; j < open; ++j) {
    for (int i = 0; i < in_width; ++i) {
      const T factor = lr[j] * (in == nullptr ? T(1) : in[j * in_width + i]);
      for (int c = 0; c < out_width; ++c) sum[i * out_width + c] += factor * g[j * out_width + c];
    }
  }
  return sum;
}

template <class T>
void compare_caches(const GoldenFile& file, const LayerRun<T>& run, Lines& report) {
  const TttShape shape = file.block.layer.shape();
  const int f = shape.head_width;
  const bool deep = shape.model == TttModel::kMlp;
  const int h = deep ? shape.hidden_width : f;
  std::map<std::string, std::vector<T>> states;
  std::map<std::string, std::vector<T>> sums;
  const auto append = [](std::vector<T>& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const auto& state : run.states) {
    for (int head = 0; head < shape.heads; ++head) {
      const auto w = ttt_weight_parts(shape, state.weights.data() + head * ttt_weights_size(shape));
      const auto rows = ttt_row_parts(shape, state.rows.data() + head * ttt_rows_size(shape));
      const T* const g1 = deep ? rows.g1 : rows.g;
      append(states["W1"], std::span(w.w1, f * h));
      append(states["b1"], std::span(w.b1, h));
      append(sums["W1"], open_sum(rows.k, f, g1, h, rows.lr, state.open));
      append(sums["b1"], open_sum<T>(nullptr, 1, g1, h, rows.lr, state.open));
      if (!deep) continue;
      append(states["W2"], std::span(w.w2, h * f));
      append(states["b2"], std::span(w.b2, f));
      append(sums["W2"], open_sum(rows.x, h, rows.g, f, rows.lr, state.open));
      append(sums["b2"], open_sum<T>(nullptr, 1, rows.g, f, rows.lr, state.open));
    }
  }
  for (const auto& [name, values] : states) {
    const std::int64_t rows = name == "W1" ? f : name == "W2" ? h : 1;
    const std::int64_t columns = std::int64_t(values.size()) / file.batch / shape.heads / rows;
    const std::vector<std::int64_t> extents{file.batch, shape.heads, rows, columns};
    for (const std::string& key :
         {"mid64/" + name + "_after_full_minibatches", "cache_end64/" + name + "_states"}) {
      if (file.has(key)) report.compare(key.substr(key.find('/') + 1), values, key, extents);
    }
    const std::string key = "cache_end64/" + name + "_grad";
    if (file.has(key)) report.compare(name + "_grad", sums[name], key, extents);
  }
  // The reference keeps one input more than its convolutions still need.
  const int taps = file.block.layer.conv_width;
  const int width = file.block.layer.width;
  for (const std::string& name : {std::string("ttt_conv_q"), std::string("ttt_conv_k")}) {
    if (!file.has("cache_end64/" + name)) continue;
    const auto& all = file.values("cache_end64/" + name, {file.batch, width, taps});
    std::vector<double> want;
    std::vector<T> got;
    for (int sequence = 0; sequence < file.batch; ++sequence) {
      append(got, run.states[sequence].conv_tail);
      for (int tap = 1; tap < taps; ++tap) {
        for (int c = 0; c < width; ++c) want.push_back(all[(std::size_t(sequence) * width + c) * taps + tap]);
      }
    }
    report.add(name, largest_error(got, want), limit_of<T>(file.level));
  }
}

template <class T>
void run_layer(const GoldenFile& file, const StreamingSubject<T>& subject, Lines& report) {
  const std::int64_t width = file.block.layer.width;
  const std::int64_t heads = file.block.layer.heads;
  const std::vector<std::int64_t> extents{file.batch, file.length, width};
  const std::vector<std::int64_t> by_head{file.batch, heads, file.length, width / heads};
  const auto compare = [&](std::string what, const std::vector<T>& got, const char* key, const auto& shape) {
    if (file.has(key)) report.compare(std::move(what), got, key, shape);
  };
  LayerRun<T> run(file, subject);
  compare("out", run.run(whole(file)), "out64", extents);
  if (file.level == GoldenLevel::kLayer) {
    using Probe = TttLayerProbe<T>;
    compare("XQ", by_heads(file, run.probes, &Probe::q), "mid64/XQ", by_head);
    compare("XK", by_heads(file, run.probes, &Probe::k), "mid64/XK", by_head);
    compare("XV", by_heads(file, run.probes, &Probe::v), "mid64/XV", by_head);
    compare("lr_eta", by_heads(file, run.probes, &Probe::lr), "mid64/lr_eta",
            std::vector<std::int64_t>{file.batch, heads, file.length});
    std::vector<T> z;
    for (const auto& probe : run.probes) z.insert(z.end(), probe.z.begin(), probe.z.end());
    compare("XQW", z, "mid64/XQW", extents);
    compare_caches(file, run, report);
    compare("out token by token", run.run(random_pieces(file, 1, 0)), "out_decode64", extents);
  }
  compare("out in short pieces", run.run(random_pieces(file, 7, 1)), "out64", extents);
  compare("out in long pieces", run.run(random_pieces(file, 40, 2)), "out64", extents);
}

template <class T>
void run_model(const GoldenFile& file, const StreamingSubject<T>& subject, Lines& report) {
  const std::int64_t width = file.block.layer.width;
  const std::vector<std::int64_t> extents{file.batch, file.length, width};
  const auto& x = file.values("x", extents);
  const TensorFile parameters = file.parameters<T>();
  std::vector<TttBlockWeights<T>> blocks;
  for (int i = 0; i < file.layers; ++i) {
    blocks.push_back(
        usable<T>(load_ttt_block<T>(file.block, parameters, "layers." + std::to_string(i) + ".")));
  }
  const auto& last = file.values("param/norm.weight", {width});
  const RmsNorm<T> norm{{last.begin(), last.end()}, file.block.norm_eps};
  TttScratch<T> scratch;
  TttLayerOptions<T> options;
  options.backend = subject.backend;

  // hidden[i]: after block i, and last after the norm.
  const auto run = [&](const Pieces& pieces) {
    std::vector<std::vector<T>> hidden(file.layers + 1);
    for (int sequence = 0; sequence < file.batch; ++sequence) {
      std::vector<T> rows = sequence_of<T>(file, x, sequence);
      std::vector<TttBlockState<T>> states;
      for (const auto& block : blocks) states.push_back(start_state(block));
      std::size_t at = 0;
      for (const int piece : pieces) {
        const auto part = std::span<T>(rows).subspan(at, piece * width);
        for (int i = 0; i < file.layers; ++i) {
          ttt_block_forward<T>(blocks[i], states[i], scratch, part, options);
          hidden[i].insert(hidden[i].end(), part.begin(), part.end());
        }
        rms_norm<T>(norm, part, part);
        hidden.back().insert(hidden.back().end(), part.begin(), part.end());
        at += part.size();
      }
    }
    return hidden;
  };
  const auto hidden = run(whole(file));
  for (int i = 0; i <= file.layers; ++i) {
    const std::string number = std::to_string(i);
    report.compare("hidden " + number, hidden[i], "hidden64/" + number, extents);
  }
  report.compare("out", hidden.back(), "out64", extents);
  const char* const decoded = file.has("out_decode64") ? "out_decode64" : "out64";
  report.compare("out token by token", run(random_pieces(file, 1, 0)).back(), decoded, extents);
  report.compare("out in short pieces", run(random_pieces(file, 7, 1)).back(), "out64", extents);
}

}  // namespace

template <class T>
void run_on_stream(const GoldenFile& file, const StreamingSubject<T>& subject,
                   std::vector<SelftestLine>& lines) {
  Lines report(lines, file, backend_name<T>());
  if (file.level == GoldenLevel::kModel) {
    run_model(file, subject, report);
  } else {
    run_layer(file, subject, report);
  }
}

template <class T>
void run_losses(const GoldenFile& file, const GoldenFile& layer, const StreamingSubject<T>& subject,
                std::vector<SelftestLine>& lines) {
  Lines report(lines, file, backend_name<T>());
  LayerRun<T> run(layer, subject);
  run.run(whole(layer));
  using Probe = TttLayerProbe<T>;
  const std::pair<const char*, std::vector<T> Probe::*> parts[] = {
      {"init", &Probe::init}, {"before", &Probe::before}, {"after", &Probe::after}};
  for (const auto& [name, part] : parts) {
    std::vector<T> got;  // [B][nh][L]
    for (const auto& probe : run.probes) got.insert(got.end(), (probe.*part).begin(), (probe.*part).end());
    const std::string key = layer.name + "/" + name;
    report.compare(key, got, key, {layer.batch, layer.block.layer.heads, layer.length});
  }
}

template void run_on_stream(const GoldenFile&, const StreamingSubject<float>&, std::vector<SelftestLine>&);
template void run_on_stream(const GoldenFile&, const StreamingSubject<double>&, std::vector<SelftestLine>&);
template void run_losses(const GoldenFile&, const GoldenFile&, const StreamingSubject<float>&,
                         std::vector<SelftestLine>&);
template void run_losses(const GoldenFile&, const GoldenFile&, const StreamingSubject<double>&,
                         std::vector<SelftestLine>&);

}  // namespace longtake
