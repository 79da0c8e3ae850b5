// Frames that were kept, and which of them is nearest to another one: what nearest neighbours and slots are made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace longtake {

// Frames [tokens][latent], 16 tokens. One thread. Copies share their frames; clone() does not.
class FrameTable {
 public:
  FrameTable();

  std::int64_t size() const noexcept { return size_; }
  std::size_t bytes() const;

  void append(const at::Tensor& x);
  void replace(std::int64_t frame, const at::Tensor& x);
  at::Tensor frame(std::int64_t frame) const;  // [tokens][latent]
  FrameTable clone() const;

  // For each half of x (see recall_net.h), what it hides: the other half of the frame that is nearest to what is in view
  // (Euclid; the earliest of equals). Zeros, as long as the table is empty.
  at::Tensor filled_in(const at::Tensor& x) const;
  // Mean squared difference of a number, to each frame [size]. Not of an empty table.
  at::Tensor squares(const at::Tensor& x) const;

 private:
  at::Tensor half(int which) const;
  at::Tensor numbers(int which, const at::Tensor& x) const;
  at::Tensor distances(int visible, const at::Tensor& x) const;

  std::array<at::Tensor, 2> tokens_;  // which ones a half has
  std::array<at::Tensor, 2> halves_;  // [room][8 · latent]
  std::int64_t size_ = 0;
};

}  // namespace longtake
