// Stands in for onednn_network.cpp in a program that was built without oneDNN.
#include "models/encoder/network.h"

namespace longtake {

std::unique_ptr<const EncoderNetwork> make_onednn_network(const EncoderWeights&) { return nullptr; }

}  // namespace longtake
