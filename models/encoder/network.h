// What Encoder asks of a form of its network. See encoder.h for what the numbers mean.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/encoder/encoder.h"
#include "models/encoder/weights.h"

namespace longtake {

class EncoderNetwork {
 public:
  // Whatever a form of the network writes to while it runs. Belongs to the network that made it.
  class Buffers {
   public:
    virtual ~Buffers() = default;
  };

  virtual ~EncoderNetwork() = default;
  virtual std::unique_ptr<Buffers> make_buffers() const = 0;
  // `rgb` [224][224][3]. Sizes the vectors of `out` and fills them. Any thread, with buffers of its own.
  virtual void run(std::span<const std::uint8_t> rgb, Buffers& buffers, EncoderOutput& out) const = 0;
  virtual std::string backend() const = 0;
};

// The network as it was trained, layer by layer in LibTorch, nothing folded, padded by hand. Null in programs without LibTorch.
std::unique_ptr<const EncoderNetwork> make_plain_network(const EncoderWeights& weights);

// The fast form: oneDNN, normalisations folded in. Null where the program was built without oneDNN, or where
// oneDNN has nothing fast for this processor.
std::unique_ptr<const EncoderNetwork> make_onednn_network(const EncoderWeights& weights);

}  // namespace longtake
