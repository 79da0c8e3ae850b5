#include "kernels/dense.h"

#include <cmath>
#include <numbers>
#include <random>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/gelu.h"
#include "kernels/isa.h"

namespace longtake {
namespace {

template <class T>
class Dense : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Dense, Precisions);

template <class T>
std::vector<T> random_numbers(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> out(count);
  for (T& value : out) value = T(normal(random));
  return out;
}

// Entry by entry, in the promised order of additions: in plain loops with two roundings, in vector registers with one.
template <class T, class Product>
void expect_bits_of_the_plain_loop(bool fused, Product multiply) {
  for (const int rows : {1, 2, 3, 4, 5, 9, 16, 23, 32}) {
    for (const int inner : {0, 1, 2, 7, 16, 64, 65}) {
      for (const int columns : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 139}) {
        const int b_stride = columns + 2, c_stride = columns + 3;
        const auto a = random_numbers<T>(std::size_t(rows) * inner + 1, 1);
        const auto b = random_numbers<T>(std::size_t(inner) * b_stride + 1, 2);
        const auto start = random_numbers<T>(std::size_t(rows) * c_stride, 3);
        for (const bool transposed : {false, true}) {
          const LeftMatrix<T> left =
              transposed ? LeftMatrix<T>{a.data(), 1, rows} : LeftMatrix<T>{a.data(), inner, 1};
          auto want = start;
          for (int i = 0; i < rows; ++i) {
            for (int j = 0; j < columns; ++j) {
              T& entry = want[i * c_stride + j];
              for (int k = 0; k < inner; ++k) {
                const T factor = left.data[i * left.row_stride + k * left.inner_stride];
                const T product = factor * b[k * b_stride + j];
                entry = fused ? std::fma(factor, b[k * b_stride + j], entry) : entry + product;
              }
            }
          }
          auto got = start;
          multiply(ProductExtents{rows, inner, columns}, left, b.data(), b_stride, got.data(), c_stride);
          ASSERT_EQ(got, want) << rows << " " << inner << " " << columns;
        }
      }
    }
  }
}

TYPED_TEST(Dense, ProductHasTheBitsOfThePlainLoopAtEverySize) {
  using T = TypeParam;
  const bool fused = std::is_same_v<T, float> && isa_in_use() != Isa::kScalar;
  expect_bits_of_the_plain_loop<T>(fused, [](auto... arguments) { multiply_add<T>(arguments...); });
  expect_bits_of_the_plain_loop<T>(false, [](auto... arguments) { plain::multiply_add<T>(arguments...); });
}

TYPED_TEST(Dense, DotIsTheSumOfProducts) {
  using T = TypeParam;
  for (int count = 0; count < 70; ++count) {
    const auto a = random_numbers<T>(count + 1, 4), b = random_numbers<T>(count + 1, 5);
    double want = 0, magnitude = 0;
    for (int i = 0; i < count; ++i) {
      want += double(a[i]) * double(b[i]);
      magnitude += std::abs(double(a[i]) * double(b[i]));
    }
    const double limit = std::numeric_limits<T>::epsilon() * std::sqrt(count + 1.0) * magnitude;
    EXPECT_TRUE(std::abs(dot(a.data(), b.data(), count) - want) <= limit) << count;
    EXPECT_TRUE(std::abs(plain::dot(a.data(), b.data(), count) - want) <= limit) << count;
  }
}

template <class T, class Gelu>
void expect_gelu_is_exact_enough(Gelu gelu_of) {
  const double scale = std::sqrt(2 / std::numbers::pi);
  double worst = 0, worst_slope = 0;
  for (double x = -60; x <= 60; x += 0.00137) {
    T value = T(x), slope = 0;
    const double in = value;
    const double t = std::tanh(scale * (in + 0.044715 * in * in * in));
    gelu_of(&value, &slope, 1);
    T alone = T(x);
    gelu_of(&alone, nullptr, 1);
    EXPECT_EQ(alone, value);
    const double derivative = 0.5 * (1 + t) + 0.5 * in * (1 - t * t) * scale * (1 + 3 * 0.044715 * in * in);
    worst = std::max(worst, std::abs(value - 0.5 * in * (1 + t)) / std::max(1.0, std::abs(in)));
    worst_slope = std::max(worst_slope, std::abs(slope - derivative));
  }
  const double eps = std::numeric_limits<T>::epsilon();
  EXPECT_LE(worst, 2 * eps);
  EXPECT_LE(worst_slope, 64 * eps);  // x (1 − t²) magnifies an error of t near its ends
}

TYPED_TEST(Dense, GeluAndItsSlopeAreExactEnoughOverTheWholeRange) {
  using T = TypeParam;
  expect_gelu_is_exact_enough<T>([](T* x, T* slope, std::size_t n) { gelu(x, slope, n); });
  expect_gelu_is_exact_enough<T>([](T* x, T* slope, std::size_t n) { plain::gelu(x, slope, n); });
}

TYPED_TEST(Dense, GeluIsAStepFarOut) {
  using T = TypeParam;
  for (const T far : {T(40), T(1e5), T(1e15), std::numeric_limits<T>::max()}) {
    T high = far, low = -far, slope_high = 0, slope_low = 0;
    gelu(&high, &slope_high, 1);
    gelu(&low, &slope_low, 1);
    EXPECT_EQ(high, far);
    EXPECT_EQ(slope_high, T(1));
    EXPECT_EQ(low, T(0));
    EXPECT_EQ(slope_low, T(0));
  }
}

TYPED_TEST(Dense, GeluGivesItsSecondDerivativeWithoutChangingTheRest) {
  using T = TypeParam;
  const auto derivative = [](double x) {
    double value = x, slope = 0;
    plain::gelu(&value, &slope, 1);
    return slope;
  };
  double worst = 0;
  for (double x = -60; x <= 60; x += 0.0137) {
    T value = T(x), slope = 0, curve = 0, alone = T(x), alone_slope = 0;
    const double in = value, step = 1e-3;
    plain::gelu(&value, &slope, &curve, 1);
    plain::gelu(&alone, &alone_slope, 1);
    EXPECT_EQ(value, alone);
    EXPECT_EQ(slope, alone_slope);
    const double quotient = (8 * (derivative(in + step) - derivative(in - step)) -
                             (derivative(in + 2 * step) - derivative(in - 2 * step))) /
                            (12 * step);
    worst = std::max(worst, std::abs(curve - quotient));
  }
  // x (1 − t²) p², p up to 4, magnifies an error of t; the quotient is good to 1e-11.
  EXPECT_LE(worst, 512 * double(std::numeric_limits<T>::epsilon()) + 1e-10);
}

TYPED_TEST(Dense, GeluKeepsWhatIsNotANumber) {
  using T = TypeParam;
  T value = std::numeric_limits<T>::quiet_NaN(), slope = 0, curve = 0;
  plain::gelu(&value, &slope, &curve, 1);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_TRUE(std::isnan(slope));
  EXPECT_TRUE(std::isnan(curve));
}

}  // namespace
}  // namespace longtake
