// The verbs. Each returns the program's exit code and has said on standard error what went wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "app/settings.h"
#include "app/stop_signals.h"
#include "models/train/train_model.h"

namespace longtake {

struct Context {
  const Settings& settings;
  spdlog::logger& log;
  const StopSignals& signals;
  char* const* arguments = nullptr;  // of the program, as main() had them; null where there was no command line

  // Logs the error and gives its exit code.
  int fail(const Error& error) const;
  // --model, or the default model. Errors: kModel.
  Result<std::filesystem::path> model_path() const;
};

struct TrainSettings {
  std::filesystem::path init;           // empty: fresh weights
  std::optional<std::string> inner;     // fresh layers of this kind instead of the model's
  std::optional<std::string> optimiser;  // of their inner loop
  std::optional<std::string> mini_batch;  // likewise
  std::optional<int> layers;            // so many
  std::optional<std::string> rule;      // a fresh recall memory that learns by this rule instead of the model's
  std::optional<int> keys;              // of so many numbers
  std::optional<int> hidden;            // likewise its hidden layer
  std::optional<int> films;             // a shot head learns from so many
  std::vector<std::string> validation;  // empty: some of the videos are held out
  std::string budget;                   // empty: none
  std::optional<std::int64_t> steps;    // none: what is usual for the part
  std::optional<double> rate;           // likewise
  std::uint64_t seed = 1;
  std::filesystem::path log;    // empty: none
  std::filesystem::path plot;   // likewise
  std::filesystem::path cache;  // empty: the usual place
};
int run_train(const Context& context, TrainedPart part, const TrainSettings& train);

struct LabelTrainingSettings {
  std::filesystem::path truth;
  std::filesystem::path root;     // empty: the folder of the truth
  std::string column = "label";
  std::string split;              // empty: all rows of the truth
  std::string validation, test;   // splits; empty: none
  std::vector<std::string> views{"plain", "mirrored", "upside-down"};
};
int run_train_labels(const Context& context, const TrainSettings& train, const LabelTrainingSettings& labels);

struct EvalSettings {
  std::vector<std::filesystem::path> models;  // empty: the default one
  std::filesystem::path cache;                // empty: the usual place
  std::filesystem::path plot;                 // empty: none; not of remember
  std::vector<std::string> rivals;            // recall; empty: the usual ones
  int views = 8;                              // recall: of each clip
  std::filesystem::path truth, labels;        // density; empty: none
};
int run_eval_prediction(const Context& context, const EvalSettings& eval);
int run_eval_recall(const Context& context, const EvalSettings& eval);
int run_eval_remember(const Context& context, const EvalSettings& eval);
int run_eval_density(const Context& context, const EvalSettings& eval);

// Of finished results, which are the inputs.
struct EvalResultsSettings {
  std::filesystem::path truth;
  std::filesystem::path root;        // empty: the folder of the truth
  std::string split;                 // empty: all rows of the truth
  std::int64_t tolerance = 2;        // boundaries: frames that an event may be off a cut
  std::vector<std::string> signals;  // boundaries: judged beside the events
  std::string column = "label";      // labels: where the truth has them
  std::string signal = "surprise";   // anomaly
};
int run_eval_boundaries(const Context& context, const EvalResultsSettings& eval);
int run_eval_labels(const Context& context, const EvalResultsSettings& eval);
int run_eval_anomaly(const Context& context, const EvalResultsSettings& eval);

int run_analyze(const Context& context);

struct LiveSettings {
  std::string drop = "oldest";     // or block, adaptive
  int queue = 8;                   // frames
  bool realtime = false;           // files
  int loops = 1;                   // likewise; 0: for ever
  std::optional<int> max_retries;  // none: for ever
  double stalled_s = 5;            // least time without a frame that counts as lost
  double stats_every_s = 10;
  double run_for_s = 0;  // 0: until it is stopped
  std::string metrics;   // ADDRESS:PORT; empty: none
};
int run_live(const Context& context, const LiveSettings& live);

struct BatchSettings {
  std::vector<std::string> include, exclude;  // shell patterns
  std::string name;                           // of results; empty: the usual one
  int jobs = 1;
  bool retry_failed = false, fail_fast = false, dry_run = false, memories = false;
  std::string summary;  // json: as one object on standard output; empty: for people
};
int run_batch(const Context& context, const BatchSettings& batch);

int run_info(const Context& context);
// `arguments`: of longtake-studio. Comes back only if it could not be started.
int run_studio(const Context& context, const std::vector<std::string>& arguments);

int run_models_list(const Context& context);
int run_models_show(const Context& context);
int run_models_verify(const Context& context);
int run_models_init(const Context& context, std::uint64_t seed);

int run_memory_info(const Context& context);
int run_memory_verify(const Context& context);

struct QuerySettings {
  std::string clip, image, video, folder;  // one of them is given
};
int run_memory_compare(const Context& context);
// `plot`: empty: none.
int run_memory_selftest(const Context& context, const std::filesystem::path& plot);

struct FamiliaritySettings {
  std::vector<std::string> seen, unseen;  // files and folders
  std::string memory;
  std::filesystem::path plot;  // empty: none
};
int run_eval_familiarity(const Context& context, const FamiliaritySettings& familiarity);
struct FitSettings {
  std::filesystem::path cache;   // empty: the usual place
  std::filesystem::path copies;  // empty: none
  std::uint64_t seed = 1;
};
int run_train_familiarity(const Context& context, const FitSettings& fit_settings);
int run_memory_query(const Context& context, const QuerySettings& query);

int run_selftest(const Context& context, const std::filesystem::path& golden);

int run_bench_kernels(const Context& context);
int run_bench_pipeline(const Context& context);
int run_bench_memory(const Context& context);

struct ContextSettings {
  std::vector<std::filesystem::path> models;  // empty: the default one
  std::int64_t frames = 100'000;
  std::uint64_t limit_bytes = 8ull << 30;
  std::filesystem::path plot;  // empty: none
};
int run_bench_context(const Context& context, const ContextSettings& bench);

}  // namespace longtake
