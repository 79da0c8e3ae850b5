#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/familiarity_report.h"
#include "app/machine.h"
#include "app/memory_asking.h"
#include "app/plot.h"
#include "models/eval/familiarity.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const Acquaintance& known) {
  return {{"landmarks", known.landmarks}, {"known", known.known}, {"familiarity", number(known.familiarity)}};
}

void print_acquaintance(const std::string& knower, const std::string& other, const Acquaintance& known) {
  fmt::print("  {} knows {} of {} landmarks of {} (mean familiarity {:.2f})\n", knower, known.known, known.landmarks, other,
             known.familiarity);
}

}  // namespace

int run_memory_compare(const Context& context) {
  auto asking = Asking::open(context);
  if (!asking) return context.fail(asking.error());
  const std::string &path_a = context.settings.inputs.at(0), &path_b = context.settings.inputs.at(1);
  auto a = (*asking)->freeze(path_a);
  if (!a) return context.fail(a.error());
  auto b = (*asking)->freeze(path_b);
  if (!b) return context.fail(b.error());
  const Acquaintance of_b = acquaintance(*a, b->landmarks()), of_a = acquaintance(*b, a->landmarks());
  const double apart = learned_distance(*(*asking)->model()->recall(), a->state(), b->state());
  if (context.settings.json) {
    const Json out{{"a", path_a}, {"b", path_b}, {"a_knows_b", to_json(of_b)}, {"b_knows_a", to_json(of_a)},
                   {"distance", number(apart)}};
    fmt::print("{}\n", out.dump(-1, ' ', false, Json::error_handler_t::replace));
    return kExitDone;
  }
  print_acquaintance(path_a, path_b, of_b);
  print_acquaintance(path_b, path_a, of_a);
  fmt::print("  weights {:.3f} apart (0 the same, 1.414 nothing in common)\n", apart);
  return kExitDone;
}

int run_memory_selftest(const Context& context, const std::filesystem::path& plot) {
  if (!plot.empty()) {
    if (auto done = check_plot_file(plot); !done) return context.fail(done.error());
  }
  auto asking = Asking::open(context);
  if (!asking) return context.fail(asking.error());
  const std::string& path = context.settings.inputs.front();
  auto memory = (*asking)->freeze(path);
  if (!memory) return context.fail(memory.error());
  const auto figures = familiarity_figures(ask_itself(*memory));
  if (!figures) {
    const char* why = memory->background().empty() ? "the model has no frames of other videos to test it with (train "
                                                     "familiarity gathers them)"
                                                   : "it has watched nothing";
    return context.fail({ErrorKind::kModel, fmt::format("cannot test memory \"{}\": {}", path, why)});
  }
  if (auto done = draw_figures(*figures, plot); !done) return context.fail(done.error());
  if (context.settings.json) {
    Json out = headed("memory selftest");
    add_figures(*figures, out);
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  print_figures(*figures, "frames that it kept of what it watched", "frames of other videos");
  return kExitDone;
}

}  // namespace longtake
