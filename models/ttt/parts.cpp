#include "models/ttt/parts.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "kernels/dense.h"

namespace longtake {

template <class T>
void apply_dense(const Dense<T>& dense, std::span<const T> x, std::span<T> y) {
  const int rows = static_cast<int>(x.size() / dense.in);
  for (int i = 0; i < rows; ++i) {
    const auto row = y.subspan(std::size_t(i) * dense.out, dense.out);
    if (dense.bias.empty()) {
      std::fill(row.begin(), row.end(), T(0));
    } else {
      std::copy(dense.bias.begin(), dense.bias.end(), row.begin());
    }
  }
  multiply_add({rows, dense.in, dense.out}, {x.data(), dense.in, 1}, dense.a.data(), dense.out, y.data(),
               dense.out);
}

Dense<float> dense_from(int in, int out, std::span<const float> weight, std::vector<float> bias) {
  const auto rows = static_cast<std::size_t>(in), columns = static_cast<std::size_t>(out);
  if (weight.size() != rows * columns) throw std::invalid_argument("dense_from: weight must be [out][in]");
  Dense<float> dense;
  dense.in = in;
  dense.out = out;
  dense.bias = std::move(bias);
  dense.a.resize(rows * columns);
  for (std::size_t o = 0; o < columns; ++o) {
    for (std::size_t i = 0; i < rows; ++i) dense.a[i * columns + o] = weight[o * rows + i];
  }
  return dense;
}

Dense<float> dense_after_z_score(std::span<const float> mean, std::span<const float> scale, std::span<const float> projection) {
  // (x − mean) / scale · Pᵀ = x · (P / scale)ᵀ − (mean / scale) · Pᵀ
  const std::size_t in = mean.size(), out = projection.size() / in;
  std::vector<float> scaled(projection.begin(), projection.end());
  std::vector<float> bias;
  for (std::size_t o = 0; o < out; ++o) {
    double shift = 0;
    for (std::size_t i = 0; i < in; ++i) {
      float& p = scaled[o * in + i];
      p /= std::max(scale[i], 1e-3F);  // a channel that never varies
      shift += static_cast<double>(p) * mean[i];
    }
    bias.push_back(static_cast<float>(-shift));
  }
  return dense_from(static_cast<int>(in), static_cast<int>(out), scaled, std::move(bias));
}

template <class T>
void apply_conv(const DepthwiseConv<T>& conv, std::span<const T> tail, std::span<const T> x, std::span<T> y) {
  const std::size_t width = conv.bias.size();
  const int rows = static_cast<int>(x.size() / width);
  for (int i = 0; i < rows; ++i) {
    T* const out = y.data() + i * width;
    std::copy(conv.bias.begin(), conv.bias.end(), out);
    for (int tap = 0; tap < conv.taps; ++tap) {
      const int row = i + tap - (conv.taps - 1);  // below 0: in the tail
      const T* const in = row < 0 ? tail.data() + (row + conv.taps - 1) * width : x.data() + row * width;
      const T* const a = conv.a.data() + tap * width;
      for (std::size_t c = 0; c < width; ++c) out[c] += a[c] * in[c];
    }
  }
}

template <class T>
void push_tail(std::span<T> tail, std::span<const T> x) {
  if (x.size() >= tail.size()) {
    std::copy(x.end() - tail.size(), x.end(), tail.begin());
  } else {
    std::copy(tail.begin() + x.size(), tail.end(), tail.begin());
    std::copy(x.begin(), x.end(), tail.end() - x.size());
  }
}

template <class T>
void rms_norm(const RmsNorm<T>& norm, std::span<const T> x, std::span<T> y) {
  const int width = static_cast<int>(norm.weight.size());
  for (std::size_t at = 0; at < x.size(); at += width) {
    const T* const in = x.data() + at;
    const T scale = 1 / std::sqrt(dot(in, in, width) / width + T(norm.eps));
    for (int c = 0; c < width; ++c) y[at + c] = norm.weight[c] * (in[c] * scale);
  }
}

template <class T>
void layer_norm(const LayerNorm<T>& norm, std::span<const T> x, std::span<T> y) {
  const int width = static_cast<int>(norm.weight.size());
  for (std::size_t at = 0; at < x.size(); at += width) {
    T* const out = y.data() + at;
    T mean = 0;
    for (int c = 0; c < width; ++c) mean += x[at + c];
    mean /= width;
    for (int c = 0; c < width; ++c) out[c] = x[at + c] - mean;
    const T scale = 1 / std::sqrt(dot(out, out, width) / width + T(norm.eps));
    for (int c = 0; c < width; ++c) out[c] = norm.weight[c] * (out[c] * scale) + norm.bias[c];
  }
}

template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

#define LONGTAKE_INSTANTIATE(T)                                                                            \
  template void apply_dense(const Dense<T>&, std::span<const T>, std::span<T>);                            \
  template void apply_conv(const DepthwiseConv<T>&, std::span<const T>, std::span<const T>, std::span<T>); \
  template void push_tail(std::span<T>, std::span<const T>);                                               \
  template void rms_norm(const RmsNorm<T>&, std::span<const T>, std::span<T>);                             \
  template void layer_norm(const LayerNorm<T>&, std::span<const T>, std::span<T>);                         \
  template T sigmoid(T);
LONGTAKE_INSTANTIATE(float)
LONGTAKE_INSTANTIATE(double)
#undef LONGTAKE_INSTANTIATE

}  // namespace longtake
