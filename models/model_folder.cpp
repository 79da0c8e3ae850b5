#include "models/model_folder.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <system_error>

#include "core/store/atomic_file.h"
#include "core/store/sha256.h"
#include "models/inner/inner_config.h"
#include "models/recall/familiarity_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t kMaxConfigBytes = 1u << 20;

Error model_error(const std::string& what) { return {ErrorKind::kModel, what}; }

Result<std::string> read_small(const fs::path& path) {
  std::error_code ec;
  const std::uintmax_t size = fs::file_size(path, ec);
  if (ec) return model_error(fmt::format("cannot read \"{}\": {}", path.string(), ec.message()));
  if (size > kMaxConfigBytes) {
    return model_error(fmt::format("cannot read \"{}\": {} bytes are too many for such a file", path.string(), size));
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return model_error(fmt::format("cannot read \"{}\"", path.string()));
  return std::move(text).str();
}

// Takes known members out of a JSON object and complains about the first thing that is wrong.
class Members {
 public:
  Members(const json& object, std::string where) : object_(object), where_(std::move(where)) {}

  void take(const char* key, int& value, int least, int most) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number_integer() || found->get<double>() < least || found->get<double>() > most) {
      return complain(fmt::format("\"{}\" must be a whole number from {} to {}", key, least, most));
    }
    value = found->get<int>();
  }
  void take(const char* key, bool& value) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) return complain(fmt::format("\"{}\" must be true or false", key));
    value = found->get<bool>();
  }
  void take(const char* key, double& value, double least, double most) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number() || !(found->get<double>() >= least && found->get<double>() <= most)) {
      return complain(fmt::format("\"{}\" must be a number from {} to {}", key, least, most));
    }
    value = found->get<double>();
  }
  void take(const char* key, std::string& value) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_string() || found->get<std::string>().size() > 200) {
      return complain(fmt::format("\"{}\" must be a short text", key));
    }
    value = found->get<std::string>();
  }
  void take(const char* key, std::vector<double>& value) {
    const json* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array() || found->empty() || found->size() > 16) {
      return complain(fmt::format("\"{}\" must be a list of 1 to 16 numbers", key));
    }
    value.clear();
    for (const json& item : *found) {
      if (!item.is_number() || !(item.get<double>() > 0 && item.get<double>() <= 1e6)) {
        return complain(fmt::format("\"{}\" must hold numbers above 0", key));
      }
      value.push_back(item.get<double>());
    }
  }
  void know(const char* key) { seen_[key] = true; }
  // A member that nobody took is a mistake: a setting that would be ignored.
  void end() {
    for (const auto& [key, value] : object_.items()) {
      if (!seen_.contains(key)) complain(fmt::format("\"{}\" is not known", key));
    }
  }
  const std::string& complaint() const { return complaint_; }

 private:
  const json* find(const char* key) {
    seen_[key] = true;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void complain(const std::string& what) {
    if (complaint_.empty()) complaint_ = where_ + what;
  }

  const json& object_;
  std::string where_;
  std::map<std::string, bool> seen_;
  std::string complaint_;
};

bool plain_file_name(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name.front() != '.';
}

std::vector<std::string> hashed_files(const ModelConfig& config) {
  std::vector<std::string> names = weight_files(config);
  names.emplace_back("config.json");
  std::sort(names.begin(), names.end());
  return names;
}

