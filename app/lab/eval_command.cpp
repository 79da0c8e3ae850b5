#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/machine.h"
#include "app/plot.h"
#include "app/progress.h"
#include "models/eval/density.h"
#include "models/eval/prediction.h"
#include "models/eval/recall.h"
#include "models/eval/remember.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Compared& compared) {
  Json out = Json::object();
  for (const auto& [name, value] : compared) out[name] = value;
  return out;
}

// One line of a table, one point of each curve.
struct Row {
  double at = 0;
  Compared figures;
};

template <class Points, class At, class Figures>
std::vector<Row> rows_of(const Points& points, At at, Figures figures) {
  std::vector<Row> out;
  for (const auto& point : points) out.push_back({static_cast<double>(at(point)), figures(point)});
  return out;
}

// Columns are as wide as their names.
void print_line(const std::string& first, const Compared& figures, int decimals) {
  fmt::print("{:>10}", first);
  for (const auto& [name, value] : figures) {
    const std::string text = std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
    fmt::print("  {:>{}}", text, std::max<std::size_t>(9, name.size()));
  }
  fmt::print("\n");
}

void print_names(const std::string& first, const Compared& figures) {
  fmt::print("{:>10}", first);
  for (const auto& [name, value] : figures) fmt::print("  {:>9}", name);
  fmt::print("\n");
}

void print_table(const std::string& first, const std::vector<Row>& rows) {
  if (rows.empty()) return;
  print_names(first, rows.front().figures);
  for (const Row& row : rows) print_line(fmt::format("{:g}", row.at), row.figures, 3);
}

std::vector<Curve> curves_of(const std::vector<Row>& rows) {
  std::vector<Curve> out;
  for (const Row& row : rows) {
    for (const auto& [name, value] : row.figures) {
      auto curve =
          std::find_if(out.begin(), out.end(), [&, &wanted = name](const Curve& c) { return c.name == wanted; });
      if (curve == out.end()) curve = out.insert(out.end(), Curve{name, {}, {}});
      curve->x.push_back(row.at);
      curve->y.push_back(value);
    }
  }
  return out;
}

// What all evaluations have in common: the request, and a way to tell people about it.
class Evaluation {
 public:
  Evaluation(const Context& context, const EvalSettings& eval)
      : context_(context), plot_(eval.plot), progress_(context.settings.progress_mode()) {
    request.videos = context.settings.inputs;
    request.threads = context.settings.thread_count();
    request.models = eval.models;
    request.cache.folder = eval.cache.empty() ? default_feature_folder() : eval.cache;
    request.cache.threads = request.threads;
    request.cache.on_frame = [this](const StreamInfo& info, std::int64_t frames, double seconds) {
      progress_.frame(info, frames, seconds);
    };
    note = [this](const std::string& sentence) {
      progress_.clear();
      context_.log.info("{}", sentence);
    };
  }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;
  ~Evaluation() { progress_.clear(); }

  // Tells what can be told before the work. Without --model: the default one.
  Result<void> prepare() {
    if (!plot_.empty()) {
      if (auto done = check_plot_file(plot_); !done) return done;
    }
    if (!request.models.empty()) return {};
    auto path = context_.model_path();
    if (!path) return std::move(path).error();
    request.models.push_back(*path);
    return {};
  }

  Result<void> draw(const std::vector<Plot>& plots) const {
    return plot_.empty() ? Result<void>() : write_plots(plot_, plots);
  }

  EvalRequest request;
  Note note;

 private:
  const Context& context_;
  std::filesystem::path plot_;
  EncodingProgress progress_;
};

}  // namespace

