#include "app/training_log.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

namespace longtake {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::int64_t kMostPoints = 4000;

double number(const ordered_json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();  // JSON has no NaN
}

}  // namespace

ordered_json log_line(const TrainerStep& step) {
  ordered_json line;
  line["step"] = step.step;
  if (step.step > 0) {
    line["loss"] = step.loss;
    line["rate"] = step.rate;
    line["gradient"] = step.gradient;
    for (const auto& [name, value] : step.parts) line["parts"][name] = value;
  }
  if (step.judged) {
    for (const auto& [name, value] : *step.judged) line["held_out"][name] = value;
  }
  return line;
}

Result<TrainingLog> TrainingLog::open(const fs::path& path) {
  std::error_code ec;
  const bool there = fs::is_regular_file(path, ec);
  auto file = there ? ResultFile::resume(path, static_cast<std::int64_t>(fs::file_size(path, ec))) : ResultFile::create(path);
  if (!file) return std::move(file).error();
  return TrainingLog(std::move(*file), there ? path : fs::path());
}

Result<void> TrainingLog::go_on_at(std::int64_t step, const std::function<void(const ordered_json&)>& kept) {
  if (path_.empty()) return {};
  std::ifstream in(path_, std::ios::binary);
  std::int64_t length = 0, last = -1;
  for (std::string text; std::getline(in, text) && !in.eof();) {  // a last line without its end is torn
    const ordered_json line = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer()) break;
    const auto at = line["step"].get<std::int64_t>();
    if (at <= last || at >= step) break;
    last = at;
    length += std::ssize(text) + 1;
    kept(line);
  }
  auto file = ResultFile::resume(path_, length);
  if (!file) return std::move(file).error();
  file_ = std::move(*file);
  return {};
}

Result<void> TrainingLog::write(const ordered_json& line) { return file_.write(line.dump() + "\n"); }

TrainingCurves::TrainingCurves(std::int64_t steps) : every_(std::max<std::int64_t>(1, steps / kMostPoints)) {}

void TrainingCurves::add(Panel panel, const std::string& name, double step, double value) {
  auto& curves = curves_[panel];
  auto curve = std::find_if(curves.begin(), curves.end(), [&](const Curve& other) { return other.name == name; });
  if (curve == curves.end()) curve = curves.insert(curves.end(), Curve{name, {}, {}, name == "loss"});
  curve->x.push_back(step);
  curve->y.push_back(value);
}

// Mean over about the last ten steps that were finite.
double TrainingCurves::smoothed(const std::string& name, double value) {
  constexpr double kKeep = 0.9;
  Smoothed& mean = smoothed_[name];
  if (!std::isfinite(value)) return value;
  mean.sum = kKeep * mean.sum + (1 - kKeep) * value;
  mean.weight = kKeep * mean.weight + (1 - kKeep);
  return mean.sum / mean.weight;
}

void TrainingCurves::add(const ordered_json& line) {
  const auto step = line.at("step").get<std::int64_t>();
  const auto at = static_cast<double>(step);
  const bool shown = step % every_ == 0 || step == 1;
  if (line.contains("loss")) {
    const double mean = smoothed("loss", number(line["loss"]));
    if (shown) add(kLoss, "loss", at, number(line["loss"])), add(kLoss, "loss, smoothed", at, mean);
    if (shown && line.contains("rate")) add(kRate, "rate", at, number(line["rate"]));
  }
  if (line.contains("parts")) {
    for (const auto& [name, value] : line["parts"].items()) {
      const bool inner = name.starts_with("inner_");
      const double shown_value = inner ? number(value) : smoothed(name, number(value));
      if (!shown) continue;
      if (inner) add(kInner, "layer " + name.substr(6), at, shown_value);
      else add(kLoss, name + ", smoothed", at, shown_value);
    }
  }
  if (line.contains("held_out")) {
    for (const auto& [name, value] : line["held_out"].items()) {
      if (name != "score") add(kHeldOut, name, at, number(value));
    }
  }
}

std::vector<Plot> TrainingCurves::plots() const {
  const auto panel = [&](Panel which, const char* title, const char* y_label, bool log_y) {
    Plot plot{title, "step", y_label, false, log_y, {}};
    if (const auto found = curves_.find(which); found != curves_.end()) plot.curves.assign(found->second.begin(), found->second.end());
    return plot;
  };
  std::vector<Plot> out{panel(kLoss, "Training loss", "loss", false), panel(kHeldOut, "Held-out videos", "error", false)};
  if (curves_.contains(kInner)) out.push_back(panel(kInner, "Inner loss, mean of a window", "loss", true));
  out.push_back(panel(kRate, "Rate of the outer loop", "rate", false));
  return out;
}

}  // namespace longtake
