#include "app/memory_asking.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/video_latents.h"

namespace longtake {
namespace {

constexpr char kFrameRate[] = "5";  // enough to know a second by, and quick

}  // namespace

Result<std::unique_ptr<Asking>> Asking::open(const Context& context) {
  auto path = context.model_path();
  if (!path) return std::move(path).error();
  auto model = Model::load(*path);
  if (!model) return std::move(model).error();
  return with(context, std::move(*model));
}

Result<std::unique_ptr<Asking>> Asking::with(const Context& context, std::shared_ptr<const Model> model) {
  if (model->recall() == nullptr) {
    return Error{ErrorKind::kModel, fmt::format("cannot ask memories of model \"{}\": it has no recall memory",
                                                model->folder().path.string())};
  }
  auto scale = load_familiarity(model->folder());
  if (!scale) return std::move(scale).error();
  if (!scale->fitted) {
    context.log.warn("familiarity is not calibrated for this model: it ranks, but 0.8 does not mean 80 % (train familiarity "
                     "calibrates it)");
  }
  return std::unique_ptr<Asking>(new Asking(std::move(model), std::move(*scale)));
}

Result<FrozenMemory> Asking::freeze(const std::string& path) const {
  auto memory = read_memory(path);
  if (!memory) return std::move(memory).error();
  return freeze(*memory, path);
}

Result<FrozenMemory> Asking::freeze(const MemoryFile& memory, const std::string& path) const {
  if (auto fits = require_model(memory, path, model_->folder().sha256); !fits) return std::move(fits).error();
  return FrozenMemory::load(*model_->recall(), scale_, memory.state);
}

Result<std::vector<Answer>> Asking::ask(const Settings& asked, std::span<FrozenMemory> memories, const std::string& input,
                                        std::size_t most_landmarks, std::stop_token stop) const {
  Settings settings = asked;
  if (settings.fps == "all") settings.fps = kFrameRate;
  auto analysis = analysis_settings(settings, input);
  if (!analysis) return std::move(analysis).error();
  std::vector<Question> questions(memories.begin(), memories.end());
  const auto take = [&](const FrameTime& time, std::span<const float> latents) {
    for (Question& question : questions) question.add(time.t, latents);
  };
  AnalyzerOptions options;
  options.roi = analysis->roi;
  options.mask = analysis->mask;
  auto frames = video_latents(model_, options, analysis->source, take, std::move(stop));
  if (!frames) return std::move(frames).error();
  if (*frames == 0) {
    return Error{ErrorKind::kInput, fmt::format("cannot ask about \"{}\": no frame lies between --from and --to", input)};
  }
  std::vector<Answer> out;
  for (Question& question : questions) out.push_back(question.answer(most_landmarks));
  return out;
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::floor(seconds));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  const std::string rest = fmt::format("{:02}:{:02}", minutes, whole % 60);
  return hours > 0 ? fmt::format("{}:{}", hours, rest) : rest;
}

}  // namespace longtake
