#include "app/command_line.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <functional>
#include <string>

#include "app/commands.h"
#include "app/configuration.h"
#include "app/exit_code.h"
#include "app/export_command.h"
#include "app/label_commands.h"
#include "app/log.h"
#include "app/settings.h"
#include "app/version.h"
#include "models/inner/inner_config.h"
#include "models/instruction_set.h"
#include "models/model.h"

namespace longtake {
namespace {

constexpr char kExitCodes[] =
    "Exit codes: 0 done, 1 unexpected failure, 2 usage, 3 some inputs of a batch failed, 4 input missing or without\n"
    "video, 5 model, memory or checkpoint missing, damaged or of another model, 6 device not available, 7 live source\n"
    "lost, 130 and 143 stopped by SIGINT and SIGTERM after a clean checkpoint.\n";

// Options that every verb understands, before or after it.
void add_common_options(CLI::App& app, Settings& s) {
  const auto group = app.add_option_group("Common options, before or after the verb");
  group->add_option("--model", s.model, "Model folder (default: the model called default)")->type_name("DIR");
  group->add_option("--memory", s.memory, "Start from this memory")->type_name("FILE");
  group->add_option("--save-memory", s.save_memory, "Write the memory here at the end")->type_name("FILE");
  group->add_option("--checkpoint", s.checkpoint,
                    "Write the state here now and then; continue from it when it is there (needs -o)")
      ->type_name("FILE");
  group
      ->add_option_function<std::string>(
          "--checkpoint-every",
          [&s](const std::string& text) {
            std::string number = text;
            if (!number.empty() && number.back() == 's') number.pop_back();
            if (!CLI::detail::lexical_cast(number, s.checkpoint_every_s) || !(s.checkpoint_every_s >= 0)) {
              throw CLI::ValidationError("--checkpoint-every", "takes seconds, like 30 or 30s");
            }
          },
          "Seconds between checkpoints (default 30s)")
      ->type_name("TIME");
  group->add_option("--fps", s.fps, "Frames a second to look at: all (default), 12.5, 30000/1001")->type_name("all|N");
  group->add_option("--from", s.from, "First time to look at: 12.5, 00:00:12.500 or @PTS")->type_name("T");
  group->add_option("--to", s.to, "Time to stop before")->type_name("T");
  group->add_option("--roi", s.roi, "Look only inside this polygon: \"0,0 0.5,0 0.5,1 0,1\" in 0..1; repeatable")
      ->type_name("POLYGON");
  group->add_option("--mask", s.mask, "Black out this polygon before anything is stored; repeatable")
      ->type_name("POLYGON");
  group->add_flag("!--no-scene", s.scene, "Leave out the names of what is in view");
  group->add_flag("--maps", s.maps, "Also tell which parts of each frame are new (novelty_map, 4x4)");
  group->add_option("--signals", s.signals, "Also plain rivals of what is learned: pixel, cell, histogram, feature, flow, or all")
      ->delimiter(',')
      ->type_name("LIST");
  group
      ->add_option("--sensitivity", s.sensitivity,
                   "Novelty and return events an hour (default: what stands out from its own past)")
      ->check(CLI::Range(1e-3, 1e6))
      ->type_name("N");
  group->add_flag("!--no-landmark-images", s.landmark_images, "Keep no pictures in memories and checkpoints, only numbers");
  group->add_option("--labels", s.labels, "Name what is seen by the examples in this file, see label add")
      ->type_name("FILE");
  group->add_option("--source-name", s.source_name, "Name of the source in the result (default: the input's)")
      ->type_name("NAME");
  group->add_option("--device", s.device, "auto, cpu or cuda[:n]")->type_name("DEVICE");
  group->add_option("--threads", s.threads, "Encoder threads (default: one per core)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  group->add_flag("-q,--quiet", s.quiet, "Say nothing but errors");
  group->add_flag("-v,--verbose", s.verbosity, "Say more; twice for everything");
  group->add_flag("--no-progress", s.no_progress, "Show no progress");
  group->add_option("--progress", s.progress, "json: progress as JSON lines on standard error")
      ->check(CLI::IsMember({"json"}))
      ->type_name("json");
  group->add_option("--log-file", s.log_file, "Also write the log to this file (rotated at 10 MB)")->type_name("FILE");
}

void add_live_command(CLI::App& app, Settings& settings, LiveSettings& live, std::function<int(const Context&)>& verb) {
  CLI::App* command =
      app.add_subcommand("live", "Watch a camera or stream until it is stopped; what is lost is found again");
  command
      ->add_option("SOURCE", settings.inputs, "URL (rtsp, http, hls, udp, rtp, srt), - for standard input, or a file")
      ->required()
      ->expected(1);
  command
      ->add_option("-o,--output", settings.output,
                   "Result file (default: standard output); one that is there is put aside under the time of its end")
      ->type_name("FILE");
  command
      ->add_option("--drop", live.drop,
                   "What to do while frames come too fast: drop the oldest, block, or thin (adaptive)")
      ->check(CLI::IsMember({"oldest", "block", "adaptive"}))
      ->capture_default_str()
      ->type_name("POLICY");
  command->add_option("--queue", live.queue, "Frames that may wait")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--realtime", live.realtime, "A file's frames come when its time stamps say");
  command->add_option("--loop", live.loops, "A file plays so often; 0: for ever")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  command
      ->add_option("--max-retries", live.max_retries, "Tries in a row to find a lost source again (default: for ever)")
      ->check(CLI::Range(0, 1'000'000'000))
      ->type_name("N");
  command
      ->add_option("--stalled-after", live.stalled_s,
                   "Seconds without a frame, ten times the usual gap at least, after which a source counts as stalled; after as\n"
                   "long again it is let go of and opened anew")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--stats-every", live.stats_every_s, "Seconds between two stats records")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--metrics", live.metrics, "Serve /metrics (Prometheus) and /healthz here; a port alone is on 127.0.0.1")
      ->type_name("ADDR:PORT");
  command->add_option("--run-for", live.run_for_s, "End after so many seconds (default: never)")
      ->check(CLI::Range(0.1, 1e9))
      ->type_name("S");
  command->footer(
      "--save-memory is written every --checkpoint-every, too, and with --memory of the same name the next start goes on\n"
      "from it.\n\n"
      "Example: longtake live rtsp://192.168.1.20/stream -o door.jsonl --memory door.ltm --save-memory door.ltm");
  command->callback([&settings, &verb, &live] {
    // Who looks after a camera wants to read when it was lost and when it was found again.
    settings.verbosity = std::max(settings.verbosity, 1);
    verb = [&live](const Context& context) { return run_live(context, live); };
  });
}

void add_batch_command(CLI::App& app, Settings& settings, BatchSettings& batch, std::function<int(const Context&)>& verb) {
  CLI::App* command = app.add_subcommand("batch", "Watch many videos; the same command goes on where it was");
  command->add_option("PATH", settings.inputs, "Files, folders, patterns, @LIST, or - for a list on standard input")->required();
  command->add_option("-o,--output", settings.output, "Folder of the results and their manifest")->type_name("DIR")->required();
  command->add_option("--include", batch.include, "Only what is called like this, \"*.mp4\"; repeatable")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command->add_option("--exclude", batch.exclude, "Nothing that is called like this; repeatable")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  command->add_option("--name", batch.name, "How results are called: {name}, {stem}, {number}, {key} (default {name}.jsonl)")
      ->type_name("PATTERN");
  command->add_option("--jobs", batch.jobs, "Videos side by side, which share the threads (default 1)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  command->add_flag("--memories", batch.memories, "Also keep the memory of each video, beside its result");
  command->add_flag("--retry-failed", batch.retry_failed, "Try again what failed and has not changed since");
  command->add_flag("--fail-fast", batch.fail_fast, "End with the first video that fails");
  command->add_flag("--dry-run", batch.dry_run, "Say what is to be done, and do nothing");
  command->add_option("--summary", batch.summary, "json: what was done, as one object on standard output")
      ->check(CLI::IsMember({"json"}))
      ->type_name("json");
  command->footer("Example: longtake batch recordings/ -o results/ --exclude \"*.tmp.mp4\"");
  command->callback([&verb, &batch] { verb = [&batch](const Context& context) { return run_batch(context, batch); }; });
}

void add_label_command(CLI::App& app, Settings& settings, LabelSettings& label,
                       std::function<int(const Context&)>& verb) {
  CLI::App* labels = app.add_subcommand("label", "Your own labels, learned from a few examples");
  labels->require_subcommand(1);
  labels->footer("Example: longtake label add my.labels --video clip.mp4 --from 12 --to 14 --name walk");
  const auto adds = [&](const char* name, const char* what, int (*run)(const Context&, const LabelSettings&),
                        const char* example) {
    CLI::App* command = labels->add_subcommand(name, what);
    command->footer(example);
    command->callback([&verb, &label, run] {
      verb = [&label, run](const Context& context) { return run(context, label); };
    });
    return command;
  };
  const auto takes_file = [&](CLI::App* command) {
    command->add_option("FILE", label.file, "File of labels")->required();
  };
  CLI::App* add = adds("add", "Show an example: the frames between --from and --to", run_label_add,
                       "Example: longtake label add my.labels --video clip.mp4 --from 12 --to 14 --name walk");
  takes_file(add);
  add->add_option("--video", label.video, "File, URL or image sequence")->type_name("V")->required();
  add->add_option("--name", label.name, "What these frames show")->type_name("NAME")->required();
  add->add_flag("--json", settings.json, "Say what was learned as one JSON object");
  CLI::App* list = adds("list", "The examples in a file", run_label_list, "Example: longtake label list my.labels --json");
  takes_file(list);
  list->add_flag("--json", settings.json, "As one JSON object");
  CLI::App* remove = adds("remove", "Take examples out, by their numbers or all of one label", run_label_remove,
                          "Example: longtake label remove my.labels 3 4");
  takes_file(remove);
  remove->add_option("N", label.numbers, "Numbers, as label list has them");
  remove->add_option("--name", label.name, "All examples of this label")->type_name("NAME");
  takes_file(adds("undo", "Take the last add or remove back", run_label_undo,
                  "Example: longtake label undo my.labels"));
  CLI::App* merge = adds("merge", "All examples of several files in a new one", run_label_merge,
                         "Example: longtake label merge a.labels b.labels -o both.labels");
  merge->add_option("FILE", settings.inputs, "Files of labels")->required();
  merge->add_option("-o,--output", settings.output, "File to write")->type_name("FILE")->required();
  CLI::App* exports = adds("export", "Where the examples are, for other programs", run_label_export,
                           "Example: longtake label export my.labels --to csv -o examples.csv");
  takes_file(exports);
  exports->add_option("--to", label.format, "csv: video,start_s,end_s,label")
      ->check(CLI::IsMember({"csv"}))
      ->type_name("FORMAT")
      ->required();
  exports->add_option("-o,--output", settings.output, "File to write (default: standard output)")->type_name("FILE");
}

void add_export_command(CLI::App& app, Settings& settings, ExportRequest& wanted, std::function<int(const Context&)>& verb) {
  CLI::App* command = app.add_subcommand("export", "Turn a result into a file for other programs, or into a report");
  command->add_option("RESULT", wanted.result, "Result of analyze")->required();
  std::vector<std::string> names;
  std::string told;
  for (const ExportFormat& format : export_formats()) {
    names.emplace_back(format.name);
    told += fmt::format("  {:<11} {}\n", format.name, format.sentence);
  }
  command->add_option("--to", wanted.format, "What kind of file, see below")
      ->check(CLI::IsMember(names))
      ->type_name("FORMAT")
      ->required();
  command->add_option("-o,--output", settings.output, "File to write, or - for standard output")->type_name("FILE")->required();
  command->add_option("--video", wanted.video, "The video, for pictures and names (default: the result's, if it lies beside it)")
      ->type_name("FILE");
  command->add_option("--start-timecode", wanted.start_timecode, "edl, otio: of the first frame; 01:00:00;00 drops frames")
      ->type_name("HH:MM:SS:FF");
  command->add_option("--rows", wanted.rows, "csv: segments and events (both), one of them, or every frame")
      ->check(CLI::IsMember({"both", "segments", "events", "frames"}))
      ->capture_default_str()
      ->type_name("WHICH");
  command->footer("Formats:\n" + told +
                  "\nSegments last until the next frame. Times are those of the frames' own time stamps, cut off, never rounded up;\n"
                  "time codes (edl, and otio where --fps is given) count frames of --fps.\n\n"
                  "Example: longtake export clip.jsonl --to webvtt -o clip.vtt");
  command->callback([&settings, &verb, &wanted] {
    wanted.fps = settings.fps;  // before the configuration, whose rate is that of analyses
    verb = [&wanted](const Context& context) { return run_export(context, wanted); };
  });
}

}  // namespace

int run_command_line(int argc, char** argv, const StopSignals& signals) {
  Settings settings;
  std::function<int(const Context&)> verb;
  const auto runs = [&verb](CLI::App* command, int (*run)(const Context&)) {
    command->callback([&verb, run] { verb = run; });
  };

  CLI::App app{"Watches video frame by frame and keeps it in a memory of fixed size that learns while it watches."};
  app.name("longtake");
  app.set_version_flag("--version", std::string("longtake ") + kVersion);
  app.require_subcommand(1);
  app.footer(std::string("Example: longtake analyze clip.mp4 -o clip.jsonl\n\n") + kExitCodes);
  add_common_options(app, settings);
  std::filesystem::path config;
  app.add_option("--config", config, "Read this configuration instead of the usual ones")->type_name("FILE");
  name_environment_variables(app);

  CLI::App* analyze = app.add_subcommand("analyze", "Watch one video and write what was seen as JSON lines");
  analyze->add_option("INPUT", settings.inputs, "File, URL, image sequence (dir/%05d.png) or - for standard input")
      ->required()
      ->expected(1);
  analyze->add_option("-o,--output", settings.output, "Result file (default: standard output)")->type_name("FILE");
  analyze->add_option("--compare", settings.compare, "Also tell how familiar each frame is to this memory, which stays as it is")
      ->type_name("FILE");
  analyze->footer("Example: longtake analyze clip.mp4 --from 10 --to 20 --save-memory clip.ltm -o clip.jsonl");
  runs(analyze, run_analyze);

  LiveSettings live;
  add_live_command(app, settings, live, verb);
  BatchSettings batch;
  add_batch_command(app, settings, batch, verb);

  CLI::App* memory = app.add_subcommand("memory", "Look into memory files");
  memory->require_subcommand(1);
  memory->footer("Example: longtake memory info clip.ltm");
  CLI::App* memory_info = memory->add_subcommand("info", "What a memory is and what it has seen");
  memory_info->add_option("FILE", settings.inputs, "Memory files or checkpoints")->required();
  memory_info->add_flag("--json", settings.json, "One JSON object a file");
  memory_info->footer("Example: longtake memory info --json clip.ltm");
  runs(memory_info, run_memory_info);
  CLI::App* memory_verify = memory->add_subcommand("verify", "Check that memories are whole and fit the model");
  memory_verify->add_option("FILE", settings.inputs, "Memory files or checkpoints")->required();
  memory_verify->footer("Example: longtake memory verify clip.ltm");
  runs(memory_verify, run_memory_verify);
  QuerySettings query;
  CLI::App* memory_query =
      memory->add_subcommand("query", "\"Have I seen this?\": a picture, a clip, a video or a folder of them");
  memory_query->add_option("FILE", settings.inputs, "Memory files; several are ranked")->required();
  CLI::Option_group* asked = memory_query->add_option_group("One of");
  asked->add_option("--clip", query.clip, "Short video, or a part of one with --from and --to")->type_name("FILE");
  asked->add_option("--image", query.image, "Picture")->type_name("FILE");
  asked->add_option("--video", query.video, "Video")->type_name("FILE");
  asked->add_option("--folder", query.folder, "Every video and picture below this folder")->type_name("DIR");
  asked->require_option(1);
  memory_query->add_flag("--json", settings.json, "One JSON object; an array for a folder or several memories");
  memory_query->footer("Looks at 5 frames a second unless --fps says otherwise.\n\n"
                       "Example: longtake memory query monday.ltm tuesday.ltm --clip parcel.mp4 --from 3 --to 6");
  CLI::App* memory_compare = memory->add_subcommand("compare", "How well two memories know each other's landmarks");
  memory_compare->add_option("FILE", settings.inputs, "Two memory files")->required()->expected(2);
  memory_compare->add_flag("--json", settings.json, "As one JSON object");
  memory_compare->footer("Example: longtake memory compare monday.ltm tuesday.ltm");
  runs(memory_compare, run_memory_compare);
  CLI::App* memory_selftest =
      memory->add_subcommand("selftest", "Whether a memory still tells what it watched from what it did not");
  memory_selftest->add_option("FILE", settings.inputs, "Memory file")->required()->expected(1);
  memory_selftest->add_flag("--json", settings.json, "As one JSON object");
  memory_selftest->footer("Example: longtake memory selftest monday.ltm");
  std::filesystem::path selftest_plot;
  memory_selftest->add_option("--plot", selftest_plot, "Draw the decay with age as PNG or SVG")->type_name("FILE");
  memory_selftest->callback([&] {
    verb = [&selftest_plot](const Context& context) { return run_memory_selftest(context, selftest_plot); };
  });
  memory_query->callback([&] { verb = [&query](const Context& context) { return run_memory_query(context, query); }; });

  LabelSettings label;
  add_label_command(app, settings, label, verb);
  ExportRequest wanted;
  add_export_command(app, settings, wanted, verb);

  CLI::App* models = app.add_subcommand("models", "Look into models");
  models->require_subcommand(1);
  models->footer("Example: longtake models list");
  CLI::App* models_list = models->add_subcommand("list", "The models that can be found");
  models_list->footer("Example: longtake models list");
  runs(models_list, run_models_list);
  CLI::App* models_show = models->add_subcommand("show", "What a model is made of");
  models_show->footer("Example: longtake models show --model assets/models/default");
  runs(models_show, run_models_show);
  CLI::App* models_verify = models->add_subcommand("verify", "Check a model's files against its checksums");
  models_verify->footer("Example: longtake models verify");
  runs(models_verify, run_models_verify);
  std::uint64_t seed = 1;
  CLI::App* models_init = models->add_subcommand("init", "Write fresh, untrained stack weights into a model folder");
  models_init->add_option("DIR", settings.inputs, "Folder with encoder.safetensors (and config.json, if there is one)")
      ->required()
      ->expected(1);
  models_init->add_option("--seed", seed, "Seed of the weights")->type_name("N");
  models_init->footer("Example: longtake models init my-model --seed 7");
  models_init->callback([&] { verb = [&seed](const Context& context) { return run_models_init(context, seed); }; });

  TrainSettings train;
  CLI::App* training = app.add_subcommand("train", "Train on your own videos: a model without labels, or labels");
  training->require_subcommand(1);
  training->footer("Example: longtake train stack holidays/ -o my-model --budget 20m");
  const auto add_common = [&](CLI::App* command) {
    command->add_option("--budget", train.budget, "End after so much time: 90s, 20m, 1.5h")->type_name("TIME");
    command->add_option("--steps", train.steps, "Steps at most")->check(CLI::Range(1, 10'000'000))->type_name("N");
    command->add_option("--rate", train.rate, "Highest rate of the outer loop")->check(CLI::Range(1e-9, 10.0))->type_name("R");
    command->add_option("--seed", train.seed, "Seed of everything random (default 1)")->type_name("N");
    command->add_option("--log", train.log, "Every step's figures as JSON lines; goes on with the training")->type_name("FILE");
    command->add_option("--plot", train.plot, "Curves of the training, redrawn as it goes on: .png or .svg (with --log, also\n"
                                              "those from before it was stopped)")
        ->type_name("FILE");
    command->add_option("--cache", train.cache, "Where features of videos are kept (default: in the user's cache)")
        ->type_name("DIR");
  };
  const auto trains = [&](const char* name, const char* what, TrainedPart part, const char* example) {
    CLI::App* command = training->add_subcommand(name, what);
    command->add_option("VIDEO", settings.inputs, "Videos, or folders of them")->required();
    command->add_option("-o,--output", settings.output, "Model folder to write")->type_name("DIR")->required();
    if (part != TrainedPart::kShots) {
      command->add_option("--init", train.init, "Start from this model's weights (default: fresh ones)")->type_name("DIR");
    }
    command->add_option("--val", train.validation, "Judge by these videos (default: an eighth of the others)")
        ->type_name("VIDEO");
    add_common(command);
    if (part == TrainedPart::kStack) {
      command->add_option("--inner", train.inner, "Kind of the layers (default: the model's): TTT, or a rival to compare with")
          ->check(CLI::IsMember(inner_names()))
          ->type_name("KIND");
      command->add_option("--optimiser", train.optimiser, "Of the layers' inner loop (default: the model's)")
          ->check(CLI::IsMember(inner::optimiser_names()))
          ->type_name("NAME");
      command->add_option("--mini-batch", train.mini_batch, "What the inner loop takes a step for (default: as the model)")
          ->check(CLI::IsMember(inner::mini_batch_names()))
          ->type_name("WHAT");
      command->add_option("--layers", train.layers, "How many (default: as the model)")->check(CLI::Range(1, 64))->type_name("N");
    } else if (part == TrainedPart::kRecall) {
      command->add_option("--rule", train.rule, "How it learns (default: the model's rule): TTT, or a rival to compare with")
          ->check(CLI::IsMember(recall_rule_names()))
          ->type_name("RULE");
      command->add_option("--keys", train.keys, "Numbers in a key: the more, the more it holds (default: as the model, or 192)")
          ->check(CLI::Range(1, 4096))
          ->type_name("N");
      command->add_option("--hidden", train.hidden, "Numbers in the hidden layer of rules that have one (likewise)")
          ->check(CLI::Range(1, 4096))
          ->type_name("N");
    } else {
      command->add_option("--films", train.films, "Films of a minute to make up and learn from (default 64)")
          ->check(CLI::Range(1, 10'000))
          ->type_name("N");
    }
    command->footer(example);
    command->callback([&, part] {
      verb = [&train, part](const Context& context) { return run_train(context, part, train); };
    });
  };
  trains("stack", "The TTT stack: to predict what comes next", TrainedPart::kStack,
         "Example: longtake train stack monday.mp4 tuesday.mp4 -o my-model --val wednesday.mp4");
  trains("recall", "The recall memory: to know what was seen before", TrainedPart::kRecall,
         "Example: longtake train recall monday.mp4 tuesday.mp4 -o my-model");
  trains("shots", "The shot head: to know cuts, dissolves and fades. Learns from films that are made up of the videos,\n"
                  "which have to be of one shot each", TrainedPart::kShots,
         "Example: longtake train shots one-shot-each/ -o my-model");
  LabelTrainingSettings labelled;
  CLI::App* train_labels = training->add_subcommand("labels", "Labels of your own from many labelled stretches: a file for analyze --labels.\n"
                                                              "(From a few examples: see label add)");
  train_labels->add_option("--truth", labelled.truth, "CSV: video,start_s,end_s,label[,split]")->type_name("CSV")->required();
  train_labels->add_option("-o,--output", settings.output, "File of labels to write")->type_name("FILE.labels")->required();
  train_labels->add_option("--root", labelled.root, "Where the videos are (default: the truth's folder)")->type_name("DIR");
  train_labels->add_option("--column", labelled.column, "Which column has the label")->capture_default_str()->type_name("NAME");
  train_labels->add_option("--split", labelled.split, "Rows to learn from, by their split (default: all)")->type_name("NAME");
  train_labels->add_option("--val", labelled.validation, "Split to judge by: the best step is kept, and training ends early")->type_name("NAME");
  train_labels->add_option("--test", labelled.test, "Split to tell figures of at the end, beside a linear probe; nothing is\n"
                                                    "chosen by it")
      ->type_name("NAME");
  train_labels->add_option("--views", labelled.views, "How each video is learned from; mirrored and upside-down help where neither\n"
                                                      "side matters")
      ->check(CLI::IsMember({"plain", "mirrored", "upside-down"}))
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  train_labels->add_flag("--json", settings.json, "Outcome and figures as one JSON object");
  add_common(train_labels);
  train_labels->footer("Example: longtake train labels --truth labels.csv --split train --test val -o actions.labels");
  train_labels->callback([&] {
    verb = [&train, &labelled](const Context& context) { return run_train_labels(context, train, labelled); };
  });
  FitSettings fitting;
  CLI::App* fit = training->add_subcommand("familiarity", "What memories' answers are calibrated by; after the recall memory");
  fit->add_option("VIDEO", settings.inputs, "Videos, or folders of them, four at least")->required();
  fit->add_option("-o,--output", settings.output, "Model folder to write into")->type_name("DIR")->required();
  fit->add_option("--copies", fitting.copies, "Folder with a degraded copy of each video, of the same name; asked about too")
      ->type_name("DIR");
  fit->add_option("--seed", fitting.seed, "Seed of everything random (default 1)")->type_name("N");
  fit->add_option("--cache", fitting.cache, "Where features of videos are kept (default: in the user's cache)")->type_name("DIR");
  fit->footer("Example: longtake train familiarity holidays/ -o my-model");
  fit->callback([&] {
    verb = [&fitting](const Context& context) { return run_train_familiarity(context, fitting); };
  });

  EvalSettings eval;
  CLI::App* evaluation = app.add_subcommand("eval", "Curves and figures: how well models do on your own videos");
  evaluation->require_subcommand(1);
  evaluation->footer("Example: longtake eval prediction holidays/");
  const auto evaluates = [&](const char* name, const char* what, int (*run)(const Context&, const EvalSettings&),
                             const char* example) {
    CLI::App* command = evaluation->add_subcommand(name, what);
    command->add_option("VIDEO", settings.inputs, "Videos, or folders of them")->required();
    command->add_option("--model", eval.models, "Model folder; several are compared")
        ->type_name("DIR")
        ->allow_extra_args(false);
    command->add_option("--cache", eval.cache, "Where features of videos are kept (default: in the user's cache)")
        ->type_name("DIR");
    command->add_flag("--json", settings.json, "As one JSON object");
    command->footer(example);
    command->callback([&verb, &eval, run] { verb = [&eval, run](const Context& context) { return run(context, eval); }; });
    return command;
  };
  CLI::App* prediction =
      evaluates("prediction", "Error of what comes next, by horizon and by frames seen", run_eval_prediction,
                "Example: longtake eval prediction clip.mp4 --model a --model b --plot prediction.png");

  CLI::App* recall = evaluates("recall", "What memories know of a place on return to it; every video is a place", run_eval_recall,
                               "Example: longtake eval recall places/ --rivals slots32,running_mean,none --json");
  recall->add_option("--rivals", eval.rivals, "Memories to compare with (default: all)")->delimiter(',')->allow_extra_args(false);
  recall->add_option("--views", eval.views, "Views of each clip that count as places: turned and mirrored (default 8)")
      ->check(CLI::Range(1, 8))
      ->type_name("N");
  CLI::App* density = evaluates("density", "What more frames a second buy, and what they cost", run_eval_density,
                                "Example: longtake eval density clip.mp4 --truth boundaries.csv --plot density.png");
  density->add_option("--truth", eval.truth, "True boundaries: CSV video,type,start_frame,end_frame")->type_name("FILE");
  density->add_option("--labels", eval.labels, "Labelled events: CSV video,start_s,end_s,label")->type_name("FILE");
  for (CLI::App* draws : {prediction, recall, density}) {
    draws->add_option("--plot", eval.plot, "Draw the curves as PNG or SVG")->type_name("FILE");
  }
  evaluates("remember", "Whether the inner loss of TTT layers tells what was watched from what was not", run_eval_remember,
            "Folders say how alike videos are, KIND/ROOM/VIDEO: those of one folder show the same room, those of folders side\n"
            "by side the same kind, all others another kind.\n\n"
            "Example: longtake eval remember offices/ streets/ --json");
  FamiliaritySettings familiarity;
  CLI::App* eval_familiarity = evaluation->add_subcommand("familiarity", "Whether a memory tells clips it watched from others");
  eval_familiarity->add_option("--seen", familiarity.seen, "Clips of what it watched, or folders of them")
      ->type_name("CLIP")
      ->required();
  eval_familiarity->add_option("--unseen", familiarity.unseen, "Clips of what it did not watch")->type_name("CLIP")->required();
  eval_familiarity->add_option("FILE", familiarity.memory, "Memory file (first, or last of all if its name ends in .ltm)");
  eval_familiarity->add_flag("--json", settings.json, "As one JSON object");
  eval_familiarity->add_option("--plot", familiarity.plot, "Draw the decay with age as PNG or SVG")->type_name("FILE");
  eval_familiarity->footer("Example: longtake eval familiarity --seen kept/ --unseen others/ monday.ltm");
  eval_familiarity->callback([&] {
    // A list of clips takes all that follows it, the memory too.
    for (auto* clips : {&familiarity.unseen, &familiarity.seen}) {
      if (!familiarity.memory.empty() || clips->size() < 2 || !clips->back().ends_with(".ltm")) continue;
      familiarity.memory = clips->back();
      clips->pop_back();
    }
    if (familiarity.memory.empty()) throw CLI::RequiredError("FILE");
    verb = [&familiarity](const Context& context) { return run_eval_familiarity(context, familiarity); };
  });

  EvalResultsSettings results;
  const auto judges = [&](const char* name, const char* what, int (*run)(const Context&, const EvalResultsSettings&),
                          const char* columns, const char* more) {
    CLI::App* command = evaluation->add_subcommand(name, what);
    command
        ->add_option("RESULT", settings.inputs,
                     "Results of analyze, one a video; each is held against the rows of its video")
        ->required();
    command->add_option("--truth", results.truth, std::string("What is true: CSV ") + columns)->type_name("CSV")->required();
    command
        ->add_option("--root", results.root,
                     "Folder that the truth's videos are in (default: the truth's own); they are read\n"
                     "only for results of some frames, to place the truth's frames in time")
        ->type_name("DIR");
    command->add_option("--split", results.split, "Only rows that have this in their column split")->type_name("NAME");
    command->add_flag("--json", settings.json, "As one JSON object");
    command->footer(more);
    command->callback(
        [&verb, &results, run] { verb = [&results, run](const Context& context) { return run(context, results); }; });
    return command;
  };
  CLI::App* boundaries =
      judges("boundaries", "Results: how well cuts, dissolves and fades were found", run_eval_boundaries,
             "video,type,start_frame,end_frame (or start_s,end_s)",
             "An event hits a cut within the tolerance, anything gradual from two frames before to two after it. One\n"
             "event hits one boundary, and as many are hit as can be, whatever kind the event says. Other events are\n"
             "false alarms: those of kind cut count against cuts, gradual against dissolves and fades, boundary against\n"
             "all three. Found: hits and false alarms.\n\n"
             "Example: longtake eval boundaries --truth boundaries.csv monday.jsonl tuesday.jsonl");
  boundaries
      ->add_option("--tolerance", results.tolerance, "Frames of the whole video that an event may be off a cut (default 2)")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  boundaries
      ->add_option("--signals", results.signals, "Judge the peaks of these signals too: all, surprise, novelty, boundary, and those\n"
                    "that analyze --signals adds: pixel, cell, histogram, feature, flow")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LIST");
  judges("labels", "Results: how well frames and segments were named", run_eval_labels, "video,start_s,end_s,label",
         "Time that the truth does not label is left out. Where its stretches overlap, the one that began last counts.\n\n"
         "Example: longtake eval labels --truth labels.csv --split test monday.jsonl --json")
      ->add_option("--column", results.column, "Column of the truth that has the labels (default label)")
      ->type_name("NAME");
  judges("anomaly", "Results: how well a signal tells abnormal frames from others", run_eval_anomaly,
         "video,start_frame,end_frame",
         "The end of a stretch is exclusive; one of no length says that its video is judged and has none.\n\n"
         "Example: longtake eval anomaly --truth abnormal.csv --signal novelty monday.jsonl tuesday.jsonl")
      ->add_option("--signal", results.signal, "surprise (default), novelty, sustained, unfamiliarity and deviation (of analyze\n--compare), boundary, one that analyze --signals adds, or all")
      ->type_name("NAME");

  CLI::App* info = app.add_subcommand("info", "Versions, machine and model");
  info->add_flag("--json", settings.json, "As one JSON object");
  info->footer("Example: longtake info");
  runs(info, run_info);

  CLI::App* studio = app.add_subcommand("studio", "Open the window (longtake-studio), which takes all that follows");
  studio->prefix_command();
  studio->footer("Example: longtake studio clip.mp4\nlongtake-studio --help tells what it takes.");
  studio->callback([&] {
    verb = [arguments = studio->remaining()](const Context& context) { return run_studio(context, arguments); };
  });

  std::filesystem::path golden;
  CLI::App* selftest = app.add_subcommand("selftest", "Check the TTT layers against known answers");
  selftest->add_option("--golden", golden, "Folder of golden .npz files (default: those built in)")->type_name("DIR");
  selftest->add_flag("--json", settings.json, "As one JSON object");
  selftest->footer("Example: longtake selftest --golden tests/data/golden");
  selftest->callback([&] { verb = [&golden](const Context& context) { return run_selftest(context, golden); }; });

  CLI::App* bench = app.add_subcommand("bench", "Measure speed and memory on this machine");
  bench->require_subcommand(1);
  bench->footer("Example: longtake bench pipeline clip.mp4");
  CLI::App* kernels = bench->add_subcommand("kernels", "The TTT inner loop: against the peak of a core, and LibTorch");
  kernels->add_flag("--json", settings.json, "As one JSON object");
  kernels->footer("Example: longtake bench kernels --json");
  runs(kernels, run_bench_kernels);
  CLI::App* pipeline = bench->add_subcommand("pipeline", "Frames a second: each stage alone, and all together");
  pipeline->add_option("INPUT", settings.inputs, "A video")->required()->expected(1);
  pipeline->add_flag("--json", settings.json, "As one JSON object");
  pipeline->footer("Example: longtake bench pipeline clip.mp4 --threads 2 --json");
  runs(pipeline, run_bench_pipeline);
  CLI::App* bench_memory = bench->add_subcommand("memory", "Memory and time per frame over a long video");
  bench_memory->add_option("INPUT", settings.inputs, "Videos, the longest last")->required();
  bench_memory->add_flag("--json", settings.json, "As one JSON object");
  bench_memory->footer("Example: longtake bench memory two-hours.mp4");
  runs(bench_memory, run_bench_memory);
  ContextSettings at_length;
  CLI::App* bench_context = bench->add_subcommand("context", "Time and bytes per frame against frames seen, beside rivals");
  bench_context->add_option("--model", at_length.models, "Model folder; several are measured")
      ->type_name("DIR")
      ->allow_extra_args(false);
  bench_context->add_option("--frames", at_length.frames, "Frames seen at the last point (default 100000)")
      ->check(CLI::Range(200, 100'000'000))
      ->type_name("N");
  bench_context->add_option("--limit-bytes", at_length.limit_bytes, "Largest state of a rival that grows (default 8 GiB)")
      ->type_name("N");
  bench_context->add_flag("--json", settings.json, "As one JSON object");
  bench_context->add_option("--plot", at_length.plot, "Draw the curves as PNG or SVG")->type_name("FILE");
  bench_context->footer("Example: longtake bench context --frames 10000 --plot context.png");
  bench_context->callback([&] { verb = [&at_length](const Context& context) { return run_bench_context(context, at_length); }; });

  for (CLI::App* command : app.get_subcommands({})) {
    if (command == studio) continue;  // all that follows is the window's
    command->fallthrough();
    for (CLI::App* inner : command->get_subcommands({})) inner->fallthrough();
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    fmt::print(stderr, "longtake: error: {} (longtake --help tells more)\n", e.what());
    return kExitUsage;
  }

  if (auto done = apply_configuration(app, config); !done) {
    fmt::print(stderr, "longtake: error: {}\n", done.error().message);
    return exit_code(done.error().kind);
  }
  auto log = make_log(settings.quiet ? -1 : settings.verbosity, settings.log_file);
  if (!log) {
    fmt::print(stderr, "longtake: error: {}\n", log.error().message);
    return exit_code(log.error().kind);
  }
  const Context context{settings, **log, signals, argv};
  if (auto isa = instruction_set(); !isa) return context.fail(isa.error());
  return verb(context);
}

}  // namespace longtake
