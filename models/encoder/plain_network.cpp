// The encoder by its definition: no folding, no reuse, every step one LibTorch call.
#include <ATen/ATen.h>
#include <torch/version.h>

#include "models/encoder/network.h"

namespace longtake {
namespace {

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

void copy_out(const at::Tensor& tensor, std::vector<float>& out) {
  const at::Tensor flat = tensor.contiguous();
  out.assign(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

struct PlainConv {
  ConvShape shape;
  at::Tensor kernel;  // [out][in per group][kernel][kernel]
  at::Tensor gamma, beta, mean, variance;

  explicit PlainConv(const ConvWeights& conv) : shape(conv.shape) {
    kernel = tensor_of(conv.kernel, {shape.out_channels, shape.in_per_group(), shape.kernel, shape.kernel});
    gamma = tensor_of(conv.gamma, {shape.out_channels});
    beta = tensor_of(conv.beta, {shape.out_channels});
    mean = tensor_of(conv.mean, {shape.out_channels});
    variance = tensor_of(conv.variance, {shape.out_channels});
  }

  at::Tensor operator()(const at::Tensor& x) const {
    const int before = shape.pad_before();
    const int after = shape.pad_after();
    const at::Tensor padded = at::constant_pad_nd(x, {before, after, before, after}, 0);
    const int groups = shape.depthwise ? shape.in_channels : 1;
    const at::Tensor y = at::convolution(padded, kernel, {}, {shape.stride, shape.stride}, {0, 0}, {1, 1},
                                         false, {0, 0}, groups);
    const at::Tensor z = at::batch_norm(y, gamma, beta, mean, variance, false, 0, kBatchNormEpsilon, false);
    return shape.relu6 ? at::clamp(z, 0, 6) : z;
  }
};

class PlainNetwork final : public EncoderNetwork {
 public:
  explicit PlainNetwork(const EncoderWeights& weights)
      : classifier_(tensor_of(weights.classifier, {Encoder::kClasses, Encoder::kEmbedding})),
        classifier_bias_(tensor_of(weights.classifier_bias, {Encoder::kClasses})) {
    for (const ConvWeights& conv : weights.convs) convs_.emplace_back(conv);
  }

  std::unique_ptr<Buffers> make_buffers() const override { return std::make_unique<Buffers>(); }
  std::string backend() const override { return "LibTorch " TORCH_VERSION; }

  void run(std::span<const std::uint8_t> rgb, Buffers&, EncoderOutput& out) const override {
    const c10::InferenceMode no_gradients;
    constexpr int side = Encoder::kInputSide;
    const at::Tensor bytes =
        at::from_blob(const_cast<std::uint8_t*>(rgb.data()), {1, side, side, 3}, at::kByte);
    at::Tensor x = ((bytes.to(at::kFloat) - 127) / 128).permute({0, 3, 1, 2}).contiguous();
    at::Tensor start;
    at::Tensor last_map;
    for (const PlainConv& conv : convs_) {
      if (conv.shape.starts_block) start = x;
      last_map = x;  // in the end: what the head sees
      x = conv(x);
      if (conv.shape.adds_start) x = x + start;
    }
    copy_out(at::adaptive_avg_pool2d(last_map, {4, 4}).permute({0, 2, 3, 1}), out.tokens);
    const at::Tensor embedding = x.mean({2, 3});
    copy_out(embedding, out.embedding);
    out.probabilities.clear();
    if (out.wants_probabilities) {
      copy_out(at::softmax(at::addmm(classifier_bias_, embedding, classifier_.t()), 1), out.probabilities);
    }
  }

 private:
  std::vector<PlainConv> convs_;
  at::Tensor classifier_;  // [1000][1280]
  at::Tensor classifier_bias_;
};

}  // namespace

std::unique_ptr<const EncoderNetwork> make_plain_network(const EncoderWeights& weights) {
  return std::make_unique<PlainNetwork>(weights);
}

}  // namespace longtake
