// Stands in for plain_network.cpp in programs without LibTorch.
#include "models/encoder/network.h"

namespace longtake {

std::unique_ptr<const EncoderNetwork> make_plain_network(const EncoderWeights&) { return nullptr; }

}  // namespace longtake
