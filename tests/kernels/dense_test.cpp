#include "kernels/dense.h"

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/gelu.h"

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

// Entry by entry, in the promised order of additions.
TYPED_TEST(Dense, ProductHasTheBitsOfThePlainLoopAtEverySize) {
  using T = TypeParam;
  for (const int rows : {1, 3, 4, 5, 9}) {
    for (const int inner : {0, 1, 2, 7, 16, 65}) {
      for (const int columns : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33}) {
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
              for (int k = 0; k < inner; ++k) {
                const T product =
                    left.data[i * left.row_stride + k * left.inner_stride] * b[k * b_stride + j];
                want[i * c_stride + j] += product;
              }
            }
          }
          auto got = start;
          multiply_add({rows, inner, columns}, left, b.data(), b_stride, got.data(), c_stride);
          ASSERT_EQ(got, want) << rows << " " << inner << " " << columns;
        }
      }
    }
  }
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
  }
}

TYPED_TEST(Dense, GeluAndItsSlopeAreExactEnoughOverTheWholeRange) {
  using T = TypeParam;
  const double scale = std::sqrt(2 / std::numbers::pi);
  double worst = 0, worst_slope = 0;
  for (double x = -60; x <= 60; x += 0.00137) {
    T value = T(x), slope = 0;
    const double in = value;
    const double t = std::tanh(scale * (in + 0.044715 * in * in * in));
    gelu(&value, &slope, 1);
    T plain = T(x);
    gelu<T>(&plain, nullptr, 1);
    EXPECT_EQ(plain, value);
    const double derivative = 0.5 * (1 + t) + 0.5 * in * (1 - t * t) * scale * (1 + 3 * 0.044715 * in * in);
    worst = std::max(worst, std::abs(value - 0.5 * in * (1 + t)) / std::max(1.0, std::abs(in)));
    worst_slope = std::max(worst_slope, std::abs(slope - derivative));
  }
  const double eps = std::numeric_limits<T>::epsilon();
  EXPECT_LE(worst, 2 * eps);
  EXPECT_LE(worst_slope, 64 * eps);  // x (1 − t²) magnifies an error of t near its ends
}

TYPED_TEST(Dense, GeluGivesItsSecondDerivativeWithoutChangingTheRest) {
  using T = TypeParam;
  const auto derivative = [](double x) {
    double value = x, slope = 0;
    gelu(&value, &slope, 1);
    return slope;
  };
  double worst = 0;
  for (double x = -60; x <= 60; x += 0.0137) {
    T value = T(x), slope = 0, curve = 0, plain = T(x), plain_slope = 0;
    const double in = value, step = 1e-3;
    gelu(&value, &slope, &curve, 1);
    gelu(&plain, &plain_slope, 1);
    EXPECT_EQ(value, plain);
    EXPECT_EQ(slope, plain_slope);
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
  gelu(&value, &slope, &curve, 1);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_TRUE(std::isnan(slope));
  EXPECT_TRUE(std::isnan(curve));
}

}  // namespace
}  // namespace longtake
