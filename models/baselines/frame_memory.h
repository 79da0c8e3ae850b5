// What remembers frames and fills in hidden halves of them, whatever it is made of: the recall memory and its rivals side
// by side. For evaluation: one stream, one frame a call, LibTorch tensors.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

namespace longtake {

// One stream, one thread.
class FrameMemory {
 public:
  virtual ~FrameMemory() = default;
  // Every token of the frame from the half that hides it not (see recall_net.h) and from what was written before.
  // x [tokens][latent] → the same.
  virtual at::Tensor read(const at::Tensor& x) const = 0;
  virtual void write(const at::Tensor& x) = 0;
  // What it keeps at this moment.
  virtual std::size_t state_bytes() const = 0;
  // With all that it has seen.
  virtual std::unique_ptr<FrameMemory> copy() const = 0;
};

}  // namespace longtake
