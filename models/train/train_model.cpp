#include "models/train/train_model.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/atomic_file.h"
#include "core/store/sha256.h"
#include "models/fresh_weights.h"
#include "models/inner/inner_config.h"
#include "models/net/stack_net.h"
#include "models/net/tensor_file.h"
#include "models/recall/recall_net.h"
#include "models/memory_file.h"
#include "models/train/recall_training.h"
#include "models/train/shot_training.h"
#include "models/train/stack_training.h"
#include "models/train/trainer.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

// Makes the folder if it is not there, and a file in it that is gone again.
Result<void> check_writable(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (!fs::is_directory(folder, ec)) {
    return Error{ErrorKind::kUnexpected, fmt::format("cannot make folder \"{}\"", folder.string())};
  }
  const fs::path probe = folder / fmt::format(".writable-{}", ::getpid());
  auto done = write_file_atomically(probe, std::string_view());
  fs::remove(probe, ec);
  return done;
}

bool some_last(const std::vector<Clip>& clips) {
  return std::any_of(clips.begin(), clips.end(), [](const Clip& clip) { return clip.frames() > 1; });
}

// No link: who writes over a file of one model must not change another.
Result<void> copy_part(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  if (fs::equivalent(from, to, ec)) return {};
  const fs::path whole = to.string() + ".new";
  fs::copy_file(from, whole, fs::copy_options::overwrite_existing, ec);
  if (!ec) fs::rename(whole, to, ec);
  if (!ec) return {};
  return Error{ErrorKind::kUnexpected, fmt::format("cannot put \"{}\" into the model folder: {}", to.string(), ec.message())};
}

const char* part_name(TrainedPart part) {
  switch (part) {
    case TrainedPart::kStack: return "stack";
    case TrainedPart::kRecall: return "recall";
    case TrainedPart::kShots: return "shots";
  }
  return "";
}

// What a checkpoint has to agree with.
std::string settings_of(const TrainRequest& request, const std::string& model, const Split& split) {
  std::string text = fmt::format("{} {} {} steps {} rate {} seed {} inner {} {} {} layers {} rule {} {} {}",
                                 part_name(request.part), model, request.fresh,
                                 request.how.steps, request.how.rate, request.seed, request.inner.value_or(""),
                                 request.optimiser.value_or(""), request.mini_batch.value_or(""),
                                 request.layers.value_or(0), request.rule.value_or(""),
                                 request.keys.value_or(0), request.hidden.value_or(0));
  for (const auto* clips : {&split.train, &split.held_out}) {
    text += "\n";
    for (const Clip& clip : *clips) text += fmt::format("{} {} {}\n", clip.features->name(), clip.first, clip.end);
  }
  return sha256_hex(std::as_bytes(std::span(text)));
}

// The base's, with what is asked for instead.
ModelConfig wanted_config(const TrainRequest& request, ModelConfig config) {
  if (request.inner && *request.inner != config.inner) {
    config.inner = *request.inner;
    const ModelConfig usual;
    config.update = usual.update;
    config.decay = usual.decay;
    config.keep_row_norms = usual.keep_row_norms;
    config.causal = usual.causal;
    config.optimiser = usual.optimiser;
    config.mini_batch = usual.mini_batch;
  }
  if (request.optimiser) config.optimiser = *request.optimiser;
  if (request.mini_batch) config.mini_batch = *request.mini_batch;
  if (request.layers) config.layers = *request.layers;
  if (request.rule && (!config.recall || config.recall->rule != *request.rule)) {
    RecallConfig recall = recall_config_of(*request.rule);
    if (config.recall) recall.file = config.recall->file;
    config.recall = recall;
  }
  if ((request.keys || request.hidden) && !config.recall) config.recall.emplace();
  if (request.keys) config.recall->keys = *request.keys;
  if (request.hidden) config.recall->hidden = *request.hidden;
  return config;
}

// Films of some videos, kept in the cache, since they take longer to make than to learn from.
Result<std::vector<ShotStream>> films_of(const Encoder& encoder, const std::vector<std::string>& videos,
                                         const ShotStreamOptions& options, const std::string& encoder_sha256,
                                         const FeatureCacheOptions& cache, const TrainObserver& observer, std::stop_token stop) {
  std::string key = fmt::format("{} films {} seconds {} seed {}\n", encoder_sha256, options.films, options.seconds, options.seed);
  for (const std::string& video : videos) key += source_key(video) + "\n";
  const fs::path file = cache.folder / (sha256_hex(std::as_bytes(std::span(key))).substr(0, 32) + kFilmsSuffix);
  std::error_code ec;
  if (fs::exists(file, ec)) {
    fs::last_write_time(file, fs::file_time_type::clock::now(), ec);  // used now
    if (auto there = read_tensors(file)) {
      if (auto films = load_streams(*there)) return films;
    }
  }
  int told = 0;
  auto films = make_shot_streams(encoder, videos, options, stop, [&](int done, int of) {
    // A line for every tenth.
    if (done * 10 / of > told) observer.note(fmt::format("{} of {} films made", done, of));
    told = done * 10 / of;
  });
  if (!films) return films;
  if (auto done = write_tensors(file, stored_streams(*films)); !done) return std::move(done).error();
  make_room(cache.folder, cache.limit_bytes, file);
  return films;
}

