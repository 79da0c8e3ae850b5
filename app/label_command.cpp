#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "app/exit_code.h"
#include "app/export/text.h"
#include "app/label_commands.h"
#include "core/records/time.h"
#include "core/store/atomic_file.h"
#include "core/store/sha256.h"
#include "models/labels/label_head.h"
#include "models/labels/record_example.h"
#include "models/memory_file.h"
#include "models/model.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string counted(std::size_t n, std::string_view what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

double seconds(const TimePoint& point, Rational base) {
  if (const auto* exact = std::get_if<Rational>(&point.at)) {
    return static_cast<double>(exact->num) / static_cast<double>(exact->den);
  }
  return seconds_truncated(std::get<std::int64_t>(point.at), base.num, base.den);
}

// What a new example changes: asked of the head itself, so that one hears at once if the examples are too few.
void say_learned(const Context& context, const LabelSet& set, const LabelExample& added) {
  const auto start = std::chrono::steady_clock::now();
  const auto head = LabelHead::learn(set.examples, label_width());
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::size_t frames = added.samples.size() / label_width();
  if (context.settings.json) {
    Json out;
    out["schema"] = kLabelSchema;
    out["name"] = added.name;
    out["from_s"] = added.from_s;
    out["to_s"] = added.to_s;
    out["frames"] = frames;
    out["labels"] = set.names().size();
    out["examples"] = set.examples.size();
    out["learned_s"] = head ? Json(took) : Json(nullptr);
    fmt::print("{}\n", dumped(out));
  }
  context.log.info("\"{}\": {} from {} s to {} s; {} of {}", added.name, counted(frames, "frame"), added.from_s, added.to_s,
                   counted(set.examples.size(), "example"), counted(set.names().size(), "label"));
  if (head) {
    context.log.info("learned in {:.3f} s", took);
  } else {
    context.log.warn("{}", head.error().message);
  }
}

}  // namespace

Result<WatchedLabels> watched_labels(const fs::path& file, const fs::path& encoder) {
  auto sha256 = sha256_file(encoder);
  if (!sha256) return std::move(sha256).error();
  auto net = read_label_net(file, *sha256);
  if (!net) return std::move(net).error();
  if (*net) {
    LabelNames names{(*net)->names, (*net)->sha256};
    auto weights = load_label_net((*net)->tensors, (*net)->names);
    if (!weights) return std::move(weights).error();
    return WatchedLabels{nullptr, std::make_shared<const LabelNetWeights>(std::move(*weights)), std::move(names)};
  }
  auto set = read_label_set(file, *sha256);
  if (!set) return std::move(set).error();
  auto head = LabelHead::learn(set->examples, label_width());
  if (!head) {
    return Error{head.error().kind, fmt::format("cannot use labels \"{}\": {}", file.string(), head.error().message)};
  }
  LabelNames names{head->names(), set->sha256};
  return WatchedLabels{std::make_shared<const LabelHead>(std::move(*head)), nullptr, std::move(names)};
}

int run_label_add(const Context& context, const LabelSettings& label) {
  const Settings& settings = context.settings;
  const fs::path file = label.file;
  if (auto named = check_label_name(label.name); !named) return context.fail(named.error());
  auto analysis = analysis_settings(settings, label.video);
  if (!analysis) return context.fail(analysis.error());
  auto model_path = context.model_path();
  if (!model_path) return context.fail(model_path.error());
  auto model = Model::load(*model_path);
  if (!model) return context.fail(model.error());
  auto sha256 = sha256_file((*model)->folder().encoder());
  if (!sha256) return context.fail(sha256.error());
  LabelSet set{*sha256, {}};
  std::error_code ec;
  if (fs::exists(file, ec)) {
    auto there = read_label_set(file, *sha256);
    if (!there) return context.fail(there.error());
    set = std::move(*there);
  }

  auto source = open_source(analysis->source, context.signals.token());
  if (!source) return context.fail(source.error());
  const ModelAnalyzer analyzer(*model, {.scene = false, .roi = analysis->roi, .mask = analysis->mask});
  const auto encoder = analyzer.make_encoder();
  auto example = record_example(**source, *encoder, context.signals.token());
  if (!example) return context.fail(example.error());
  example->name = label.name;
  example->video_key = source_key(label.video);
  const Rational base = (*source)->info().time_base;
  if (analysis->source.from) example->from_s = seconds(*analysis->source.from, base);
  if (analysis->source.to) example->to_s = seconds(*analysis->source.to, base);
  set.examples.push_back(std::move(*example));
  if (auto written = change_label_set(file, set); !written) return context.fail(written.error());
  say_learned(context, set, set.examples.back());
  return kExitDone;
}

