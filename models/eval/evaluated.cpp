#include "models/eval/evaluated.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/store/sha256.h"
#include "models/train/trainer.h"
#include "models/videos.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

std::string folder_name(const fs::path& path) { return (path / "").parent_path().filename().string(); }

bool same_latents(const StackNet& a, const StackNet& b) {
  return std::all_of(a.fixed().begin(), a.fixed().end(),
                     [&](const auto& part) { return at::equal(part.second, b.fixed().at(part.first)); });
}

}  // namespace

Result<std::vector<EvaluatedModel>> load_models(const std::vector<fs::path>& folders, const Suits& suits) {
  std::vector<EvaluatedModel> out;
  for (const auto& path : folders) {
    auto folder = open_model_folder(path);
    if (!folder) return std::move(folder).error();
    auto file = read_tensors(folder->stack());
    if (!file) return std::move(file).error();
    auto net = StackNet::load(folder->config, *file);
    if (!net) return std::move(net).error();
    out.push_back({std::move(*folder), std::move(*net)});
    if (auto done = suits(out.back()); !done) return std::move(done).error();
  }
  return out;
}

Result<Evaluated> load_evaluated(const EvalRequest& request, const Suits& suits, const Note& note, std::stop_token stop,
                                 bool degraded) {
  prepare_for_training();
  auto models = load_models(request.models, suits);
  if (!models) return std::move(models).error();
  for (const EvaluatedModel& model : *models) {
    if (!same_latents(models->front().net, model.net)) {
      return Error{
          ErrorKind::kModel,
          fmt::format("model \"{}\" projects tokens another way than \"{}\", so their errors cannot be compared: "
                      "train the one from the other with --init",
                      model.folder.path.string(), request.models.front().string())};
    }
  }
  const fs::path encoder_file = models->front().folder.encoder();
  auto encoder = Encoder::load(encoder_file);
  if (!encoder) return std::move(encoder).error();
  auto encoder_hash = sha256_file(encoder_file);
  if (!encoder_hash) return std::move(encoder_hash).error();
  auto videos = videos_of(request.videos, note, stop);
  if (!videos) return std::move(videos).error();
  const auto shared_encoder = std::make_shared<const Encoder>(std::move(*encoder));
  FeatureCacheOptions changed = request.cache;
  changed.view = FrameView::kDegraded;
  FeatureCache cache(shared_encoder, *encoder_hash, request.cache);
  FeatureCache degraded_cache(shared_encoder, *encoder_hash, changed);
  Evaluated out{std::move(*models), std::move(*videos), {}, {}};
  for (const std::string& video : out.videos) {
    auto clips = clips_of(cache, degraded ? &degraded_cache : nullptr, {video}, note, stop);
    if (!clips) return std::move(clips).error();
    for (Clip& clip : *clips) {
      out.clips.push_back(std::move(clip));
      out.clip_videos.push_back(video);
    }
  }
  if (out.clips.empty()) return Error{ErrorKind::kInput, "there is no video to evaluate on"};
  return out;
}

std::string learner_name(const ModelConfig& config) {
  return config.inner == "mlp" || config.inner == "linear" ? "ttt_" + config.inner : config.inner;
}

std::vector<std::string> distinct_names(const std::vector<EvaluatedModel>& models,
                                        std::string (*name)(const ModelConfig& config)) {
  std::vector<std::string> out;
  for (const EvaluatedModel& model : models) {
    const std::string own = name(model.folder.config);
    const auto alike = std::count_if(models.begin(), models.end(),
                                     [&](const EvaluatedModel& other) { return name(other.folder.config) == own; });
    out.push_back(alike > 1 ? fmt::format("{}:{}", own, folder_name(model.folder.path)) : own);
  }
  return out;
}

}  // namespace longtake
