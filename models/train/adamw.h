// AdamW (arXiv 1711.05101): Adam with the weight decay outside of the moments. Plain enough to be saved and gone on with
// to the bit, which LibTorch's own is not without its archive format.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;  // as the published TTT models
  double eps = 1e-8;
  double weight_decay = 0.05;
  std::function<bool(std::string_view name)> decays;  // null: every parameter
};

class AdamW {
 public:
  explicit AdamW(AdamWOptions options) : options_(std::move(options)) {}

  // One step down the gradients of the parameters that have one; `rate` is this step's.
  void step(definition::Parameters& parameters, double rate);

  void save(TensorFile& file) const;
  // Errors: kModel; nothing is changed then.
  Result<void> load(const TensorFile& file, const definition::Parameters& parameters);

 private:
  AdamWOptions options_;
  std::int64_t steps_ = 0;
  definition::Parameters first_, second_;  // moments, by the parameter's name
};

// Scales all gradients down to this length together, if they are longer. The length they had.
double clip_gradients(const definition::Parameters& parameters, double longest);

}  // namespace longtake
