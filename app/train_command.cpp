#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/version.h"
#include "core/store/atomic_file.h"
#include "core/store/sha256.h"
#include "models/model.h"
#include "models/net/stack_net.h"
#include "models/net/tensor_file.h"
#include "models/net/threads.h"
#include "models/train/stack_training.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

Error usage(std::string what) { return {ErrorKind::kUsage, std::move(what)}; }

// 90, 90s, 20m, 1.5h
Result<double> parse_duration(const std::string& text) {
  double unit = 1;
  std::string number = text;
  if (!number.empty()) {
    const char last = number.back();
    if (last == 'h') unit = 3600;
    if (last == 'm') unit = 60;
    if (last == 's' || last == 'm' || last == 'h') number.pop_back();
  }
  try {
    std::size_t read = 0;
    const double value = std::stod(number, &read);
    if (read == number.size() && value > 0 && std::isfinite(value)) return value * unit;
  } catch (const std::exception&) {
    // Told below.
  }
  return usage(fmt::format("\"{}\" is no length of time: 90s, 20m and 1.5h are", text));
}

// Files as they are; of folders everything in them that may be a video.
Result<std::vector<std::string>> videos_of(const std::vector<std::string>& inputs) {
  std::vector<std::string> out;
  std::error_code ec;
  for (const std::string& input : inputs) {
    if (!fs::is_directory(input, ec)) {
      if (!fs::is_regular_file(input, ec)) {
        return Error{ErrorKind::kInput, fmt::format("cannot open \"{}\": it is neither a file nor a folder", input)};
      }
      out.push_back(input);
      continue;
    }
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(input, fs::directory_options::skip_permission_denied, ec)) {
      if (entry.is_regular_file(ec)) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

struct Material {
  std::vector<Clip> clips;
  std::vector<std::string> names;
};

// Opens every video before the first one is encoded, so that a mistake is told at once.
Result<std::vector<std::string>> usable(const Context& context, const std::vector<std::string>& inputs) {
  auto videos = videos_of(inputs);
  if (!videos) return std::move(videos).error();
  std::vector<std::string> out;
  for (const std::string& video : *videos) {
    SourceSpec spec;
    spec.uri = video;
    if (auto source = open_source(spec, context.signals.token())) {
      out.push_back(video);
    } else if (source.error().kind == ErrorKind::kStopped ||
               std::find(inputs.begin(), inputs.end(), video) != inputs.end()) {
      return source.error();
    } else {
      context.log.debug("left out: {}", source.error().message);  // something else in a folder
    }
  }
  if (out.empty()) return Error{ErrorKind::kInput, "there is no video to train on"};
  return out;
}

Result<Material> gather(const Context& context, FeatureCache& cache, const std::vector<std::string>& videos) {
  Material out;
  for (const std::string& video : videos) {
    auto features = cache.get(video, context.signals.token());
    if (!features) return std::move(features).error();
    if ((*features)->frames() < 2) {
      context.log.warn("left out: \"{}\" has a single frame", video);
      continue;
    }
    out.clips.push_back(whole(*features));
    out.names.push_back(fs::path(video).filename().string());
  }
  return out;
}

std::string told(const Figures& figures) {
  std::string out;
  for (const auto& [name, value] : figures) out += fmt::format("  {} {:.3f}", name, value);
  return out;
}

// One JSON object a step, for curves.
class TrainingLog {
 public:
  static Result<TrainingLog> create(const fs::path& path) {
    TrainingLog log;
    if (path.empty()) return log;
    auto file = ResultFile::create(path);
    if (!file) return std::move(file).error();
    log.file_.emplace(std::move(*file));
    return log;
  }
  Result<void> write(const TrainerStep& step) {
    if (!file_) return {};
    nlohmann::ordered_json line;
    line["step"] = step.step;
    line["loss"] = step.loss;
    line["rate"] = step.rate;
    line["gradient"] = step.gradient;
    for (const auto& [name, value] : step.parts) line["parts"][name] = value;
    if (step.judged) {
      for (const auto& [name, value] : *step.judged) line["held_out"][name] = value;
    }
    return file_->write(line.dump() + "\n");
  }

 private:
  std::optional<ResultFile> file_;
};

Result<void> link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  if (fs::equivalent(from, to, ec)) return {};
  fs::remove(to, ec);
  fs::create_hard_link(from, to, ec);
  if (!ec) return {};
  ec.clear();
  fs::copy_file(from, to, ec);
  if (!ec) return {};
  return Error{ErrorKind::kUnexpected, fmt::format("cannot put \"{}\" into the model folder: {}", to.string(), ec.message())};
}

}  // namespace

