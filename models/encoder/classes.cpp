#include "models/encoder/classes.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace longtake {

std::vector<NamedScore> top_classes(std::span<const float> probabilities, std::size_t count) {
  const auto names = imagenet_classes();
  if (probabilities.size() != names.size()) {
    throw std::invalid_argument("top_classes: there is not one probability for each class");
  }
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return probabilities[a] != probabilities[b] ? probabilities[a] > probabilities[b]
                                                                  : a < b;
                    });
  std::vector<NamedScore> top;
  for (const std::size_t i : std::span(order).first(count))
    top.push_back({std::string(names[i]), probabilities[i]});
  return top;
}

}  // namespace longtake
