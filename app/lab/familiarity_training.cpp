#include <string>

#include "app/commands.h"
#include "app/exit_code.h"
#include "app/progress.h"
#include "models/train/familiarity_fit.h"

namespace longtake {

int run_train_familiarity(const Context& context, const FitSettings& fit_settings) {
  FamiliarityFitRequest request;
  request.model = context.settings.output;
  request.videos = context.settings.inputs;
  request.seed = fit_settings.seed;
  request.copies = fit_settings.copies;
  request.threads = request.cache.threads = context.settings.thread_count();
  request.cache.folder = fit_settings.cache.empty() ? default_feature_folder() : fit_settings.cache;
  EncodingProgress progress(context.settings.progress_mode());
  request.cache.on_frame = [&](const StreamInfo& info, std::int64_t frames, double seconds) {
    progress.frame(info, frames, seconds);
  };
  const auto note = [&](const std::string& sentence) {
    progress.clear();
    context.log.info("{}", sentence);
  };
  const auto fit = fit_familiarity(request, note, context.signals.token());
  progress.clear();
  if (!fit) return context.fail(fit.error());
  const auto& [a, b, c] = fit->scale.weights;
  context.log.info(
      "{}: odds {:.2f} log error + {:.2f} log blank + {:.2f}, of several frames {:+.2f}, fitted to {} answers "
      "about {} clips; held out: AUROC {:.3f}, calibration error {:.3f} of pictures, {:.3f} and {:.3f} of "
      "seconds, of which those not seen look most like those seen",
      request.model.string(), a, b, c, fit->scale.several, fit->answers, fit->clips, fit->pictures.auroc,
      fit->pictures.calibration_error, fit->alike.auroc, fit->alike.calibration_error);
  return kExitDone;
}

}  // namespace longtake