class Writer {
 public:
  Writer(const ModelFolder& base, const fs::path& output) : base_(base), output_(output) {}

  // A complete folder: what was trained, and everything else from the base.
  Result<void> write(ModelConfig config, const std::string& trained_file, const TensorFile& trained) const {
    config.name = fs::path(output_ / "").parent_path().filename().string();
    for (const std::string& name : weight_files(base_.config)) {
      if (name == trained_file) continue;
      if (auto done = copy_part(base_.path / name, output_ / name); !done) return done;
    }
    if (auto done = write_tensors(output_ / trained_file, trained); !done) return done;
    if (auto done = write_file_atomically(output_ / "config.json", to_json(config)); !done) return done;
    return write_model_sums(output_, config);
  }

 private:
  const ModelFolder& base_;
  const fs::path& output_;
};

Result<TrainerOutcome> train_shots(const TrainRequest& request, const TrainObserver& observer, const ModelFolder& base,
                                   ModelConfig config, const Encoder& encoder, const std::string& encoder_sha256,
                                   const std::vector<std::string>& videos, const std::vector<std::string>& judged_by,
                                   std::stop_token stop) {
  prepare_for_training();
  ShotStreamOptions options;
  options.films = request.films.value_or(options.films);
  options.seed = request.seed;
  options.threads = request.threads;
  if (auto done = check_writable(request.cache.folder); !done) return std::move(done).error();
  observer.note("making films to train on");
  auto train_on = films_of(encoder, videos, options, encoder_sha256, request.cache, observer, stop);
  if (!train_on) return std::move(train_on).error();
  // Without videos of their own, other films of the same ones: better than none.
  ShotStreamOptions judging = options;
  judging.films = options.films / 4;
  judging.seed = options.seed ^ 0x6a75646765000000ULL;
  observer.note("making films to judge by");
  auto judge_by = films_of(encoder, judged_by.empty() ? videos : judged_by, judging, encoder_sha256, request.cache, observer, stop);
  if (!judge_by) return std::move(judge_by).error();
  ShotTrainingOptions what;
  what.seed = request.seed;
  const auto long_enough = [&](const ShotStream& film) { return film.slots() >= what.window; };
  if (std::none_of(train_on->begin(), train_on->end(), long_enough)) {
    return Error{ErrorKind::kInput, "there is too little video to make films of"};
  }

  TrainerOptions how = request.how;
  how.threads = request.threads;
  how.settings = settings_of(request, base.sha256, {}) + fmt::format(" {} films", options.films);
  for (const auto* named : {&videos, &judged_by}) {
    for (const std::string& video : *named) how.settings += " " + source_key(video);
  }
  ShotTraining training(std::move(*train_on), std::move(*judge_by), what);
  auto outcome = train(training, how, observer.step, stop);
  if (!outcome) return outcome;
  config.shots_file = config.shots_file.value_or("shots.safetensors");
  if (auto done = Writer(base, request.output).write(config, *config.shots_file, training.weights()); !done) {
    return std::move(done).error();
  }
  std::error_code ec;
  fs::remove(how.checkpoint, ec);
  return outcome;
}

}  // namespace

