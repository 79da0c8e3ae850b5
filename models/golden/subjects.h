// The things that golden files are run on, and the yardstick. Everything here reports into SelftestLines.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "models/golden/golden_file.h"
#include "models/golden/selftest.h"
#include "models/ttt/ttt_layer.h"

namespace longtake {

// Note: Limits
//   Absolute, on numbers of order 1 to 4. Sums of a layer in float are good to some 1e-6.
//     double, core    1e-9   the reference's own gelu' has constants cut to 8 digits: 5e-11
//     double, others  2e-6   the reference's rotary table, or its RMSNorm, is float: 6e-7 to 1e-6
//     float, core     5e-6
//     float, others   1e-5
//   Looser ones let real mistakes through: a norm's eps of 1e-5 for 1e-6 moves some outputs by no more than
//   3e-6. Gradients are compared relative to the largest entry of their tensor: 1e-9 (core) or 2e-6 in
//   double, 2e-5 in float.
template <class T>
double limit_of(GoldenLevel level) {
  const bool core = level == GoldenLevel::kCore;
  if (std::is_same_v<T, double>) return core ? 1e-9 : 2e-6;
  return core ? 5e-6 : 1e-5;
}
template <class T>
double gradient_limit_of(GoldenLevel level) {
  if (std::is_same_v<T, float>) return 2e-5;
  return level == GoldenLevel::kCore ? 1e-9 : 2e-6;
}

// The largest |got − want|; not a number if only one of a pair is, or if the lengths differ.
template <class T>
double largest_error(const std::vector<T>& got, const std::vector<double>& want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::quiet_NaN();
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(want[i])) continue;
    const double error = std::abs(static_cast<double>(got[i]) - want[i]);
    if (std::isnan(error)) return error;
    worst = std::max(worst, error);
  }
  return worst;
}

// Takes the lines of one file on one subject.
class Lines {
 public:
  Lines(std::vector<SelftestLine>& lines, const GoldenFile& file, std::string backend)
      : lines_(lines), file_(file), backend_(std::move(backend)) {}

  void add(std::string what, double error, double limit) {
    lines_.push_back({file_.name, backend_, std::move(what), error, limit, error <= limit});
  }

  // Against an array of the file. Throws if it is absent or has another shape.
  template <class T>
  void compare(std::string what, const std::vector<T>& got, std::string_view key,
               const std::vector<std::int64_t>& shape) {
    const double error = largest_error(got, file_.values(key, shape));
    add(std::move(what), error, limit_of<T>(file_.level) + file_.rounding(key));
  }

  // The gradient of an input, which the file has under its own name for it.
  template <class T>
  void compare_gradient(const std::string& input, const std::vector<T>& got,
                        const std::vector<std::int64_t>& shape) {
    const std::string key = "grad64/" + input;
    const auto& want = file_.values(key, shape);
    double largest = 0;
    for (const double value : want) largest = std::max(largest, std::abs(value));
    if (largest == 0) largest = 1;
    add("grad " + input, largest_error(got, want) / largest,
        gradient_limit_of<T>(file_.level) + file_.rounding(key) / largest);
  }

 private:
  std::vector<SelftestLine>& lines_;
  const GoldenFile& file_;
  std::string backend_;
};

// The inner loop alone, whole and in pieces, and its gradients if the backend has them (core files).
template <class T>
void run_on_kernel(const GoldenFile& file, const TttBackend<T>& backend, std::vector<SelftestLine>& lines);

// The definition in LibTorch with its gradients (core, layer, model and video files).
template <class T>
void run_on_definition(const GoldenFile& file, std::vector<SelftestLine>& lines);

// The layer as it runs on a stream. `forward` and `backend` are arguments so that a test can put a wrong one
// in place; model files always run on the real ones.
template <class T>
struct StreamingSubject {
  using Forward = TttLayerReport (*)(const TttLayerWeights<T>&, TttLayerState<T>&, TttScratch<T>&,
                                     std::span<const T>, std::span<T>, const TttLayerOptions<T>&);
  Forward forward = ttt_layer_forward<T>;
  const TttBackend<T>* backend = nullptr;  // null: the fastest
};
// Layer, model and video files.
template <class T>
void run_on_stream(const GoldenFile& file, const StreamingSubject<T>& subject,
                   std::vector<SelftestLine>& lines);
// One case of a loss file; `layer` is the layer file it speaks of.
template <class T>
void run_losses(const GoldenFile& file, const GoldenFile& layer, const StreamingSubject<T>& subject,
                std::vector<SelftestLine>& lines);

}  // namespace longtake
