// Figures of familiarity for people and for machines.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>

#include "core/result.h"
#include "models/eval/familiarity.h"

namespace longtake {

// "auroc", "interval", "calibration_error", "seen", "unseen", "decay".
void add_figures(const FamiliarityFigures& figures, nlohmann::ordered_json& out);
// `seen` and `unseen` say what was asked about.
void print_figures(const FamiliarityFigures& figures, const std::string& seen, const std::string& unseen);
// The decay, as curves. An empty name draws nothing. Errors: those of write_plots().
Result<void> draw_figures(const FamiliarityFigures& figures, const std::filesystem::path& plot);

}  // namespace longtake
