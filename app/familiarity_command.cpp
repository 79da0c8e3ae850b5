#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/familiarity_report.h"
#include "app/machine.h"
#include "app/memory_asking.h"
#include "app/plot.h"
#include "app/progress.h"
#include "models/videos.h"

namespace longtake {

using Json = nlohmann::ordered_json;

void add_figures(const FamiliarityFigures& figures, Json& out) {
  out["auroc"] = figures.auroc;
  out["interval"] = {figures.interval.low, figures.interval.high};
  out["calibration_error"] = figures.calibration_error;
  out["seen"] = figures.seen;
  out["unseen"] = figures.unseen;
  out["decay"] = Json::array();
  for (const auto& age : figures.decay) {
    out["decay"].push_back(
        {{"age_s", age.age_s}, {"auroc", age.auroc}, {"familiarity", age.familiarity}, {"seen", age.seen}});
  }
}

void print_figures(const FamiliarityFigures& figures, const std::string& seen, const std::string& unseen) {
  fmt::print("{} {} against {} {}\n", figures.seen, seen, figures.unseen, unseen);
  fmt::print("  AUROC              {:.3f}  ({:.3f} to {:.3f})\n", figures.auroc, figures.interval.low,
             figures.interval.high);
  fmt::print("  calibration error  {:.3f}\n", figures.calibration_error);
  fmt::print("  seconds ago  AUROC  familiarity\n");
  for (const auto& age : figures.decay) fmt::print("  {:>11.1f}  {:.3f}  {:.3f}\n", age.age_s, age.auroc, age.familiarity);
}

Result<void> draw_figures(const FamiliarityFigures& figures, const std::filesystem::path& plot) {
  if (plot.empty()) return {};
  // Guessing is drawn as well: without it small differences fill the picture.
  Curve auroc{"AUROC", {}, {}}, familiarity{"mean familiarity", {}, {}}, guessing{"guessing", {}, {}};
  for (const auto& age : figures.decay) {
    for (Curve* curve : {&auroc, &familiarity, &guessing}) curve->x.push_back(age.age_s);
    auroc.y.push_back(age.auroc);
    familiarity.y.push_back(age.familiarity);
    guessing.y.push_back(0.5);
  }
  return write_plots(plot, std::vector<Plot>{{"What was seen, by age", "seconds watched since", "", false, false,
                                              {auroc, familiarity, guessing}}});
}

int run_eval_familiarity(const Context& context, const FamiliaritySettings& familiarity) {
  if (!familiarity.plot.empty()) {
    if (auto done = check_plot_file(familiarity.plot); !done) return context.fail(done.error());
  }
  auto asking = Asking::open(context);
  if (!asking) return context.fail(asking.error());
  auto frozen = (*asking)->freeze(familiarity.memory);
  if (!frozen) return context.fail(frozen.error());
  std::vector<FrozenMemory> memory;
  memory.push_back(std::move(*frozen));
  const auto note = [&](const std::string& sentence) { context.log.info("{}", sentence); };
  std::vector<AskedOnce> asked;
  Json clips = Json::array();
  for (const bool seen : {true, false}) {
    auto videos = videos_of(seen ? familiarity.seen : familiarity.unseen, note, context.signals.token());
    if (!videos) return context.fail(videos.error());
    for (const std::string& video : *videos) {
      const auto answers = (*asking)->ask(context.settings, memory, video, 1, context.signals.token());
      if (!answers) return context.fail(answers.error());
      const Answer& answer = answers->front();
      AskedOnce one{seen, answer.familiarity, answer.odds, 0};
      if (seen && !answer.nearest.empty()) {
        // As old as the landmark that it looks most like.
        const LandmarkState& landmarks = memory.front().landmarks();
        one.age_s = landmarks.watched_s - landmark(landmarks, answer.nearest.front().which).at;
      }
      asked.push_back(one);
      clips.push_back({{"clip", video}, {"seen", seen}, {"familiarity", answer.familiarity}});
    }
  }
  const auto figures = familiarity_figures(asked);
  if (!figures) return context.fail({ErrorKind::kInput, "it takes a clip that was seen and one that was not"});
  if (auto done = draw_figures(*figures, familiarity.plot); !done) return context.fail(done.error());
  if (context.settings.json) {
    Json out = headed("eval familiarity");
    add_figures(*figures, out);
    out["clips"] = clips;
    fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
    return kExitDone;
  }
  print_figures(*figures, "clips that were seen", "that were not");
  return kExitDone;
}

}  // namespace longtake
