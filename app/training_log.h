// A training's figures, step by step: as JSON lines on disk, and as curves that one can watch.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/plot.h"
#include "core/result.h"
#include "core/store/atomic_file.h"
#include "models/train/training.h"

namespace longtake {

// {"step":20,"loss":0.93,"rate":0.003,"gradient":0.4,"parts":{…},"held_out":{…}}; loss and what belongs to it are absent
// from step 0, which is only judged, and "held_out" from steps that were not.
nlohmann::ordered_json log_line(const TrainerStep& step);

// One such line a step. A training that goes on from a checkpoint goes on with its log.
class TrainingLog {
 public:
  // What is in a file that is there stays until the first step. Errors: kUnexpected (cannot be written).
  static Result<TrainingLog> open(const std::filesystem::path& path);

  // Forgets what the file has from `step` on: a training that was killed begins again at an earlier step than its log
  // ended with. `kept` gets the lines before.
  Result<void> go_on_at(std::int64_t step, const std::function<void(const nlohmann::ordered_json&)>& kept);
  Result<void> write(const nlohmann::ordered_json& line);

 private:
  TrainingLog(ResultFile file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}

  ResultFile file_;
  std::filesystem::path path_;  // empty: nothing was there, or it is not a regular file
};

// Loss (as it is, and smoothed), figures of held-out videos, inner losses and rate, one panel each. At most a few thousand
// points a curve, whatever the number of steps.
class TrainingCurves {
 public:
  explicit TrainingCurves(std::int64_t steps);

  void add(const nlohmann::ordered_json& line);  // see log_line()
  std::vector<Plot> plots() const;

 private:
  enum Panel : int { kLoss, kHeldOut, kInner, kRate };
  struct Smoothed {
    double sum = 0, weight = 0;
  };
  void add(Panel panel, const std::string& name, double step, double value);
  double smoothed(const std::string& name, double value);

  std::int64_t every_;
  std::map<Panel, std::vector<Curve>> curves_;
  std::map<std::string, Smoothed> smoothed_;
};

}  // namespace longtake
