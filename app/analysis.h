// One video, watched with everything that the settings ask for: what `longtake analyze` and longtake-studio have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "app/commands.h"
#include "app/memory_asking.h"
#include "app/settings.h"
#include "core/media/source.h"
#include "core/pipeline/pipeline.h"
#include "core/result.h"
#include "core/signals/decider.h"
#include "models/memory_file.h"
#include "models/model.h"

namespace longtake {

// For PipelineOptions::checkpoint_due: true once in so many seconds.
std::function<bool()> every(double seconds);

// What a result depends on beside the video: model, settings, and the contents of the files that they name. Hex. Errors: those
// of analysis_settings().
Result<std::string> results_key(const Settings& settings, const Model& model);

class Analysis {
 public:
  // Opens the model, the video, and what --labels, --compare, --memory and --checkpoint name; goes on from the latter two.
  // `model`: one that is loaded already, or null. Warnings go to the context's log. Errors: those of analysis_settings(),
  // Model::load(), read_memory() and open_source().
  // `open_video`: what opens it.
  using OpenVideo = std::function<Result<std::unique_ptr<FrameSource>>(const SourceSpec&, std::stop_token)>;
  static Result<std::unique_ptr<Analysis>> open(const Context& context, const std::string& input,
                                                std::shared_ptr<const Model> model, std::stop_token stop,
                                                const OpenVideo& open_video = open_source);

  const StreamInfo& info() const noexcept { return source_->info(); }
  const std::shared_ptr<const Model>& model() const noexcept { return model_; }
  HeaderRecord header() const;
  std::int64_t state_bytes() const { return analyzer_->state_bytes(); }  // constant; any thread
  // Length of the result that a checkpoint belongs to, and that the run goes on to; none if it starts from the first frame.
  std::optional<std::int64_t> continued_result() const noexcept { return continued_; }

  // Before run(), which then reads from what `around` makes of the source.
  void wrap_source(const std::function<std::unique_ptr<FrameSource>(std::unique_ptr<FrameSource>)>& around) {
    source_ = around(std::move(source_));
  }
  // Once. The caller's thread delivers.
  PipelineOutcome run(Sink& sink, const PipelineOptions& options, std::stop_token stop);

  // Errors: kUnexpected (cannot be written).
  Result<void> save_checkpoint(const TensorFile& state, std::int64_t result_bytes) const;
  Result<void> save_memory(const std::filesystem::path& path, const TensorFile& state) const;

 private:
  Analysis(const Settings& settings, AnalysisSettings analysis, std::shared_ptr<const Model> model);
  Result<void> prepare(const Context& context, const std::string& input);  // all but the video
  void begin_video();

  Settings settings_;
  AnalysisSettings analysis_;
  std::shared_ptr<const Model> model_;
  MemoryLabel label_;
  StreamPosition position_;
  bool same_source_ = false;
  bool goes_on_ = false;  // from a state of any kind
  std::optional<std::int64_t> continued_;
  std::unique_ptr<Asking> asking_;  // outlives the analyzer that compares with it
  std::optional<ModelAnalyzer> analyzer_;
  std::optional<Decider> decider_;
  std::unique_ptr<FrameSource> source_;
};

}  // namespace longtake
