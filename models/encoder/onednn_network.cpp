// The encoder in oneDNN: prepared once, run many times.
//
// Every convolution is a oneDNN primitive made for its exact shape, with its normalisation folded in, ReLU6
// and the residual sum fused, and its weights in the order the primitive likes best. Primitives and weights
// are const, so all threads share them; what is written lives in Buffers, which a call reuses: fresh memory
// costs page faults, and those cost up to half of the time of a call.
//
// Maps are [row][column][channel] everywhere. With AVX-512 oneDNN is as fast in this order as in its own
// blocked ones (8.3 ms both), with AVX2 it is the only order for which all of these convolutions have a fast
// form.
//
// Note: Bands
// A block widens its map sixfold, filters it and narrows it again. The widened maps of the first blocks (4.8
// MB) fit no second-level cache, and going to the third one and back cost a third of their time. So such a
// block is computed in horizontal bands: a few rows of the result at a time, and of the maps before only the
// rows that these need. Rows that two bands need are computed twice. A band is a list of primitives like any
// other; only offsets and paddings differ.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include <fmt/format.h>

#include "models/encoder/network.h"

namespace longtake {
namespace {

using dnnl::memory;

constexpr int kSide = Encoder::kInputSide;
constexpr int kMapSide = 7;                                                   // of the last map
constexpr int kGrid = 4;                                                      // of the tokens
static_assert(DNNL_ARG_FROM == DNNL_ARG_SRC && DNNL_ARG_TO == DNNL_ARG_DST);  // copies and convolutions agree
static_assert(kGrid * kGrid == Encoder::kTokens);

// oneDNN shares a call among OpenMP threads. Here a call keeps to its own, whatever the rest of the program
// has set.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

class AlignedFloats {
 public:
  explicit AlignedFloats(std::size_t count) : size_(count), data_(new (kAlignment) float[count]()) {}
  ~AlignedFloats() { operator delete[](data_, kAlignment); }
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(const AlignedFloats&) = delete;

  float* data() noexcept { return data_; }
  std::span<float> first(std::size_t count) noexcept { return std::span(data_, size_).first(count); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  std::size_t size_;
  float* data_;
};

// Between blocks the map lies in one of the trunks, inside a block in the others.
enum Place { kPicture, kTrunk, kOtherTrunk, kWide, kDeep, kLogits, kPlaces };

// A map, or rows of one.
struct Region {
  Place place = kPicture;
  std::size_t offset = 0;  // floats
};

// One primitive with what is constant about it, and where it reads and writes.
struct Step {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> constants;
  memory::desc scratch, source_desc, target_desc;
  Region source, target;
};

// Rows [first, end) of a map.
struct Rows {
  int first = 0;
  int end = 0;
  int count() const { return end - first; }
};

// What a convolution needs of its input for some rows of its output.
struct Need {
  Rows rows;
  int pad_top = 0;
  int pad_bottom = 0;
};

Need need_for(const ConvShape& conv, Rows out) {
  const int first = out.first * conv.stride - conv.pad_before();
  const int end = (out.end - 1) * conv.stride - conv.pad_before() + conv.kernel;
  return {{std::max(first, 0), std::min(end, conv.side)}, std::max(-first, 0), std::max(end - conv.side, 0)};
}

// For each convolution of a chain the rows of its output that are needed for rows `out` of the last one's.
std::vector<Rows> rows_of_chain(std::span<const ConvWeights> chain, Rows out) {
  std::vector<Rows> rows(chain.size());
  for (std::size_t i = chain.size(); i-- > 0;) {
    rows[i] = out;
    out = need_for(chain[i].shape, out).rows;
  }
  return rows;
}

// The rows of the last output, split into as few equal bands as keep every map in between within kBandFloats.
// See Note: Bands.
std::vector<Rows> bands_of(std::span<const ConvWeights> chain) {
  constexpr int kBandFloats = (768 << 10) / sizeof(float);  // beside weights and trunks, in 2 MB of cache
  const int side = chain.back().shape.side_out();
  for (int count = 1; count <= side; ++count) {
    if (side % count != 0) continue;
    std::vector<Rows> bands;
    bool fits = true;
    for (int i = 0; i < count; ++i) {
      bands.push_back({side / count * i, side / count * (i + 1)});
      const auto rows = rows_of_chain(chain, bands.back());
      for (std::size_t c = 0; c + 1 < chain.size(); ++c) {
        const ConvShape& conv = chain[c].shape;
        fits = fits && rows[c].count() * conv.side_out() * conv.out_channels <= kBandFloats;
      }
    }
    if (fits || count == side) return bands;
  }
  return {};
}

struct OneDnnBuffers final : EncoderNetwork::Buffers {
  dnnl::stream stream;
  std::vector<std::unique_ptr<AlignedFloats>> places;
  std::unique_ptr<AlignedFloats> scratch;
  std::vector<std::unordered_map<int, memory>> arguments;  // one for each step