int run_label_list(const Context& context, const LabelSettings& label) {
  const fs::path file = label.file;
  auto set = read_label_set(file, "");
  if (!set) return context.fail(set.error());
  const auto count = [&](const std::string& name) {
    return std::count_if(set->examples.begin(), set->examples.end(), [&](const auto& e) { return e.name == name; });
  };
  if (!context.settings.json) {
    fmt::print("{}: {} of {}, encoder {}\n", file.string(), counted(set->examples.size(), "example"),
               counted(set->names().size(), "label"), set->encoder.substr(0, 12));
  }
  Json out;
  out["schema"] = kLabelSchema;
  out["file"] = file.string();
  out["encoder"] = set->encoder;
  out["labels"] = Json::array();
  out["examples"] = Json::array();
  for (const std::string& name : set->names()) out["labels"].push_back({{"name", name}, {"examples", count(name)}});
  for (std::size_t i = 0; i < set->examples.size(); ++i) {
    const LabelExample& example = set->examples[i];
    const std::size_t frames = example.samples.size() / label_width();
    out["examples"].push_back({{"number", i + 1}, {"name", example.name}, {"video", example.video},
                               {"from_s", example.from_s}, {"to_s", example.to_s}, {"frames", frames}});
    if (!context.settings.json) {
      fmt::print("{:4}  {}  {} s to {} s  {}  {}\n", i + 1, example.name, example.from_s, example.to_s,
                 counted(frames, "frame"), example.video);
    }
  }
  if (context.settings.json) fmt::print("{}\n", dumped(out));
  return kExitDone;
}

int run_label_remove(const Context& context, const LabelSettings& label) {
  const fs::path file = label.file;
  if (label.numbers.empty() == label.name.empty()) {
    return context.fail({ErrorKind::kUsage, "label remove takes numbers of examples, as label list has them, or --name"});
  }
  auto set = read_label_set(file, "");
  if (!set) return context.fail(set.error());
  for (const std::size_t number : label.numbers) {
    if (number < 1 || number > set->examples.size()) {
      return context.fail({ErrorKind::kUsage, fmt::format("\"{}\" has no example {}", file.string(), number)});
    }
  }
  LabelSet left{set->encoder, {}};
  for (std::size_t i = 0; i < set->examples.size(); ++i) {
    const bool listed = std::find(label.numbers.begin(), label.numbers.end(), i + 1) != label.numbers.end();
    if (!listed && (label.name.empty() || set->examples[i].name != label.name)) left.examples.push_back(set->examples[i]);
  }
  if (left.examples.size() == set->examples.size()) {
    return context.fail({ErrorKind::kUsage, fmt::format("\"{}\" has no label \"{}\"", file.string(), label.name)});
  }
  if (auto written = change_label_set(file, left); !written) return context.fail(written.error());
  context.log.info("{} removed, {} left", counted(set->examples.size() - left.examples.size(), "example"),
                   left.examples.size());
  return kExitDone;
}

int run_label_undo(const Context& context, const LabelSettings& label) {
  const fs::path file = label.file;
  if (auto done = undo_labels(file); !done) return context.fail(done.error());
  context.log.info("\"{}\" is as it was before its last change", file.string());
  return kExitDone;
}

int run_label_merge(const Context& context, const LabelSettings&) {
  std::vector<LabelSet> sets;
  for (const std::string& file : context.settings.inputs) {
    auto set = read_label_set(file, "");
    if (!set) return context.fail(set.error());
    sets.push_back(std::move(*set));
  }
  auto all = merged(sets);
  if (!all) return context.fail(all.error());
  if (auto written = write_label_set(context.settings.output, *all); !written) return context.fail(written.error());
  context.log.info("{}: {} of {}", context.settings.output.string(), counted(all->examples.size(), "example"),
                   counted(all->names().size(), "label"));
  return kExitDone;
}

int run_label_export(const Context& context, const LabelSettings& label) {
  auto set = read_label_set(label.file, "");
  if (!set) return context.fail(set.error());
  std::string text = "video,start_s,end_s,label\n";
  for (const LabelExample& example : set->examples) {
    text += fmt::format("{},{},{},{}\n", csv_field(example.video), example.from_s, example.to_s, csv_field(example.name));
  }
  auto out = ResultFile::create(context.settings.output);
  if (!out) return context.fail(out.error());
  if (auto written = out->write(text); !written) return context.fail(written.error());
  return kExitDone;
}

}  // namespace longtake
