// gelu(x) = ½ x (1 + t), t = tanh(√(2/π) (x + 0.044715 x³)): the tanh form. The erf form differs by up to
// 7e-4.
#pragma once

#include <cstddef>

namespace longtake {

// x ← gelu(x); gelu'(x) goes to `slope` unless that is null. T is float or double. Floats take the
// instruction set of isa.h and are within 3e-7 · max(1, |x|) of gelu everywhere.
template <class T>
void gelu(T* x, T* slope, std::size_t count);

// The same without anything that a processor might lack; see dense.h. In float, tanh is a quotient of
// polynomials that is within 2e-7 of it everywhere.
namespace plain {
template <class T>
void gelu(T* x, T* slope, std::size_t count);
// The same, bit for bit, with gelu''(x) in `curve`: what a gradient through gelu' takes.
template <class T>
void gelu(T* x, T* slope, T* curve, std::size_t count);
}  // namespace plain

}  // namespace longtake
