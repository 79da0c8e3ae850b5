#include "models/eval/remember.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/eval/evaluated.h"
#include "models/eval/remember_protocol.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

bool has_inner_losses(const StackNet& net) {
  const at::NoGradGuard no_grad;
  const ModelConfig& config = net.config();
  return net.familiarity(at::zeros({1, 1, config.tokens, config.latent}), at::zeros({1, 1}), {}).defined();
}

Result<void> suits(const EvaluatedModel& model) {
  if (has_inner_losses(model.net)) return {};
  return Error{ErrorKind::kModel,
               fmt::format("model \"{}\" has no inner loss to tell by: its layers are \"{}\", no TTT layers",
                           model.folder.path.string(), model.folder.config.inner)};
}

// Each file once: it could not be told from itself.
std::vector<FiledClip> filed(const Evaluated& loaded, const Note& note) {
  std::vector<FiledClip> out;
  std::set<fs::path> files;
  for (std::size_t i = 0; i < loaded.clips.size(); ++i) {
    const std::string& video = loaded.clip_videos[i];
    std::error_code ec;
    const fs::path file = fs::canonical(video, ec);
    if (!ec && !files.insert(file).second) {
      note(fmt::format("left out: \"{}\" is there twice", video));
      continue;
    }
    out.push_back({video, loaded.clips[i]});
  }
  return out;
}

}  // namespace

Result<RememberFigures> evaluate_remember(const EvalRequest& request, const Note& note, std::stop_token stop) {
  const auto loaded = load_evaluated(request, suits, note, stop, /*degraded=*/true);
  if (!loaded) return loaded.error();
  const auto names = distinct_names(loaded->models, learner_name);
  std::vector<Watcher> watchers;
  for (std::size_t i = 0; i < names.size(); ++i) watchers.push_back({names[i], &loaded->models[i].net});
  RememberProtocol protocol;
  protocol.threads = request.threads;
  return run_remember_protocol(filed(*loaded, note), watchers, protocol, note, std::move(stop));
}

}  // namespace longtake
