#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/memory_asking.h"
#include "models/videos.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNearest = 3;  // landmarks told

double rounded(double number) { return std::round(number * 1e4) / 1e4; }

Json to_json(const FrozenMemory& memory, const Answer& answer) {
  Json out;
  out["familiarity"] = rounded(answer.familiarity);
  out["confidence"] = rounded(answer.confidence);
  out["percentile"] = std::isfinite(answer.percentile) ? Json(rounded(answer.percentile)) : Json(nullptr);
  out["nearest"] = Json::array();
  for (const NearLandmark& near : answer.nearest) {
    const Landmark one = landmark(memory.landmarks(), near.which);
    out["nearest"].push_back({{"t", one.t}, {"pts", one.pts}, {"source", one.source}, {"score", rounded(near.score)}});
  }
  return out;
}

std::string in_words(const FrozenMemory& memory, const Answer& answer) {
  std::string out = "not seen";
  if (answer.seen_seconds > 0 && !answer.nearest.empty()) {
    const Landmark one = landmark(memory.landmarks(), answer.nearest.front().which);
    out = fmt::format("seen at about {} of \"{}\"", clock_time(one.t), one.source);
    if (answer.familiarity < 0.5) {
      out = fmt::format("not seen, but for {} of {} seconds between {} and {} of it: {}", answer.seen_seconds,
                        answer.seconds, clock_time(answer.seen_from), clock_time(answer.seen_to), out);
    }
  }
  out += fmt::format(" (familiarity {:.2f}", answer.familiarity);
  if (std::isfinite(answer.percentile)) out += fmt::format(", more than {:.0f} % of other videos", answer.percentile);
  return out + ")";
}

}  // namespace

int run_memory_query(const Context& context, const QuerySettings& query) {
  auto asking = Asking::open(context);
  if (!asking) return context.fail(asking.error());
  const std::vector<std::string>& paths = context.settings.inputs;
  std::vector<FrozenMemory> memories;
  for (const std::string& path : paths) {
    auto memory = (*asking)->freeze(path);
    if (!memory) return context.fail(memory.error());
    memories.push_back(std::move(*memory));
  }
  std::vector<std::string> inputs{query.clip + query.image + query.video};
  const bool many = !query.folder.empty();
  if (many) {
    auto videos = videos_of({query.folder}, [&](const std::string& note) { context.log.info("{}", note); },
                            context.signals.token());
    if (!videos) return context.fail(videos.error());
    inputs = std::move(*videos);
  }

  int code = kExitDone;
  Json all = Json::array();
  for (const std::string& input : inputs) {
    const auto answers = (*asking)->ask(context.settings, memories, input, kNearest, context.signals.token());
    if (!answers) {
      code = context.fail(answers.error());
      if (!many || answers.error().kind == ErrorKind::kStopped) return code;
      code = kExitSomeInputsFailed;
      continue;
    }
    std::vector<std::size_t> order(memories.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return (*answers)[i].odds; });
    for (const std::size_t i : order) {
      if (context.settings.json) {
        Json one;
        if (many) one["file"] = input;
        if (memories.size() > 1) one["memory"] = paths[i];
        one.update(to_json(memories[i], (*answers)[i]));
        all.push_back(std::move(one));
        continue;
      }
      std::string line;
      if (many) line += input + ": ";
      if (memories.size() > 1) line += paths[i] + ": ";
      fmt::print("{}{}\n", line, in_words(memories[i], (*answers)[i]));
    }
  }
  if (context.settings.json) {
    const bool single = !many && memories.size() == 1;
    fmt::print("{}\n", (single ? all.front() : all).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return code;
}

}  // namespace longtake
