// EfficientNet-Lite0 as a list of convolutions, with the weights of each as they stand in the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

// A convolution over a square map, its batch normalisation, and what follows.
struct ConvShape {
  std::string weight = {};  // names in the file, without ".weight" and the like
  std::string norm = {};    // likewise
  int side = 0;             // of the map that goes in; side / stride comes out
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 1;
  int stride = 1;
  bool depthwise = false;  // every channel by itself; in_channels == out_channels
  bool relu6 = false;
  bool starts_block = false;  // its input is what a later convolution with `adds_start` adds to its output
  bool adds_start = false;

  // TensorFlow's "same" padding: all that is needed, and the odd one behind.
  int pad_before() const { return kernel / 2 - (stride == 2 ? 1 : 0); }
  int pad_after() const { return kernel / 2; }
  int side_out() const { return side / stride; }
  int in_per_group() const { return depthwise ? 1 : in_channels; }
};

struct ConvWeights {
  ConvShape shape;
  std::vector<float> kernel;  // [out][in per group][kernel][kernel]
  std::vector<float> gamma;   // [out], likewise the others
  std::vector<float> beta;
  std::vector<float> mean;
  std::vector<float> variance;
};

inline constexpr double kBatchNormEpsilon = 1e-3;

// The same convolution without a normalisation behind it.
struct FoldedConv {
  std::vector<float> kernel;  // [out][in per group][kernel][kernel]
  std::vector<float> bias;    // [out]
};
FoldedConv fold(const ConvWeights& conv);

struct EncoderWeights {
  std::vector<ConvWeights> convs;  // in order; the tokens come from what goes into the last one, the head
  std::vector<float> classifier;   // [1000][1280]
  std::vector<float> classifier_bias;
};

std::vector<ConvShape> efficientnet_lite0();

// Errors: kModel.
Result<EncoderWeights> read_encoder_weights(const std::filesystem::path& safetensors);

}  // namespace longtake