  explicit OneDnnBuffers(const dnnl::engine& engine) : stream(engine) {}
};

memory::desc map_desc(int rows, int side, int channels) {
  return {{1, channels, rows, side}, memory::data_type::f32, memory::format_tag::nhwc};
}

dnnl::primitive_attr attributes(bool adds, bool relu6) {
  dnnl::post_ops after;
  if (adds) after.append_sum();
  if (relu6) after.append_eltwise(1, dnnl::algorithm::eltwise_clip, 0, 6);
  dnnl::primitive_attr out;
  out.set_post_ops(after);
  out.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  out.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return out;
}

class OneDnnNetwork final : public EncoderNetwork {
 public:
  explicit OneDnnNetwork(const EncoderWeights& weights);

  std::unique_ptr<Buffers> make_buffers() const override;
  void run(std::span<const std::uint8_t> rgb, Buffers& buffers, EncoderOutput& out) const override;
  std::string backend() const override {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
  }

 private:
  void reserve(Place place, std::size_t count) { sizes_[place] = std::max(sizes_[place], count); }
  void add_chain(std::span<const ConvWeights> chain);
  void add_convolution(const ConvWeights& conv, Rows out, Region source, Region target);
  void add_copy(Place source, Place target, const memory::desc& map);
  void add_classifier(const EncoderWeights& weights);
  memory constant(const std::vector<float>& values, const memory::desc& plain, const memory::desc& wanted);

