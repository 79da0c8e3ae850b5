// How likely each of the labels that a person taught is, at moments of a video.
#pragma once

#include <string>
#include <vector>

namespace longtake {

struct LabelledMoments {
  std::vector<std::string> names;  // kUnknownLabel last; empty: nothing was learned
  std::vector<double> t;           // seconds, in their order
  std::vector<float> scores;       // [t][names], a moment's add to 1; those behind the last are not judged yet
};

}  // namespace longtake