int run_train_stack(const Context& context, const TrainSettings& train) {
  const Settings& settings = context.settings;
  std::optional<double> budget;
  if (!train.budget.empty()) {
    auto seconds = parse_duration(train.budget);
    if (!seconds) return context.fail(seconds.error());
    budget = *seconds;
  }
  if (settings.output == "-") return context.fail(usage("train needs -o DIR, the model folder to write"));
  const fs::path out = settings.output;
  std::error_code ec;
  fs::create_directories(out, ec);
  if (!fs::is_directory(out, ec)) {
    return context.fail({ErrorKind::kUnexpected, fmt::format("cannot make folder \"{}\"", out.string())});
  }

  auto base_path = train.init.empty() ? context.model_path() : Result<fs::path>(train.init);
  if (!base_path) return context.fail(base_path.error());
  auto base = open_model_folder(*base_path);
  if (!base) return context.fail(base.error());
  auto encoder = Encoder::load(base->encoder());
  if (!encoder) return context.fail(encoder.error());
  auto encoder_hash = sha256_file(base->encoder());
  if (!encoder_hash) return context.fail(encoder_hash.error());

  auto videos = usable(context, settings.inputs);
  if (!videos) return context.fail(videos.error());
  std::vector<std::string> judging;
  if (!train.validation.empty()) {
    auto found = usable(context, train.validation);
    if (!found) return context.fail(found.error());
    judging = std::move(*found);
  }
  auto log = TrainingLog::create(train.log);
  if (!log) return context.fail(log.error());

  FeatureCacheOptions options;
  options.folder = train.cache.empty() ? default_feature_folder() : train.cache;
  options.threads = settings.thread_count();
  FeatureCache cache(std::make_shared<Encoder>(std::move(*encoder)), *encoder_hash, options);
  auto material = gather(context, cache, *videos);
  if (!material) return context.fail(material.error());
  auto judged = gather(context, cache, judging);
  if (!judged) return context.fail(judged.error());
  Split split = judging.empty() ? hold_out(material->clips) : Split{material->clips, judged->clips};
  if (split.train.empty()) return context.fail({ErrorKind::kInput, "there is no video to train on"});

  use_threads(settings.thread_count());
  ModelConfig config = base->config;
  TensorFile start;
  if (train.init.empty()) {
    const TokenProjection projection = fit_projection(split.train, config.latent);
    start = fresh_stack(config, train.seed, std::vector<float>(static_cast<std::size_t>(config.token_channels)),
                        std::vector<float>(static_cast<std::size_t>(config.token_channels)));
    start.tensors["tokens.mean"] = stored(projection.mean, TensorType::kF32);
    start.tensors["tokens.scale"] = stored(projection.scale, TensorType::kF32);
    start.tensors["tokens.projection"] = stored(projection.projection, TensorType::kF32);
    context.log.info("{} of the tokens' variance is in {} directions", fmt::format("{:.1f} %", 100 * projection.kept),
                     config.latent);
  } else {
    auto given = read_tensors(base->stack());
    if (!given) return context.fail(given.error());
    start = std::move(*given);
  }
  auto net = StackNet::load(config, start);
  if (!net) return context.fail(net.error());

  StackTrainingOptions what;
  what.streams.seed = train.seed;
  StackTraining training(*net, split, what);
  TrainerOptions how;
  how.steps = train.steps;
  how.rate = train.rate;
  how.budget_s = budget;
  how.checkpoint = settings.checkpoint.empty() ? out / "training.checkpoint" : settings.checkpoint;
  how.checkpoint_every_s = settings.checkpoint_every_s;
  how.settings = fmt::format("stack steps {} rate {} seed {}", train.steps, train.rate, train.seed);
  const auto outcome = longtake::train(
      training, how,
      [&](const TrainerStep& step) {
        if (auto done = log->write(step); !done) context.log.warn("{}", done.error().message);
        if (step.judged) {
          context.log.info("step {}/{}  loss {:.4f}  held out{}  {:.0f} s", step.step, step.steps, step.loss,
                           told(*step.judged), step.seconds);
        }
      },
      context.signals.token());
  if (!outcome) return context.fail(outcome.error());

  config.name = fs::path(out / "").parent_path().filename().string();
  config.trained = true;
  if (auto done = link_or_copy(base->encoder(), out / config.encoder_file); !done) return context.fail(done.error());
  for (const auto& step : {write_tensors(out / config.stack_file, net->save(TensorType::kF16)),
                           write_file_atomically(out / "config.json", to_json(config)), write_model_sums(out, config)}) {
    if (!step) return context.fail(step.error());
  }
  context.log.info("{}: the parameters of step {} of {} ({}), held out{}", out.string(), outcome->best_step, outcome->steps,
                   outcome->ended, told(outcome->best));
  return kExitDone;
}

}  // namespace longtake
