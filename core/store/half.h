// 16-bit IEEE 754 numbers, as models store them. Computing is done in 32 bits.
#pragma once

#include <bit>
#include <cstdint>

namespace longtake {

// Exact: every half is also a float. A NaN stays a NaN.
inline float half_to_float(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and what is too small for a leading one: multiples of 2^-24
    const float size = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -size : size;
  }
  const std::uint32_t wide_exponent = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

// To the nearest half, ties to even; what is out of range becomes infinite. A NaN stays a NaN.
inline std::uint16_t float_to_half(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  const std::uint32_t size = bits & 0x7FFFFFFFU;
  if (size > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (size >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65520 and more
  if (size < 0x33000000U) return static_cast<std::uint16_t>(sign);             // under half of the least one
  const std::uint32_t exponent = size >> 23U;
  const std::uint32_t mantissa = (size & 0x7FFFFFU) | 0x800000U;
  const bool small = exponent < 113;  // no leading one in a half: multiples of 2^-24
  const std::uint32_t shift = small ? 126U - exponent : 13U;
  std::uint32_t half = mantissa >> shift;
  const std::uint32_t rest = mantissa & ((1U << shift) - 1U);
  const std::uint32_t middle = 1U << (shift - 1U);
  if (rest > middle || (rest == middle && (half & 1U) != 0)) ++half;
  // The leading one adds itself to the exponent, as does a carry.
  if (!small) half += (exponent - 113U) << 10U;
  return static_cast<std::uint16_t>(sign | half);
}

}  // namespace longtake