  dnnl::engine engine_;
  dnnl::stream loading_;     // used while the network is made, never after
  std::vector<Step> steps_;  // the last one is the classifier
  Place map_ = kPicture;     // where the chains so far leave their result; in the end: the head
  Place last_map_ = kTrunk;  // what the head reads
  std::size_t sizes_[kPlaces] = {};
};

OneDnnNetwork::OneDnnNetwork(const EncoderWeights& weights)
    : engine_(dnnl::engine::kind::cpu, 0), loading_(engine_) {
  const OneThread one_thread;
  reserve(kPicture, kSide * kSide * 3);
  // A chain ends where a map is narrowed, which is where ReLU6 is missing. What is left over is the head.
  const std::span<const ConvWeights> convs(weights.convs);
  for (std::size_t first = 0, i = 0; i < convs.size(); ++i) {
    if (convs[i].shape.relu6 && i + 1 < convs.size()) continue;
    last_map_ = map_;
    add_chain(convs.subspan(first, i + 1 - first));
    first = i + 1;
  }
  add_classifier(weights);
}

// `values` in the order of `wanted`, in memory of oneDNN's own.
memory OneDnnNetwork::constant(const std::vector<float>& values, const memory::desc& plain,
                               const memory::desc& wanted) {
  memory from(plain, engine_, const_cast<float*>(values.data()));
  memory to(wanted, engine_);
  dnnl::reorder(from, to).execute(loading_, from, to);
  loading_.wait();
  return to;
}

void OneDnnNetwork::add_chain(std::span<const ConvWeights> chain) {
  const ConvShape& first = chain.front().shape;
  const ConvShape& last = chain.back().shape;
  const auto bands = bands_of(chain);
  // A residual sum adds to what lies in its output. So a block in one piece writes over its input; a block in
  // bands must not, for the next band still needs rows of it, and gets a copy.
  const Place target = last.adds_start && bands.size() == 1 ? map_ : map_ == kTrunk ? kOtherTrunk : kTrunk;
  reserve(target, static_cast<std::size_t>(last.side_out() * last.side_out() * last.out_channels));
  if (last.adds_start && target != map_) {
    add_copy(map_, target, map_desc(last.side_out(), last.side_out(), last.out_channels));
  }
  for (const Rows& band : bands) {
    const std::vector<Rows> rows = rows_of_chain(chain, band);
    const Rows input = need_for(first, rows.front()).rows;
    Region source{map_, static_cast<std::size_t>(input.first * first.side * first.in_channels)};
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const ConvShape& conv = chain[i].shape;
      const int row_floats = conv.side_out() * conv.out_channels;
      Region out{i % 2 == 0 ? kWide : kDeep, 0};
      if (i + 1 == chain.size()) out = {target, static_cast<std::size_t>(band.first * row_floats)};
      reserve(out.place, static_cast<std::size_t>(rows[i].count() * row_floats));
      add_convolution(chain[i], rows[i], source, out);
      source = out;
    }
  }
  map_ = target;
}

void OneDnnNetwork::add_convolution(const ConvWeights& conv, Rows rows, Region source, Region target) {
  const ConvShape& shape = conv.shape;
  const int out = shape.out_channels;
  const int k = shape.kernel;
  // A depthwise kernel has one more axis in front: the groups.
  const memory::dims kernel_dims =
      shape.depthwise ? memory::dims{out, 1, 1, k, k} : memory::dims{out, shape.in_channels, k, k};
  const auto kernel_order = shape.depthwise ? memory::format_tag::goihw : memory::format_tag::oihw;
  constexpr auto f32 = memory::data_type::f32;

  const Need need = need_for(shape, rows);
  const memory::desc bias_desc({out}, f32, memory::format_tag::x);
  const dnnl::convolution_forward::desc wanted(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      map_desc(need.rows.count(), shape.side, shape.in_channels),
      memory::desc(kernel_dims, f32, memory::format_tag::any), bias_desc,
      map_desc(rows.count(), shape.side_out(), out), {shape.stride, shape.stride},
      {need.pad_top, shape.pad_before()}, {need.pad_bottom, shape.pad_after()});
  const dnnl::convolution_forward::primitive_desc plan(wanted, attributes(shape.adds_start, shape.relu6),
                                                       engine_);

  const FoldedConv folded = fold(conv);
  steps_.push_back({
      .primitive = dnnl::convolution_forward(plan),
      .constants = {{DNNL_ARG_WEIGHTS,
                     constant(folded.kernel, {kernel_dims, f32, kernel_order}, plan.weights_desc())},
                    {DNNL_ARG_BIAS, constant(folded.bias, bias_desc, plan.bias_desc())}},
      .scratch = plan.scratchpad_desc(),
      .source_desc = plan.src_desc(),
      .target_desc = plan.dst_desc(),
      .source = source,
      .target = target,
  });
}

void OneDnnNetwork::add_copy(Place source, Place target, const memory::desc& map) {
  const dnnl::reorder::primitive_desc plan(engine_, map, engine_, map, attributes(false, false));
  steps_.push_back({.primitive = dnnl::reorder(plan),
                    .constants = {},
                    .scratch = plan.scratchpad_desc(),
                    .source_desc = map,
                    .target_desc = map,
                    .source = {source, 0},
                    .target = {target, 0}});
}

void OneDnnNetwork::add_classifier(const EncoderWeights& weights) {
  constexpr auto f32 = memory::data_type::f32;
  const memory::dims kernel_dims{Encoder::kClasses, Encoder::kEmbedding};
  const memory::desc bias_desc({Encoder::kClasses}, f32, memory::format_tag::x);
  const dnnl::inner_product_forward::desc wanted(
      dnnl::prop_kind::forward_inference, memory::desc({1, Encoder::kEmbedding}, f32, memory::format_tag::nc),
      memory::desc(kernel_dims, f32, memory::format_tag::any), bias_desc,
      memory::desc({1, Encoder::kClasses}, f32, memory::format_tag::nc));
  const dnnl::inner_product_forward::primitive_desc plan(wanted, attributes(false, false), engine_);
  reserve(kDeep, Encoder::kEmbedding);
  reserve(kLogits, Encoder::kClasses);
  steps_.push_back({
      .primitive = dnnl::inner_product_forward(plan),
      .constants = {{DNNL_ARG_WEIGHTS,
                     constant(weights.classifier, {kernel_dims, f32, memory::format_tag::oi},
                              plan.weights_desc())},
                    {DNNL_ARG_BIAS, constant(weights.classifier_bias, bias_desc, plan.bias_desc())}},
      .scratch = plan.scratchpad_desc(),
      .source_desc = plan.src_desc(),
      .target_desc = plan.dst_desc(),
      .source = {kDeep, 0},  // free again by then: run() puts the embedding there
      .target = {kLogits, 0},
  });
}

std::unique_ptr<EncoderNetwork::Buffers> OneDnnNetwork::make_buffers() const {
  auto buffers = std::make_unique<OneDnnBuffers>(engine_);
  for (const std::size_t size : sizes_) buffers->places.push_back(std::make_unique<AlignedFloats>(size));
  std::size_t scratch_bytes = 0;
  for (const Step& step : steps_) scratch_bytes = std::max(scratch_bytes, step.scratch.get_size());
  buffers->scratch = std::make_unique<AlignedFloats>(scratch_bytes / sizeof(float) + 1);
  const auto at = [&](const memory::desc& desc, Region region) {
    return memory(desc, engine_, buffers->places[region.place]->data() + region.offset);
  };
  for (const Step& step : steps_) {
    auto arguments = step.constants;
    arguments.emplace(DNNL_ARG_SRC, at(step.source_desc, step.source));
    arguments.emplace(DNNL_ARG_DST, at(step.target_desc, step.target));
    arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(step.scratch, engine_, buffers->scratch->data()));
    buffers->arguments.push_back(std::move(arguments));
  }
  return buffers;
}

// Means over rows [top, bottom) and columns [left, right) of a map [7][7][channels].
void mean_of_window(const float* map, std::size_t channels, int top, int bottom, int left, int right,
                    float* out) {
  std::fill_n(out, channels, 0.0F);
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      const float* cell = map + static_cast<std::size_t>(row * kMapSide + column) * channels;
      for (std::size_t c = 0; c < channels; ++c) out[c] += cell[c];
    }
  }
  const float scale = 1.0F / static_cast<float>((bottom - top) * (right - left));
  for (std::size_t c = 0; c < channels; ++c) out[c] *= scale;
}

