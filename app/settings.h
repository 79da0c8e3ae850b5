// What the command line asks for.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/media/source.h"
#include "core/records/records.h"
#include "core/result.h"
#include "core/signals/plain_signals.h"

namespace longtake {

using Polygon = std::vector<std::array<double, 2>>;  // x, y in 0..1 of the upright picture

enum class ProgressMode { kAuto, kOff, kJson };

// Options that every verb understands, as text was given and checked.
struct Settings {
  std::filesystem::path model;  // empty: the default model
  std::filesystem::path memory;
  std::filesystem::path save_memory;
  std::filesystem::path compare;  // analyze: a memory that frames are asked about of
  std::filesystem::path checkpoint;
  double checkpoint_every_s = 30;
  std::string fps = "all";
  std::string from;
  std::string to;
  std::vector<std::string> roi;
  std::vector<std::string> mask;
  std::string device = "auto";
  int threads = 0;  // 0: as many as the machine has
  bool scene = true;
  bool maps = false;
  std::vector<std::string> signals;
  double sensitivity = 0;  // novelty and return events an hour; 0: the test at its own level
  bool landmark_images = true;
  std::filesystem::path labels;  // empty: none
  bool quiet = false;
  int verbosity = 0;
  bool no_progress = false;
  std::string progress;  // "json" or empty
  std::filesystem::path log_file;
  bool json = false;

  std::vector<std::string> inputs;
  std::filesystem::path output{"-"};
  std::string source_name;  // written to the header instead of the input's own name

  int thread_count() const;
  ProgressMode progress_mode() const;
};

// The settings that change results, in their final form. One sentence of kind kUsage if one makes no sense, kDevice if
// the device is not there.
struct AnalysisSettings {
  SourceSpec source;
  std::vector<Polygon> roi;
  std::vector<Polygon> mask;
  bool scene = true;
  bool maps = false;
  PlainSignalChoice signals;
  std::optional<double> sensitivity;
  OptionList recorded;  // for the header
};
Result<AnalysisSettings> analysis_settings(const Settings& settings, const std::string& input);

}  // namespace longtake
