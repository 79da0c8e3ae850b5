// The gate of a feed-forward net, silu(gate) ⊙ up with silu(x) = x / (1 + e^−x), and the way back through it (arXiv 2002.05202).
#pragma once

#include <cstddef>

namespace longtake {

// T is float or double, count below 2³¹. Floats take the instruction set of isa.h; for factors up to 1 they are within
// 1e-6 · max(1, |gate|) everywhere. NaN stays NaN.
template <class T>
void swiglu(const T* gate, const T* up, T* out, std::size_t count);

// `out` as above, and from d = ∂L/∂out the gradients of the other two.
template <class T>
void swiglu_back(const T* gate, const T* up, const T* d, T* out, T* d_gate, T* d_up, std::size_t count);

// The same without anything that a processor might lack; see dense.h.
namespace plain {
template <class T>
void swiglu(const T* gate, const T* up, T* out, std::size_t count);
template <class T>
void swiglu_back(const T* gate, const T* up, const T* d, T* out, T* d_gate, T* d_up, std::size_t count);
}  // namespace plain

}  // namespace longtake