Result<TrainerOutcome> train_model(const TrainRequest& request, const TrainObserver& observer, std::stop_token stop) {
  if (!request.fresh &&
      (request.inner || request.optimiser || request.mini_batch || request.layers || request.rule || request.keys || request.hidden)) {
    return Error{ErrorKind::kUsage, "layers or a memory of another kind or size begin with fresh weights"};
  }
  auto base = open_model_folder(request.base);
  if (!base) return std::move(base).error();
  ModelConfig config = wanted_config(request, base->config);
  if (const std::string complaint = inner::complaint_about_inner(config); !complaint.empty()) {
    return Error{ErrorKind::kUsage, "cannot train such layers: " + complaint};
  }
  auto stack_file = read_tensors(base->stack());
  if (!stack_file) return std::move(stack_file).error();
  auto encoder = Encoder::load(base->encoder());
  if (!encoder) return std::move(encoder).error();
  auto encoder_hash = sha256_file(base->encoder());
  if (!encoder_hash) return std::move(encoder_hash).error();
  auto videos = videos_of(request.videos, observer.note, stop);
  if (!videos) return std::move(videos).error();
  auto judged_by = videos_of(request.validation, observer.note, stop);
  if (!judged_by) return std::move(judged_by).error();
  if (videos->empty()) return Error{ErrorKind::kInput, "there is no video to train on"};
  if (judged_by->empty() && !request.validation.empty()) return Error{ErrorKind::kInput, "there is no video to judge by"};
  if (auto done = check_writable(request.output); !done) return std::move(done).error();
  if (!request.how.checkpoint.empty()) {
    if (auto done = check_writable(fs::absolute(request.how.checkpoint).parent_path()); !done) return std::move(done).error();
    remove_unfinished(request.how.checkpoint);
  }
  for (const char* name : {"config.json", "SHA256SUMS"}) remove_unfinished(request.output / name);
  for (const std::string& name : weight_files(config)) remove_unfinished(request.output / name);

  if (request.part == TrainedPart::kShots) {
    return train_shots(request, observer, *base, config, *encoder, *encoder_hash, *videos, *judged_by, stop);
  }
  const auto shared_encoder = std::make_shared<Encoder>(std::move(*encoder));
  FeatureCache cache(shared_encoder, *encoder_hash, request.cache);
  FeatureCacheOptions changed = request.cache;
  changed.view = FrameView::kDegraded;
  FeatureCache degraded(shared_encoder, *encoder_hash, changed);
  FeatureCache* const also = request.part == TrainedPart::kStack ? &degraded : nullptr;
  auto clips = clips_of(cache, also, *videos, observer.note, stop);
  if (!clips) return std::move(clips).error();
  auto judges = clips_of(cache, also, *judged_by, observer.note, stop);
  if (!judges) return std::move(judges).error();
  const Split split = request.validation.empty() ? hold_out(*clips) : Split{*clips, *judges};
  if (!some_last(split.train)) return Error{ErrorKind::kInput, "there is no video to train on that has more than one frame"};
  if (!some_last(split.held_out)) {
    return Error{ErrorKind::kInput, "there is too little video to hold some of it out; give more, or name videos to judge by "
                                    "with --val"};
  }
  observer.note(fmt::format("{} clips to train on, {} to judge by", split.train.size(), split.held_out.size()));

  prepare_for_training();
  TrainerOptions how = request.how;
  how.threads = request.threads;
  how.settings = settings_of(request, base->sha256, split);
  const auto keep = [&](const std::string& trained_file, const TensorFile& trained) -> Result<void> {
    if (auto done = Writer(*base, request.output).write(config, trained_file, trained); !done) return done;
    // Only now is there nothing left to lose.
    std::error_code ec;
    fs::remove(how.checkpoint, ec);
    return {};
  };

  if (request.part == TrainedPart::kStack) {
    if (request.fresh) {
      const TokenProjection projection = fit_projection(split.train, config.latent);
      observer.note(fmt::format("{} directions hold {:.1f} % of the tokens' variance", config.latent, 100 * projection.kept));
      const std::vector<float> unused(static_cast<std::size_t>(config.token_channels));
      *stack_file = fresh_stack(config, request.seed, unused, unused);
      stack_file->tensors["tokens.mean"] = stored(projection.mean, TensorType::kF16);
      stack_file->tensors["tokens.scale"] = stored(projection.scale, TensorType::kF16);
      stack_file->tensors["tokens.projection"] = stored(projection.projection, TensorType::kF16);
    }
    auto net = StackNet::load(config, *stack_file);
    if (!net) return std::move(net).error();
    StackTrainingOptions what;
    what.streams.seed = request.seed;
    what.fit_means = request.fresh;
    StackTraining training(*net, split, what);
    auto outcome = train(training, how, observer.step, stop);
    if (!outcome) return outcome;
    config.trained = true;
    if (auto done = keep(config.stack_file, net->save(TensorType::kF16)); !done) return std::move(done).error();
    return outcome;
  }

  auto stack = StackNet::load(config, *stack_file);
  if (!stack) return std::move(stack).error();
  const LatentsOf latents = [&stack](const Features& features, std::span<const std::int64_t> frames) {
    return stack->latents(frame_tokens(features, frames));
  };
  TensorFile start;
  if (request.fresh || !config.recall) {
    if (!config.recall) config.recall.emplace();
    start = fresh_recall(*config.recall, config.latent, request.seed);
  } else {
    auto given = read_tensors(base->path / config.recall->file);
    if (!given) return std::move(given).error();
    start = std::move(*given);
  }
  auto net = RecallNet::load(*config.recall, config.latent, start);
  if (!net) return std::move(net).error();
  RecallTrainingOptions what;
  what.streams.seed = request.seed;
  RecallTraining training(*net, latents, split, what);
  auto outcome = train(training, how, observer.step, stop);
  if (!outcome) return outcome;
  if (auto done = keep(config.recall->file, net->save(TensorType::kF16)); !done) return std::move(done).error();
  return outcome;
}

}  // namespace longtake
