#include "kernels/swiglu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

template <class T>
class SwiGlu : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(SwiGlu, Precisions);

// All gates of a range, in one call of a count that no vector divides, against long doubles.
template <class T, class Forwards, class Back>
void expect_exact_enough(Forwards forwards, Back back) {
  std::vector<T> gate;
  for (double x = -110; x <= 110; x += 0.00731) gate.push_back(T(x));
  while (gate.size() % 16 != 13) gate.push_back(T(0));
  const std::size_t count = gate.size();
  const T kGuard = T(12345);
  std::vector<T> up(count), d(count), out(count + 1, kGuard), again = out, d_gate = out, d_up = out;
  for (std::size_t i = 0; i < count; ++i) up[i] = T(std::cos(double(i))), d[i] = T(std::sin(double(3 * i)));
  forwards(gate.data(), up.data(), out.data(), count);
  back(gate.data(), up.data(), d.data(), again.data(), d_gate.data(), d_up.data(), count);
  EXPECT_EQ(out, again);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const long double g = gate[i], s = 1 / (1 + std::exp(-g));
    // A handful of roundings each.
    const long double limit = 8 * std::numeric_limits<T>::epsilon() * std::max(1.0L, std::abs(g));
    const auto check = [&](T got, long double want) {
      if (!(std::abs(got - want) <= limit)) ++wrong;
    };
    check(out[i], g * s * up[i]);
    check(d_up[i], g * s * d[i]);
    check(d_gate[i], up[i] * d[i] * s * (1 + g * (1 - s)));
  }
  EXPECT_EQ(wrong, 0U);
  for (const auto* guarded : {&out, &d_gate, &d_up}) EXPECT_EQ(guarded->back(), kGuard);
}

TYPED_TEST(SwiGlu, IsExactEnoughOverTheWholeRange) {
  using T = TypeParam;
  expect_exact_enough<T>([](auto... all) { swiglu(all...); }, [](auto... all) { swiglu_back(all...); });
  expect_exact_enough<T>([](auto... all) { plain::swiglu(all...); }, [](auto... all) { plain::swiglu_back(all...); });
}

TYPED_TEST(SwiGlu, IsShutOrOpenFarOutAndKeepsWhatIsNotANumber) {
  using T = TypeParam;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const T gate[] = {T(1e30), T(-1e30), nan}, up[] = {1, 1, 1}, d[] = {1, 1, 1};
  T out[3], d_gate[3], d_up[3];
  swiglu_back(gate, up, d, out, d_gate, d_up, 3);
  EXPECT_EQ(out[0], gate[0]);
  EXPECT_EQ(d_gate[0], T(1));
  EXPECT_LE(std::abs(out[1]), T(1e-6));
  EXPECT_LE(std::abs(d_gate[1]), T(1e-6));
  EXPECT_TRUE(std::isnan(out[2]) && std::isnan(d_gate[2]) && std::isnan(d_up[2]));
}

}  // namespace
}  // namespace longtake