// Adaptive mean pooling to 4x4: windows of two or three rows and columns that overlap.
void pool_tokens(const float* map, std::vector<float>& tokens) {
  constexpr std::size_t channels = Encoder::kTokenChannels;
  tokens.resize(Encoder::kTokens * channels);
  const auto from = [](int i) { return i * kMapSide / kGrid; };
  const auto to = [](int i) { return ((i + 1) * kMapSide + kGrid - 1) / kGrid; };
  for (int row = 0; row < kGrid; ++row) {
    for (int column = 0; column < kGrid; ++column) {
      float* token = tokens.data() + static_cast<std::size_t>(row * kGrid + column) * channels;
      mean_of_window(map, channels, from(row), to(row), from(column), to(column), token);
    }
  }
}

void softmax(std::span<const float> logits, std::vector<float>& out) {
  out.resize(logits.size());
  const float most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += out[i] = std::exp(logits[i] - most);
  for (float& p : out) p = static_cast<float>(p / sum);
}

void OneDnnNetwork::run(std::span<const std::uint8_t> rgb, Buffers& given, EncoderOutput& out) const {
  const OneThread one_thread;
  auto& buffers = static_cast<OneDnnBuffers&>(given);
  const auto place = [&](Place p) { return buffers.places[p]->data(); };
  const auto step = [&](std::size_t i) { steps_[i].primitive.execute(buffers.stream, buffers.arguments[i]); };

  float* picture = place(kPicture);
  for (std::size_t i = 0; i < rgb.size(); ++i)
    picture[i] = (static_cast<float>(rgb[i]) - 127.0F) * (1.0F / 128.0F);
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) step(i);
  pool_tokens(place(last_map_), out.tokens);

  out.embedding.resize(Encoder::kEmbedding);
  mean_of_window(place(map_), Encoder::kEmbedding, 0, kMapSide, 0, kMapSide, out.embedding.data());
  out.probabilities.clear();
  if (out.wants_probabilities) {
    std::copy(out.embedding.begin(), out.embedding.end(), place(kDeep));
    step(steps_.size() - 1);
    softmax(buffers.places[kLogits]->first(Encoder::kClasses), out.probabilities);
  }
}

}  // namespace

std::unique_ptr<const EncoderNetwork> make_onednn_network(const EncoderWeights& weights) {
  return std::make_unique<OneDnnNetwork>(weights);
}

}  // namespace longtake
