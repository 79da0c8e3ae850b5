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
// Chains with large maps are computed in bands, see Note: Bands in bands.h. A band is a list of primitives
// like any other; only offsets and paddings differ. The plan is therefore one flat list of steps.
#include <omp.h>

#include <algorithm>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include <fmt/format.h>

#include "models/encoder/bands.h"
#include "models/encoder/borders.h"
#include "models/encoder/network.h"

namespace longtake {
namespace {

using dnnl::memory;

// For each map inside a band, beside weights and trunks. Measured with 2 MB of second-level cache; 0.5 to 1
// MB are as good within 5 % of the blocks concerned.
constexpr std::size_t kBandFloats = (768 << 10) / sizeof(float);

static_assert(DNNL_ARG_FROM == DNNL_ARG_SRC && DNNL_ARG_TO == DNNL_ARG_DST);  // copies look like convolutions

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
  explicit AlignedFloats(std::size_t count) : data_(new (kAlignment) float[count]()) {}
  ~AlignedFloats() { operator delete[](data_, kAlignment); }
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(const AlignedFloats&) = delete;

  float* data() noexcept { return data_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
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
  // Whether oneDNN has made code for every convolution; its reference loops are a hundred times slower.
  bool all_fast() const noexcept { return all_fast_; }

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
  bool all_fast_ = true;
};

OneDnnNetwork::OneDnnNetwork(const EncoderWeights& weights)
    : engine_(dnnl::engine::kind::cpu, 0), loading_(engine_) {
  const OneThread one_thread;
  reserve(kPicture, std::size_t{Encoder::kInputSide} * Encoder::kInputSide * 3);
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
  std::vector<ConvShape> shapes;
  for (const ConvWeights& conv : chain) shapes.push_back(conv.shape);
  const ConvShape& first = shapes.front();
  const ConvShape& last = shapes.back();
  const auto bands = bands_of(shapes, kBandFloats);
  // A residual sum adds to what lies in its output. So a block in one piece writes over its input; a block in
  // bands must not, for the next band still needs rows of it, and gets a copy.
  const Place target = last.adds_start && bands.size() == 1 ? map_ : map_ == kTrunk ? kOtherTrunk : kTrunk;
  reserve(target, static_cast<std::size_t>(last.side_out() * last.side_out() * last.out_channels));
  if (last.adds_start && target != map_) {
    add_copy(map_, target, map_desc(last.side_out(), last.side_out(), last.out_channels));
  }
  for (const Rows& band : bands) {
    const std::vector<Rows> rows = rows_of_chain(shapes, band);
    const Rows input = need_for(first, rows.front()).rows;
    Region source{map_, static_cast<std::size_t>(input.first * first.side * first.in_channels)};
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const ConvShape& conv = shapes[i];
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

  all_fast_ = all_fast_ && !std::string_view(plan.impl_info_str()).starts_with("ref");

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

void OneDnnNetwork::run(std::span<const std::uint8_t> rgb, Buffers& given, EncoderOutput& out) const {
  const OneThread one_thread;
  auto& buffers = static_cast<OneDnnBuffers&>(given);
  const auto place = [&](Place p) { return buffers.places[p]->data(); };
  const auto step = [&](std::size_t i) { steps_[i].primitive.execute(buffers.stream, buffers.arguments[i]); };

  scale_picture(rgb, place(kPicture));
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) step(i);
  out.tokens.resize(Encoder::kTokens * Encoder::kTokenChannels);
  pool_tokens(place(last_map_), out.tokens);
  out.embedding.resize(Encoder::kEmbedding);
  mean_of_map(place(map_), out.embedding);
  out.probabilities.resize(out.wants_probabilities ? Encoder::kClasses : 0);
  if (out.wants_probabilities) {
    std::copy(out.embedding.begin(), out.embedding.end(), place(kDeep));
    step(steps_.size() - 1);
    softmax({place(kLogits), Encoder::kClasses}, out.probabilities);
  }
}

}  // namespace

std::unique_ptr<const EncoderNetwork> make_onednn_network(const EncoderWeights& weights) {
  auto network = std::make_unique<OneDnnNetwork>(weights);
  if (!network->all_fast()) return nullptr;
  return network;
}

}  // namespace longtake
