#include "models/inner/inner_config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace longtake::inner {
namespace {

constexpr std::array<std::string_view, 4> kInner{"linear-attention", "nadaraya-watson", "cnn", "transformer"};

template <class Names>
bool among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> optimiser_names() { return {"sgd", "momentum", "adam", "muon", "rls"}; }
std::vector<std::string> mini_batch_names() { return {"frame", "token", "stream"}; }

bool inner_known(std::string_view name) { return among(kInner, name); }

bool takes_general_loop(const ModelConfig& config) {
  const bool in_kernels = config.inner == "mlp" || config.inner == "linear";
  return inner_known(config.inner) || (in_kernels && (config.optimiser != "sgd" || config.mini_batch != "frame"));
}

std::string complaint_about_inner(const ModelConfig& config) {
  if (!among(optimiser_names(), config.optimiser)) return R"("optimiser" must be sgd, momentum, adam, muon or rls)";
  if (!among(mini_batch_names(), config.mini_batch)) return R"("mini_batch" must be frame, token or stream)";
  const bool sees_frames = config.inner == "cnn" || config.inner == "transformer";
  const bool has_choice = sees_frames || config.inner == "mlp" || config.inner == "linear";
  if (!has_choice && (config.optimiser != "sgd" || config.mini_batch != "frame")) {
    return fmt::format(R"("inner": "{}" has no "optimiser" and no "mini_batch" to choose)", config.inner);
  }
  if (sees_frames && config.mini_batch == "token") {
    return fmt::format(R"("inner": "{}" sees whole frames, so "mini_batch" cannot be token)", config.inner);
  }
  if (config.optimiser == "rls" && config.base_rate <= 0) return R"("base_rate" must be above 0 with rls)";
  if (takes_general_loop(config) &&
      (config.update != "all" || config.decay != 0 || config.keep_row_norms || config.causal)) {
    return R"("update", "decay", "keep_row_norms" and "causal" need mlp or linear with sgd, frame by frame)";
  }
  return {};
}

}  // namespace longtake::inner