int run_eval_prediction(const Context& context, const EvalSettings& eval) {
  Evaluation evaluation(context, eval);
  if (auto done = evaluation.prepare(); !done) return context.fail(done.error());
  const auto curves = evaluate_prediction(evaluation.request, evaluation.note, context.signals.token());
  if (!curves) return context.fail(curves.error());

  // For people as fractions of persistence's, which comes last.
  const auto horizons = rows_of(
      curves->horizons, [](const auto& p) { return p.seconds; },
      [](const auto& p) {
        Compared ratio = p.error;
        for (auto& [name, error] : ratio) error /= p.error.back().second;
        return ratio;
      });
  const auto context_rows = rows_of(
      curves->context, [](const auto& p) { return p.frames; }, [](const auto& p) { return p.error; });
  const auto inner = rows_of(
      curves->inner_loss, [](const auto& p) { return p.seconds; },
      [](const auto& p) {
        Compared layers;
        for (std::size_t i = 0; i < p.layers.size(); ++i)
          layers.emplace_back(fmt::format("{} layer {}", p.model, i), p.layers[i]);
        return layers;
      });
  const std::vector<Plot> plots{
      {"Next-latent error by horizon", "horizon (s)", "error / persistence", false, false, curves_of(horizons)},
      {"Next-latent error by context", "frames seen", "error / persistence", true, false, curves_of(context_rows)},
      {"Inner loss before a frame is learned", "seconds of video", "mean square", false, true, curves_of(inner)}};
  if (auto done = evaluation.draw(plots); !done) return context.fail(done.error());

  if (context.settings.json) {
    Json out = headed("eval prediction");
    out["clips"] = curves->clips;
    out["frames"] = curves->frames;
    for (const auto& p : curves->horizons)
      out["horizons"].push_back({{"seconds", p.seconds}, {"error", to_json(p.error)}});
    out["context"] = Json::array();
    for (const auto& p : curves->context) {
      out["context"].push_back({{"frames", p.frames}, {"clips", p.clips}, {"error", to_json(p.error)}});
    }
    out["inner_loss"] = Json::array();
    for (const auto& p : curves->inner_loss) {
      out["inner_loss"].push_back({{"model", p.model}, {"seconds", p.seconds}, {"layers", p.layers}});
    }
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{} frames of {} clips at 12.5 frames a second; errors as fractions of persistence's\n\n", curves->frames,
             curves->clips);
  print_table("seconds", horizons);
  fmt::print("\n");
  print_table("frames", context_rows);
  for (auto first = curves->inner_loss.begin(); first != curves->inner_loss.end();) {
    const auto last =
        std::find_if(first, curves->inner_loss.end(), [&](const auto& p) { return p.model != first->model; }) - 1;
    fmt::print("\ninner loss of {} over the first {:g} s, by layer:", first->model, last->seconds);
    for (std::size_t i = 0; i < first->layers.size(); ++i) {
      fmt::print("  {:.3f} → {:.3f}", first->layers[i], last->layers[i]);
    }
    fmt::print("\n");
    first = last + 1;
  }
  return kExitDone;
}

