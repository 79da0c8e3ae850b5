#include "models/encoder/weights.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/store/safetensors.h"
#include "models/encoder/encoder.h"

namespace longtake {
namespace {

// Inverted residual blocks: widen by a pointwise convolution, filter each channel, narrow again.
struct Stage {
  int kernel, stride, blocks, out_channels, widening;
};
constexpr Stage kStages[] = {{3, 1, 1, 16, 1},  {3, 2, 2, 24, 6},  {5, 2, 2, 40, 6}, {3, 2, 3, 80, 6},
                             {5, 1, 3, 112, 6}, {5, 2, 4, 192, 6}, {3, 1, 1, 320, 6}};
constexpr int kStemChannels = 32;

// Takes tensors out of a file until the first one that is not as it has to be.
class Reader {
 public:
  explicit Reader(const TensorFile& file) : file_(file) {}

  std::vector<float> take(const std::string& name, std::vector<std::int64_t> shape) {
    auto values = file_.floats(name, std::move(shape));
    if (!values) {
      if (complaint_.empty()) complaint_ = values.error().message;
      return {};
    }
    const bool finite = std::all_of(values->begin(), values->end(), [](float v) { return std::isfinite(v); });
    if (!finite && complaint_.empty())
      complaint_ = fmt::format("tensor \"{}\" is not finite everywhere", name);
    return *std::move(values);
  }

  const std::string& complaint() const { return complaint_; }

 private:
  const TensorFile& file_;
  std::string complaint_;
};

}  // namespace

std::vector<ConvShape> efficientnet_lite0() {
  std::vector<ConvShape> convs;
  int side = Encoder::kInputSide;
  int channels = 3;
  const auto add = [&](ConvShape conv, int out_channels) {
    conv.side = side;
    conv.in_channels = channels;
    conv.out_channels = out_channels;
    side = conv.side_out();
    channels = out_channels;
    convs.push_back(std::move(conv));
  };
  add({.weight = "_conv_stem", .norm = "_bn0", .kernel = 3, .stride = 2, .relu6 = true}, kStemChannels);
  int index = 0;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i, ++index) {
      const std::string block = fmt::format("_blocks.{}.", index);
      const int stride = i == 0 ? stage.stride : 1;
      const bool residual = i > 0;
      const int wide = channels * stage.widening;
      if (wide != channels) {
        add({.weight = block + "_expand_conv",
             .norm = block + "_bn0",
             .relu6 = true,
             .starts_block = residual},
            wide);
      }
      add({.weight = block + "_depthwise_conv",
           .norm = block + "_bn1",
           .kernel = stage.kernel,
           .stride = stride,
           .depthwise = true,
           .relu6 = true},
          wide);
      add({.weight = block + "_project_conv", .norm = block + "_bn2", .adds_start = residual},
          stage.out_channels);
    }
  }
  add({.weight = "_conv_head", .norm = "_bn1", .relu6 = true}, Encoder::kEmbedding);
  return convs;
}

FoldedConv fold(const ConvWeights& conv) {
  FoldedConv out;
  out.kernel.reserve(conv.kernel.size());
  const std::size_t channels = conv.gamma.size();
  const std::size_t per_channel = conv.kernel.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    const double scale = conv.gamma[c] / std::sqrt(conv.variance[c] + kBatchNormEpsilon);
    for (std::size_t i = 0; i < per_channel; ++i) {
      out.kernel.push_back(static_cast<float>(conv.kernel[c * per_channel + i] * scale));
    }
    out.bias.push_back(static_cast<float>(conv.beta[c] - conv.mean[c] * scale));
  }
  return out;
}

Result<EncoderWeights> read_encoder_weights(const std::filesystem::path& path) {
  auto file = read_tensors(path);
  if (!file) return std::move(file).error();
  Reader reader(*file);
  EncoderWeights weights;
  for (ConvShape& shape : efficientnet_lite0()) {
    const int side = shape.kernel;
    ConvWeights conv;
    conv.kernel =
        reader.take(shape.weight + ".weight", {shape.out_channels, shape.in_per_group(), side, side});
    conv.gamma = reader.take(shape.norm + ".weight", {shape.out_channels});
    conv.beta = reader.take(shape.norm + ".bias", {shape.out_channels});
    conv.mean = reader.take(shape.norm + ".running_mean", {shape.out_channels});
    conv.variance = reader.take(shape.norm + ".running_var", {shape.out_channels});
    conv.shape = std::move(shape);
    weights.convs.push_back(std::move(conv));
  }
  weights.classifier = reader.take("_fc.weight", {Encoder::kClasses, Encoder::kEmbedding});
  weights.classifier_bias = reader.take("_fc.bias", {Encoder::kClasses});
  if (!reader.complaint().empty()) {
    return Error{ErrorKind::kModel, fmt::format("cannot use \"{}\" as the encoder EfficientNet-Lite0: {}",
                                                path.string(), reader.complaint())};
  }
  return weights;
}

}  // namespace longtake
