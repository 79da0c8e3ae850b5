#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/records/polygon.h"
#include "core/records/time_point.h"

namespace longtake {
namespace {

Result<std::vector<Polygon>> polygons(const std::vector<std::string>& texts) {
  std::vector<Polygon> out;
  for (const std::string& text : texts) {
    auto polygon = parse_polygon(text);
    if (!polygon) return std::move(polygon).error();
    out.push_back(std::move(*polygon));
  }
  return out;
}

Result<void> check_device(const std::string& device) {
  if (device == "auto" || device == "cpu") return {};
  if (device == "cuda" || device.starts_with("cuda:")) {
    return Error{ErrorKind::kDevice,
                 fmt::format("device \"{}\" is not available: this build has no CUDA support", device)};
  }
  return Error{ErrorKind::kUsage, fmt::format("--device takes auto, cpu or cuda[:n], not \"{}\"", device)};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : "; ") + text;
  return out;
}

Result<PlainSignalChoice> plain_signals(const std::vector<std::string>& names) {
  PlainSignalChoice out;
  bool* const wanted[] = {&out.pixel, &out.cell, &out.histogram, &out.feature, &out.flow};
  for (const std::string& name : names) {
    if (name == "all") {
      for (bool* one : wanted) *one = true;
      continue;
    }
    const auto known = std::find(kPlainSignalNames.begin(), kPlainSignalNames.end(), name);
    if (known == kPlainSignalNames.end()) {
      return Error{ErrorKind::kUsage, fmt::format("--signals: \"{}\" is not one of pixel, cell, histogram, feature, flow, all", name)};
    }
    *wanted[known - kPlainSignalNames.begin()] = true;
  }
  return out;
}

}  // namespace

int Settings::thread_count() const {
  if (threads > 0) return threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 64);
}

ProgressMode Settings::progress_mode() const {
  if (progress == "json") return ProgressMode::kJson;
  return quiet || no_progress ? ProgressMode::kOff : ProgressMode::kAuto;
}

Result<AnalysisSettings> analysis_settings(const Settings& settings, const std::string& input) {
  AnalysisSettings out;
  out.source.uri = input;
  out.source.decoder_threads = settings.thread_count();
  if (auto device = check_device(settings.device); !device) return std::move(device).error();

  auto fps = parse_fps(settings.fps);
  if (!fps) return std::move(fps).error();
  out.source.fps = *fps;
  if (!settings.from.empty()) {
    auto from = parse_time(settings.from);
    if (!from) return std::move(from).error();
    out.source.from = *from;
    out.recorded.emplace_back("from", settings.from);
  }
  if (!settings.to.empty()) {
    auto to = parse_time(settings.to);
    if (!to) return std::move(to).error();
    out.source.to = *to;
    out.recorded.emplace_back("to", settings.to);
  }
  auto roi = polygons(settings.roi);
  if (!roi) return std::move(roi).error();
  auto mask = polygons(settings.mask);
  if (!mask) return std::move(mask).error();
  out.roi = std::move(*roi);
  out.mask = std::move(*mask);
  if (!out.roi.empty()) out.recorded.emplace_back("roi", joined(settings.roi));
  if (!out.mask.empty()) out.recorded.emplace_back("mask", joined(settings.mask));
  out.scene = settings.scene;
  if (!settings.scene) out.recorded.emplace_back("scene", false);
  out.maps = settings.maps;
  if (settings.maps) out.recorded.emplace_back("maps", true);
  auto signals = plain_signals(settings.signals);
  if (!signals) return std::move(signals).error();
  out.signals = *signals;
  if (out.signals.any()) out.recorded.emplace_back("signals", joined(settings.signals));
  if (settings.sensitivity > 0) {
    out.sensitivity = settings.sensitivity;
    out.recorded.emplace_back("sensitivity", settings.sensitivity);
  }
  if (!settings.compare.empty()) out.recorded.emplace_back("compare", settings.compare.filename().string());
  return out;
}

}  // namespace longtake
