// The numbers of all frames of a result, ready to be drawn, in a fixed number of bytes.
#pragma once

#include <memory>
#include <vector>

#include "app/export/outline.h"
#include "app/plot.h"
#include "core/records/records.h"
#include "core/signals/curve_pyramid.h"

namespace longtake {

class CurvesGatherer {
 public:
  void take(const Record& record);
  // Inner loss of each layer, surprise, and novelty where there is any: what the result has. Events are marks.
  std::vector<Plot> plots(const Outline& outline) const;

 private:
  struct Layer {
    CurvePyramid before, after;
  };
  Plot plot(const char* title, const char* y_label, const Outline& outline) const;
  void add_curve(Plot& plot, const std::string& name, const CurvePyramid& values) const;

  CurvePyramid t_{kLog};
  std::vector<Layer> layers_;
  CurvePyramid surprise_{kLog}, novelty_{kLog};
  bool any_surprise_ = false, any_novelty_ = false;

  static constexpr int kLog = 14;  // 16,384 columns: a wide print needs no more
};

}  // namespace longtake
