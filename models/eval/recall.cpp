#include "models/eval/recall.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <span>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/baselines/frame_memories.h"
#include "models/eval/evaluated.h"
#include "models/eval/recall_protocol.h"
#include "models/recall/recall_net.h"

namespace longtake {
namespace {

std::string rule_name(const ModelConfig& config) { return config.recall->rule; }

Result<void> suits(const EvaluatedModel& model) {
  if (model.folder.config.recall) return {};
  return Error{ErrorKind::kModel, fmt::format("model \"{}\" has no recall memory; longtake train recall makes one",
                                              model.folder.path.string())};
}

// Answers from its start state for ever.
class Unwritten final : public FrameMemory {
 public:
  explicit Unwritten(std::unique_ptr<FrameMemory> memory) : memory_(std::move(memory)) {}
  at::Tensor read(const at::Tensor& x) const override { return memory_->read(x); }
  void write(const at::Tensor&) override {}
  std::size_t state_bytes() const override { return 0; }
  std::unique_ptr<FrameMemory> copy() const override { return std::make_unique<Unwritten>(memory_->copy()); }

 private:
  std::unique_ptr<FrameMemory> memory_;
};

const std::vector<std::string> kRivals{"slots32",     "slots32_merge", "slots32_abstain", "knn", "running_mean",
                                       "persistence", "none"};

// slots32, slots64_merge, …; null: it is no such name.
std::unique_ptr<FrameMemory> slots_of(const std::string& name) {
  const std::string kSlots = "slots";
  if (!name.starts_with(kSlots)) return nullptr;
  FrameMemoryOptions options;
  const char* const end = name.data() + name.size();
  const auto [after, error] = std::from_chars(name.data() + kSlots.size(), end, options.slots);
  const std::string kind(after, end);
  const bool known = kind.empty() || kind == "_lru" || kind == "_merge" || kind == "_abstain";
  if (error != std::errc() || !known || options.slots < 2 || options.slots > 4096) return nullptr;
  return make_frame_memory("slots-" + (kind.empty() ? "lru" : kind.substr(1)), options);
}

// Null: there is no such rival. `learned`: the first of the trained memories.
std::unique_ptr<FrameMemory> rival_of(const std::string& name, const FrameMemory& learned) {
  if (name == "none") return std::make_unique<Unwritten>(learned.copy());
  if (name == "running_mean") return make_frame_memory("running-mean");
  if (name == "persistence" || name == "knn") return make_frame_memory(name);
  return slots_of(name);
}

}  // namespace

Result<RecallCurves> evaluate_recall(const RecallRequest& request, const Note& note, std::stop_token stop) {
  auto loaded = load_evaluated(request.eval, suits, note, stop);
  if (!loaded) return std::move(loaded).error();
  const auto& models = loaded->models;
  const auto names = distinct_names(models, rule_name);
  std::vector<Contestant> contestants;
  for (std::size_t i = 0; i < models.size(); ++i) {
    const ModelConfig& config = models[i].folder.config;
    auto file = read_tensors(models[i].folder.path / config.recall->file);
    if (!file) return std::move(file).error();
    auto net = RecallNet::load(*config.recall, config.latent, *file);
    if (!net) return std::move(net).error();
    contestants.push_back({names[i], recall_frame_memory(std::make_shared<const RecallNet>(std::move(*net)))});
  }
  for (const std::string& name : request.rivals.empty() ? kRivals : request.rivals) {
    const bool there =
        std::any_of(contestants.begin(), contestants.end(), [&](const Contestant& one) { return one.name == name; });
    if (there) continue;
    auto memory = rival_of(name, *contestants.front().fresh);
    if (!memory) {
      return Error{ErrorKind::kUsage,
                   fmt::format("there is no memory called \"{}\": {} are there, with any number of slots", name,
                               fmt::join(kRivals, ", "))};
    }
    contestants.push_back({name, std::move(memory)});
  }
  const StackNet& projecting = models.front().net;
  const LatentsOf latents = [&projecting](const Features& features, std::span<const std::int64_t> frames) {
    return projecting.latents(frame_tokens(features, frames));
  };
  const auto places = places_of(loaded->clips, request.views, latents, note);
  RecallProtocol protocol;
  protocol.threads = request.eval.threads;
  return run_recall_protocol(places, contestants, protocol, note, std::move(stop));
}

}  // namespace longtake
