// Small things that the rivals share.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <ATen/core/Tensor.h>

#include "models/ttt/ttt_definition.h"

namespace longtake {

// The parameters below a prefix, by the rest of their names.
class Below {
 public:
  Below(const definition::Parameters& parameters, std::string_view prefix) : parameters_(parameters), prefix_(prefix) {}
  const at::Tensor& operator[](std::string_view name) const { return parameters_.at(prefix_ + std::string(name)); }

 private:
  const definition::Parameters& parameters_;
  std::string prefix_;
};

}  // namespace longtake