int run_eval_recall(const Context& context, const EvalSettings& eval) {
  Evaluation evaluation(context, eval);
  if (auto done = evaluation.prepare(); !done) return context.fail(done.error());
  const RecallRequest request{evaluation.request, eval.rivals, eval.views};
  const auto curves = evaluate_recall(request, evaluation.note, context.signals.token());
  if (!curves) return context.fail(curves.error());

  const auto after_others = [&](Compared RecallCurves::Return::*figure) {
    return rows_of(
        curves->returns, [](const auto& p) { return p.n; }, [&](const auto& p) { return p.*figure; });
  };
  const auto returns = after_others(&RecallCurves::Return::error);
  const auto unshown = after_others(&RecallCurves::Return::unshown);
  const auto later = after_others(&RecallCurves::Return::later);
  const auto minutes = rows_of(
      curves->minutes, [](const auto& p) { return p.minutes; }, [](const auto& p) { return p.error; });
  const std::vector<Plot> plots{
      {"First frame on return", "other places in between", "error / variance", true, false, curves_of(returns)},
      {"First frame on return, never one that was shown", "other places in between", "error / variance", true, false,
       curves_of(unshown)},
      {"First frame on return, 3 to 10 s later", "other places in between", "error / variance", true, false, curves_of(later)},
      {"First frame on return", "minutes of other video in between", "error / variance", true, false,
       curves_of(minutes)}};
  if (auto done = evaluation.draw(plots); !done) return context.fail(done.error());

  if (context.settings.json) {
    Json out = headed("eval recall");
    out["places"] = curves->places;
    out["new"] = to_json(curves->fresh);
    out["new_standard_error"] = to_json(curves->fresh_standard_error);
    out["return"] = Json::array();
    for (const auto& p : curves->returns) {
      out["return"].push_back({{"n", p.n},
                               {"trials", p.trials},
                               {"error", to_json(p.error)},
                               {"standard_error", to_json(p.standard_error)},
                               {"unshown", to_json(p.unshown)},
                               {"later", to_json(p.later)}});
    }
    out["minutes"] = Json::array();
    for (const auto& p : curves->minutes) {
      out["minutes"].push_back({{"minutes", p.minutes},
                                {"trials", p.trials},
                                {"error", to_json(p.error)},
                                {"standard_error", to_json(p.standard_error)},
                                {"unshown", to_json(p.unshown)},
                                {"later", to_json(p.later)},
                                {"state_bytes", to_json(p.state_bytes)}});
    }
    const auto& familiarity = curves->familiarity;
    out["familiarity"] = {{"watched", familiarity.watched},
                          {"places", familiarity.places},
                          {"auroc", to_json(familiarity.auroc)},
                          {"standard_error", to_json(familiarity.standard_error)},
                          {"unshown", to_json(familiarity.unshown)},
                          {"later", to_json(familiarity.later)}};
    out["state_bytes"] = to_json(curves->state_bytes);
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{} places; errors of the first frame as fractions of the features' variance\n\n", curves->places);
  print_table("n others", returns);
  print_line("new", curves->fresh, 3);
  print_line("bytes", curves->state_bytes, 0);
  fmt::print("\nnever a frame that was shown\n");
  print_table("n others", unshown);
  fmt::print("\n3 to 10 s later\n");
  print_table("n others", later);
  fmt::print("\n");
  print_table("minutes", minutes);
  fmt::print("\nwhich {} of {} places were watched, AUROC\n", curves->familiarity.watched, curves->familiarity.places);
  print_line("same scene", curves->familiarity.auroc, 3);
  print_line("not shown", curves->familiarity.unshown, 3);
  print_line("3-10 s on", curves->familiarity.later, 3);
  return kExitDone;
}

int run_eval_remember(const Context& context, const EvalSettings& eval) {
  Evaluation evaluation(context, eval);
  if (auto done = evaluation.prepare(); !done) return context.fail(done.error());
  const auto figures = evaluate_remember(evaluation.request, evaluation.note, context.signals.token());
  if (!figures) return context.fail(figures.error());

  if (context.settings.json) {
    Json out = headed("eval remember");
    out["clips"] = figures->clips;
    out["stretches"] = figures->stretches;
    for (const auto& group : figures->groups) {
      out["groups"].push_back({{"against", group.against},
                               {"clips", group.clips},
                               {"seen", group.seen},
                               {"asked", group.asked},
                               {"auroc", to_json(group.auroc)}});
    }
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{} stretches of {} clips; what was watched against what was not, AUROC of the inner loss\n\n",
             figures->stretches, figures->clips);
  print_names("against", figures->groups.front().auroc);
  for (const auto& group : figures->groups) {
    std::string words = group.against;
    std::replace(words.begin(), words.end(), '_', ' ');
    print_line(words, group.auroc, 3);
  }
  return kExitDone;
}

int run_eval_density(const Context& context, const EvalSettings& eval) {
  Evaluation evaluation(context, eval);
  if (auto done = evaluation.prepare(); !done) return context.fail(done.error());
  const DensityRequest request{evaluation.request, eval.truth, eval.labels};
  const auto curves = evaluate_density(request, evaluation.note, context.signals.token());
  if (!curves) return context.fail(curves.error());

  using Point = DensityCurves::Point;
  struct Figure {
    const char* name;
    const char* in_words;
    double Point::*value;
  };
  const Figure figures[] = {
      {"boundary_f1", "Boundaries found: F1", &Point::boundary_f1},
      {"short_event_recall", "Events under 2 s: share noticed", &Point::short_event_recall},
      {"short_event_chance", "The same by chance", &Point::short_event_chance},
      {"prediction_error", "Error 0.4 s ahead / persistence", &Point::prediction_error},
      {"cost_per_video_second", "Processor seconds for a second of video", &Point::cost_per_video_second}};
  std::vector<Plot> plots;
  for (const Figure& figure : figures) {
    if (std::none_of(curves->points.begin(), curves->points.end(),
                     [&](const Point& p) { return std::isfinite(p.*figure.value); })) {
      continue;
    }
    const auto rows = rows_of(
        curves->points, [](const Point& p) { return p.fps; },
        [&](const Point& p) {
          return Compared{{p.model, p.*figure.value}};
        });
    plots.push_back({figure.in_words, "frames a second", "", true, false, curves_of(rows)});
  }
  if (auto done = evaluation.draw(plots); !done) return context.fail(done.error());

  if (context.settings.json) {
    Json out = headed("eval density");
    out["video_seconds"] = curves->video_s;
    out["boundaries"] = curves->boundaries;
    out["short_events"] = curves->short_events;
    for (const Point& point : curves->points) {
      Json one{{"model", point.model}, {"fps", point.fps}};
      for (const Figure& figure : figures) one[figure.name] = point.*figure.value;
      out["points"].push_back(std::move(one));
    }
    fmt::print("{}\n", out.dump());
    return kExitDone;
  }
  fmt::print("{:.1f} s of video, {} boundaries, {} events shorter than 2 s\n", curves->video_s, curves->boundaries,
             curves->short_events);
  for (auto first = curves->points.begin(); first != curves->points.end();) {
    const auto end = std::find_if(first, curves->points.end(), [&](const Point& p) { return p.model != first->model; });
    fmt::print("\n{}\n", first->model);
    print_table("fps", rows_of(
                           std::vector(first, end), [](const Point& p) { return p.fps; },
                           [&](const Point& p) {
                             Compared row;
                             for (const Figure& figure : figures) row.emplace_back(figure.name, p.*figure.value);
                             return row;
                           }));
    first = end;
  }
  return kExitDone;
}

}  // namespace longtake