std::string as_bytes_hash(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

std::vector<std::string> inner_names() {
  return {"mlp",  "linear", "cnn",  "transformer", "linear-attention", "nadaraya-watson", "none",
          "gru", "lstm",   "rwkv", "gla",         "mamba",            "attention",       "attention-window"};
}

bool has_ttt_layers(const ModelConfig& config) {
  return (config.inner == "mlp" || config.inner == "linear") && !inner::takes_general_loop(config);
}

std::vector<std::string> weight_files(const ModelConfig& config) {
  std::vector<std::string> names{config.encoder_file, config.stack_file};
  if (config.recall) names.push_back(config.recall->file);
  if (config.shots_file) names.push_back(*config.shots_file);
  std::sort(names.begin(), names.end());
  return names;
}

std::string description(const ModelConfig& config) {
  const std::string kind = !has_ttt_layers(config) ? config.inner : config.inner == "mlp" ? "TTT-MLP" : "TTT-Linear";
  return fmt::format("{} layers of {}, {} heads x {}, {} tokens a frame, {}", config.layers, kind, config.heads,
                     config.channels / config.heads, config.tokens, config.trained ? "trained" : "not trained");
}

Result<ModelConfig> parse_model_config(const std::string& text, const std::string& name) {
  const auto wrong = [&](const std::string& what) {
    return model_error(fmt::format("cannot use \"{}\" as a model's config: {}", name, what));
  };
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return wrong("it is not a JSON object");

  ModelConfig config;
  int schema = 0;
  Members top(root, "");
  top.take("schema", schema, 1, 1);
  top.take("name", config.name);
  top.take("trained", config.trained);
  for (const char* part : {"encoder", "stack"}) {
    top.know(part);
    if (!root.contains(part) || !root[part].is_object()) return wrong(fmt::format("\"{}\" must be an object", part));
  }
  top.know("recall");
  top.know("shots");
  top.end();
  Members encoder(root["encoder"], "encoder: ");
  std::string type = "efficientnet-lite0";
  encoder.take("type", type);
  encoder.take("file", config.encoder_file);
  encoder.take("tokens", config.tokens, 16, 16);
  encoder.take("token_channels", config.token_channels, 320, 320);
  encoder.end();
  Members layers(root["stack"], "stack: ");
  layers.take("file", config.stack_file);
  layers.take("latent", config.latent, 1, 4096);
  layers.take("channels", config.channels, 1, 4096);
  layers.take("layers", config.layers, 1, 64);
  layers.take("heads", config.heads, 1, 256);
  layers.take("swiglu", config.swiglu, 1, 65536);
  layers.take("inner", config.inner);
  if (config.inner == "attention-window") layers.take("window_frames", config.window_frames, 2, 4096);
  layers.take("update", config.update);
  layers.take("decay", config.decay, 0, 1);
  layers.take("keep_row_norms", config.keep_row_norms);
  layers.take("causal", config.causal);
  layers.take("residual_gate", config.residual_gate);
  layers.take("base_rate", config.base_rate, 0, 1000);
  layers.take("optimiser", config.optimiser);
  layers.take("mini_batch", config.mini_batch);
  layers.take("running_means_s", config.running_means_s);
  layers.take("horizons_s", config.horizons_s);
  layers.end();

  for (const std::string& complaint : {top.complaint(), encoder.complaint(), layers.complaint()}) {
    if (!complaint.empty()) return wrong(complaint);
  }
  if (root.contains("recall")) {
    if (!root["recall"].is_object()) return wrong("\"recall\" must be an object");
    Members recall(root["recall"], "recall: ");
    RecallConfig& memory = config.recall.emplace();
    recall.take("file", memory.file);
    recall.take("rule", memory.rule);
    recall.take("keys", memory.keys, 1, 4096);
    recall.take("hidden", memory.hidden, 1, 4096);
    recall.take("features", memory.features, 1, 4096);
    if (memory.rule == "attention") recall.take("window", memory.window, 1, 4096);
    recall.end();
    if (!recall.complaint().empty()) return wrong(recall.complaint());
    const std::vector<std::string> rules = recall_rule_names();
    if (std::find(rules.begin(), rules.end(), memory.rule) == rules.end()) {
      return wrong(fmt::format("recall: \"rule\" must be one of {}", joined(rules)));
    }
  }
  if (root.contains("shots")) {
    if (!root["shots"].is_object()) return wrong("\"shots\" must be an object");
    Members shots(root["shots"], "shots: ");
    shots.take("file", config.shots_file.emplace("shots.safetensors"));
    shots.end();
    if (!shots.complaint().empty()) return wrong(shots.complaint());
  }
  if (schema != 1) return wrong("\"schema\" is missing");
  if (type != "efficientnet-lite0") return wrong(fmt::format("encoder: no type \"{}\" is known", type));
  const std::vector<std::string> inners = inner_names();
  if (std::find(inners.begin(), inners.end(), config.inner) == inners.end()) {
    return wrong(fmt::format("stack: \"inner\" must be one of {}", joined(inners)));
  }
  if (const std::string complaint = inner::complaint_about_inner(config); !complaint.empty()) {
    return wrong("stack: " + complaint);
  }
  if (config.update != "all" && config.update != "last") return wrong("stack: \"update\" must be all or last");
  if (config.update == "last" && config.inner == "linear") return wrong("stack: a linear inner model has one layer only");
  const bool as_without_ttt =
      config.update == "all" && config.decay == 0 && !config.keep_row_norms && !config.causal;
  if (!has_ttt_layers(config) && !as_without_ttt) {
    return wrong("stack: \"update\", \"decay\", \"keep_row_norms\" and \"causal\" are for TTT layers");
  }
  if (config.channels % config.heads != 0 || (config.channels / config.heads) % 2 != 0) {
    return wrong("stack: \"channels\" must be \"heads\" times an even number");
  }
  const std::vector<std::string> files = weight_files(config);
  if (!std::all_of(files.begin(), files.end(), plain_file_name)) {
    return wrong("a weight file must be a plain name in the same folder");
  }
  if (std::adjacent_find(files.begin(), files.end()) != files.end()) return wrong("two parts have one weight file");
  return config;
}

std::string to_json(const ModelConfig& config) {
  nlohmann::ordered_json root;
  root["schema"] = 1;
  root["name"] = config.name;
  root["trained"] = config.trained;
  root["encoder"]["type"] = "efficientnet-lite0";
  root["encoder"]["file"] = config.encoder_file;
  root["encoder"]["tokens"] = config.tokens;
  root["encoder"]["token_channels"] = config.token_channels;
  auto& stack = root["stack"];
  stack["file"] = config.stack_file;
  stack["latent"] = config.latent;
  stack["channels"] = config.channels;
  stack["layers"] = config.layers;
  stack["heads"] = config.heads;
  stack["swiglu"] = config.swiglu;
  stack["inner"] = config.inner;
  if (config.inner == "attention-window") stack["window_frames"] = config.window_frames;
  stack["update"] = config.update;
  stack["decay"] = config.decay;
  stack["keep_row_norms"] = config.keep_row_norms;
  stack["causal"] = config.causal;
  stack["residual_gate"] = config.residual_gate;
  stack["base_rate"] = config.base_rate;
  stack["optimiser"] = config.optimiser;
  stack["mini_batch"] = config.mini_batch;
  stack["running_means_s"] = config.running_means_s;
  stack["horizons_s"] = config.horizons_s;
  if (config.recall) {
    auto& recall = root["recall"];
    recall["file"] = config.recall->file;
    recall["rule"] = config.recall->rule;
    recall["keys"] = config.recall->keys;
    recall["hidden"] = config.recall->hidden;
    recall["features"] = config.recall->features;
    if (config.recall->rule == "attention") recall["window"] = config.recall->window;
  }
  if (config.shots_file) root["shots"]["file"] = *config.shots_file;
  return root.dump(2) + "\n";
}

Result<ModelFolder> open_model_folder(const fs::path& path) {
  auto config_text = read_small(path / "config.json");
  if (!config_text) return std::move(config_text).error();
  auto config = parse_model_config(*config_text, (path / "config.json").string());
  if (!config) return std::move(config).error();
  auto sums = read_small(path / "SHA256SUMS");
  if (!sums) return std::move(sums).error();

  std::map<std::string, std::string> expected;  // file name → hash
  std::istringstream lines(*sums);
  for (std::string hash, name; lines >> hash >> name;) expected[name] = hash;

  std::string listing;
  for (const std::string& name : hashed_files(*config)) {
    const fs::path file = path / name;
    if (!expected.contains(name)) {
      return model_error(fmt::format("cannot use model \"{}\": SHA256SUMS does not list {}", path.string(), name));
    }
    if (std::error_code ec; !fs::exists(file, ec)) {
      const bool fetched = name == config->encoder_file;
      return model_error(fmt::format("cannot use model \"{}\": {} is missing{}", path.string(), name,
                                     fetched ? " (assets/fetch_encoder.py fetches it)" : ""));
    }
    auto hash = sha256_file(file);
    if (!hash) return std::move(hash).error();
    if (*hash != expected[name]) {
      return model_error(fmt::format("cannot use model \"{}\": {} is damaged or was changed (its SHA-256 is not the "
                                     "one in SHA256SUMS)",
                                     path.string(), name));
    }
    listing += fmt::format("{}  {}\n", *hash, name);
  }
  const fs::path familiarity = familiarity_file(path);
  if (std::error_code ec; fs::exists(familiarity, ec)) {
    auto hash = sha256_file(familiarity);
    if (!hash) return std::move(hash).error();
    if (*hash != expected[familiarity.filename().string()]) {
      return model_error(fmt::format("cannot use model \"{}\": {} is damaged or was changed (its SHA-256 is not the one in "
                                     "SHA256SUMS)",
                                     path.string(), familiarity.filename().string()));
    }
  }
  return ModelFolder{path, std::move(*config), as_bytes_hash(listing)};
}

std::vector<fs::path> list_model_folders() {
  std::vector<fs::path> roots;
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  if (data != nullptr && *data != '\0') {
    roots.emplace_back(fs::path(data) / "longtake/models");
  } else if (home != nullptr) {
    roots.emplace_back(fs::path(home) / ".local/share/longtake/models");
  }
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) {
    roots.push_back(program.parent_path() / "../share/longtake/models");  // installed
    roots.push_back(program.parent_path() / "../../assets/models");       // build/PRESET/longtake in a source tree
  }
  roots.emplace_back(LONGTAKE_SOURCE_MODELS);

  std::vector<fs::path> folders;
  for (const fs::path& root : roots) {
    std::vector<fs::path> here;
    for (const auto& entry : fs::directory_iterator(root, ec)) {
      if (fs::exists(entry.path() / "config.json", ec)) here.push_back(fs::canonical(entry.path(), ec));
    }
    std::sort(here.begin(), here.end());
    for (fs::path& folder : here) {
      if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(std::move(folder));
    }
  }
  return folders;
}

Result<fs::path> default_model_folder() {
  for (const fs::path& folder : list_model_folders()) {
    if (folder.filename() == "default") return folder;
  }
  return model_error("cannot find a model called \"default\" (`longtake models list` shows where models are looked for)");
}

Result<void> write_model_sums(const fs::path& path, const ModelConfig& config) {
  std::string listing;
  for (const std::string& name : hashed_files(config)) {
    auto hash = sha256_file(path / name);
    if (!hash) return std::move(hash).error();
    listing += fmt::format("{}  {}\n", *hash, name);
  }
  const fs::path familiarity = familiarity_file(path);
  if (std::error_code ec; fs::exists(familiarity, ec)) {
    auto hash = sha256_file(familiarity);
    if (!hash) return std::move(hash).error();
    listing += fmt::format("{}  {}\n", *hash, familiarity.filename().string());
  }
  return write_file_atomically(path / "SHA256SUMS", std::as_bytes(std::span(listing)));
}

}  // namespace longtake
