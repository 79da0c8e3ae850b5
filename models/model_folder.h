// A model folder: config.json, the weight files it names, SHA256SUMS, MODEL_CARD.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/recall/recall_config.h"

namespace longtake {

// The shape of everything that has weights. Read from config.json; every number is checked against a bound before
// anything of its size is made.
struct ModelConfig {
  std::string name;
  bool trained = false;

  // Encoder: its last map as tokens, see models/encoder/encoder.h.
  int tokens = 16;          // a frame; also the inner mini-batch b
  int token_channels = 320;

  // Stack.
  int latent = 128;         // numbers a token after the fixed projection
  int channels = 128;       // C
  int layers = 2;
  int heads = 2;
  int swiglu = 336;         // inner width of the feed-forward
  std::string inner = "mlp";  // see inner_names()
  int window_frames = 32;     // attention-window: frames a token looks at, its own among them
  std::string update = "all";   // or "last": W1 and b1 of an MLP stay as they were learned
  double decay = 0;             // 0..1: how far each frame takes W back to its start
  bool keep_row_norms = false;  // rows of the last layer keep the length they had at the start
  bool causal = false;      // false: all queries of a frame read the state after that frame
  bool residual_gate = true;  // x + tanh(alpha) * TTT(x), alpha per channel
  double base_rate = 1.0;   // η_base of the inner loop
  std::string optimiser = "sgd";     // of the inner loop: see inner/inner_optimiser.h
  std::string mini_batch = "frame";  // what it takes a step for: or "token" or "stream", see inner/inner_mixer.h
  std::vector<double> running_means_s{0.3, 1, 10};
  std::vector<double> horizons_s{0.08, 0.4, 1};

  std::optional<RecallConfig> recall;     // none: the model has no recall memory
  std::optional<std::string> shots_file;  // none: it has no shot head

  std::string encoder_file = "encoder.safetensors";
  std::string stack_file = "stack.safetensors";
};

// What the layers of a stack may be: TTT layers, with inner models from mlp on to those of models/inner/inner_config.h,
// then their rivals, see models/baselines/rival_mixers.h.
std::vector<std::string> inner_names();
// TTT layers of kernels/ttt.h: mlp or linear that learn by sgd, frame by frame. Only they watch streams.
bool has_ttt_layers(const ModelConfig& config);

// In a line, for people.
std::string description(const ModelConfig& config);

Result<ModelConfig> parse_model_config(const std::string& json, const std::string& name_for_messages);
std::string to_json(const ModelConfig& config);

struct ModelFolder {
  std::filesystem::path path;
  ModelConfig config;
  std::string sha256;  // over the names and hashes of config and weights: what a memory belongs to

  std::string id() const { return sha256.substr(0, 12); }
  std::filesystem::path encoder() const { return path / config.encoder_file; }
  std::filesystem::path stack() const { return path / config.stack_file; }
  std::optional<std::filesystem::path> shots() const {
    return config.shots_file ? std::optional(path / *config.shots_file) : std::nullopt;
  }
  std::optional<std::filesystem::path> recall() const {
    return config.recall ? std::optional(path / config.recall->file) : std::nullopt;
  }
};

// Of all parts, by name.
std::vector<std::string> weight_files(const ModelConfig& config);

// Checks that each file has the hash that SHA256SUMS gives. Errors: kModel.
Result<ModelFolder> open_model_folder(const std::filesystem::path& path);

// Folders that hold a config.json: of the user ($XDG_DATA_HOME/longtake/models), installed, and in the source tree.
std::vector<std::filesystem::path> list_model_folders();
// The folder called "default" among them. Errors: kModel.
Result<std::filesystem::path> default_model_folder();

// Writes SHA256SUMS over config and weights as they stand.
Result<void> write_model_sums(const std::filesystem::path& path, const ModelConfig& config);

}  // namespace longtake
