// Inner models against their text in inner_model.h, written out head by head and frame by frame in other words.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/inner/inner_testing.h"

namespace longtake::inner {
namespace {

using at::Tensor;

constexpr int kSide = 3, kGrid = kSide * kSide, kFrames = 2, kF = 4, kH = 5;

Tensor tanh_gelu(const Tensor& x) {
  return 0.5 * x * (1 + at::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * at::pow(x, 3))));
}
Tensor unit_power(const Tensor& x) { return x / at::sqrt(at::pow(x, 2).mean(1, true) + 1e-6); }

// One frame [tokens][f] of one head.
Tensor cnn(const Weights& w, const Tensor& x) {
  const Tensor image = x.t().reshape({1, kF, kSide, kSide});
  const Tensor taps = w[0].permute({2, 0, 1}).unsqueeze(1);  // [f][1][3][3]
  const Tensor mixed = at::conv2d(image, taps, {}, 1, 1, 1, kF)[0].reshape({kF, kGrid}).t();
  return at::mm(tanh_gelu(at::mm(x + mixed, w[1]) + w[2]), w[3]) + w[4];
}
Tensor transformer(const Weights& w, const Tensor& x) {
  const Tensor y = unit_power(x);
  const Tensor q = at::mm(y, w[0]), k = at::mm(y, w[1]), v = at::mm(y, w[2]);
  Tensor u = x.clone();
  for (int i = 0; i < kGrid; ++i) {
    Tensor sum = at::zeros({kF}, at::kDouble), all = at::zeros({}, at::kDouble);
    for (int j = 0; j < kGrid; ++j) {
      const Tensor share = at::exp(at::dot(q[i], k[j]) / std::sqrt(double(kF)));
      sum = sum + share * v[j];
      all = all + share;
    }
    u[i] += at::mv(w[3].t(), sum / all);
  }
  return u + at::mm(tanh_gelu(at::mm(unit_power(u), w[4]) + w[5]), w[6]) + w[7];
}

TEST(InnerModel, CnnAndTransformerAreWhatTheirTextSays) {
  for (const bool convolves : {true, false}) {
    const auto model = make_model(convolves ? "cnn" : "transformer", {kF, kH, kGrid});
    EXPECT_TRUE(model->whole_frames());
    Draw draw(1);
    Weights weights;
    for (const ParameterStart& weight : model->weights()) {
      std::vector<std::int64_t> extents{kBatch, kHeads};
      extents.insert(extents.end(), weight.shape.begin(), weight.shape.end());
      weights.push_back(draw(extents));
    }
    const Tensor x = draw({kBatch, kHeads, kFrames * kGrid, kF});
    const Tensor got = last_layer_of(*model, weights, model->features(weights, x));
    for (int b = 0; b < kBatch; ++b) {
      for (int h = 0; h < kHeads; ++h) {
        Weights own;
        for (const Tensor& weight : weights) own.push_back(weight[b][h]);
        for (int t = 0; t < kFrames; ++t) {
          const Tensor frame = x[b][h].narrow(0, t * kGrid, kGrid);
          const Tensor want = convolves ? cnn(own, frame) : transformer(own, frame);
          const double error = largest(got[b][h].narrow(0, t * kGrid, kGrid) - want);
          EXPECT_TRUE(error <= 1e-13 * (1 + largest(want))) << (convolves ? "cnn " : "transformer ") << error;
        }
      }
    }
  }
}

}  // namespace
}  // namespace longtake::inner
