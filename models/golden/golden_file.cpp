#include "models/golden/golden_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

namespace longtake {
namespace {

using Json = nlohmann::json;

// The video files name their projections otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kVideoNames{
    {{"wq.", "q_proj."}, {"wk.", "k_proj."}, {"wv.", "v_proj."}, {"wo.", "o_proj."}}};

int whole(const Json& config, const char* key, int least, int most) {
  const auto value = config.at(key).get<std::int64_t>();
  if (value < least || value > most) throw std::runtime_error(std::string("\"") + key + "\" is out of range");
  return static_cast<int>(value);
}

bool flag(const Json& config, const char* key) { return config.contains(key) && config.at(key).get<bool>(); }

double number(const Json& config, const char* key) {
  const double value = config.at(key).get<double>();
  if (!(value > 0 && value < 1e9)) throw std::runtime_error(std::string("\"") + key + "\" is out of range");
  return value;
}

TttLayerConfig layer_config(const Json& config, GoldenLevel level) {
  TttLayerConfig layer;
  const auto kind = config.at("ttt_layer_type").get<std::string>();
  if (kind != "mlp" && kind != "linear") throw std::runtime_error("its layer type is not known");
  layer.model = kind == "mlp" ? TttModel::kMlp : TttModel::kLinear;
  layer.width = whole(config, "hidden_size", 1, 1024);
  layer.heads = whole(config, "num_attention_heads", 1, 64);
  layer.mini_batch = whole(config, "mini_batch_size", 1, 1024);
  layer.base_rate = number(config, "ttt_base_lr");
  layer.rope_theta = number(config, "rope_theta");
  layer.form = TttForm::kCausal;
  if (level == GoldenLevel::kVideo) {
    layer.form = TttForm::kFrame;
    layer.target = TttTarget::kNormalised;
    layer.inner_eps = 1e-8;
    layer.unit_qk = true;
    layer.projection_bias = true;
  } else {
    layer.gate = flag(config, "use_gate");
    layer.share_qk = flag(config, "share_qk");
    layer.conv_width = whole(config, "conv_kernel", 1, 64);
  }
  layer.shape();  // throws if the numbers do not fit together
  return layer;
}

GoldenLevel level_of(const Json& config) {
  const auto level = config.at("level").get<std::string>();
  if (level == "core") return GoldenLevel::kCore;
  if (level == "layer") return GoldenLevel::kLayer;
  if (level == "model") return GoldenLevel::kModel;
  if (level == "video") return GoldenLevel::kVideo;
  if (level == "loss") return GoldenLevel::kLoss;
  throw std::runtime_error("its level \"" + level + "\" is not known");
}

void configure(GoldenFile& file, const Json& config) {
  file.level = level_of(config);
  if (file.level == GoldenLevel::kLoss) {
    file.cases = config.at("cases").get<std::vector<std::string>>();
    return;
  }
  file.block.layer = layer_config(config, file.level);
  file.batch = whole(config, "B", 1, 1024);
  file.length = whole(config, "L", 1, 1 << 16);
  const int f = file.block.layer.width / file.block.layer.heads;
  if (file.level == GoldenLevel::kCore) {
    if (file.length % file.block.layer.mini_batch != 0)
      throw std::runtime_error("its last mini-batch is not whole");
    return;
  }
  if (file.level == GoldenLevel::kVideo) {
    file.rope = grid_rope(whole(config, "text_length", 0, 1 << 16), whole(config, "frames", 1, 1024),
                          whole(config, "latent_height", 1, 256), whole(config, "latent_width", 1, 256), f,
                          file.block.layer.rope_theta);
    if (file.rope.period != file.length) throw std::runtime_error("its grid does not fit its length");
    return;
  }
  file.rope = mini_batch_rope(file.block.layer.mini_batch, f, file.block.layer.rope_theta);
  if (file.level == GoldenLevel::kModel) {
    file.layers = whole(config, "num_hidden_layers", 1, 64);
    file.block.inner_width = whole(config, "intermediate_size", 1, 8192);
    file.block.norm_eps = number(config, "rms_norm_eps");
    file.block.pre_conv = flag(config, "pre_conv");
    file.block.gated_residual = false;
  }
}

}  // namespace

const std::vector<double>& GoldenFile::values(std::string_view array,
                                              const std::vector<std::int64_t>& shape) const {
  const auto found = arrays.find(array);
  if (found == arrays.end()) throw std::runtime_error("it has no array \"" + std::string(array) + "\"");
  if (found->second.shape != shape)
    throw std::runtime_error("its array \"" + std::string(array) + "\" has another shape");
  return found->second.values;
}

double GoldenFile::rounding(std::string_view array) const {
  const auto found = arrays.find(array);
  if (found == arrays.end() || !found->second.is_single) return 0;
  double largest = 0;
  for (const double value : found->second.values) largest = std::max(largest, std::abs(value));
  return largest * std::numeric_limits<float>::epsilon() / 2;
}

template <class T>
TensorFile GoldenFile::parameters() const {
  TensorFile out;
  for (const auto& [key, array] : arrays) {
    if (!key.starts_with("param/")) continue;
    std::string parameter = key.substr(6);
    for (const auto& [theirs, ours] : kVideoNames) {
      if (level == GoldenLevel::kVideo && parameter.starts_with(theirs))
        parameter.replace(0, theirs.size(), ours);
    }
    const std::vector<T> numbers(array.values.begin(), array.values.end());
    out.tensors[parameter] = Tensor::of(numbers, array.shape);
  }
  return out;
}

std::string GoldenFile::name_in_file(std::string_view parameter) const {
  std::string out(parameter);
  for (const auto& [theirs, ours] : kVideoNames) {
    if (level == GoldenLevel::kVideo && out.starts_with(ours)) out.replace(0, ours.size(), theirs);
  }
  return out;
}

template TensorFile GoldenFile::parameters<float>() const;
template TensorFile GoldenFile::parameters<double>() const;

Result<GoldenFile> parse_golden(NpzFile arrays, std::string name) {
  GoldenFile file;
  file.name = std::move(name);
  file.arrays = std::move(arrays);
  try {
    const auto config = file.arrays.find("config");
    if (config == file.arrays.end()) throw std::runtime_error("it has no configuration");
    configure(file, Json::parse(config->second.text));
  } catch (const std::exception& failure) {
    return Error{ErrorKind::kInput, "cannot use \"" + file.name + "\": " + failure.what()};
  }
  return file;
}

Result<GoldenFile> read_golden(const std::filesystem::path& path) {
  auto arrays = read_npz(path);
  if (!arrays) return std::move(arrays).error();
  return parse_golden(std::move(*arrays), path.stem().string());
}

}  // namespace longtake
