// Verbs that need LibTorch. In this program they are those of longtake-lab, which lies beside it, takes the same command line,
// and goes on in its place. So everything else starts without LibTorch, which Debian links with OpenCV's windows and Qt 5.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "app/commands.h"

namespace longtake {
namespace {

int hand_over(const Context& context) {
  std::error_code ec;
  const auto lab = std::filesystem::read_symlink("/proc/self/exe", ec).parent_path() / "longtake-lab";
  execv(lab.c_str(), context.arguments);
  return context.fail(
      {ErrorKind::kUnexpected, fmt::format("cannot start \"{}\", which has the verbs that need LibTorch: {}",
                                           lab.string(), std::strerror(errno))});
}

}  // namespace

int run_train(const Context& context, TrainedPart, const TrainSettings&) { return hand_over(context); }
int run_train_labels(const Context& context, const TrainSettings&, const LabelTrainingSettings&) {
  return hand_over(context);
}
int run_train_familiarity(const Context& context, const FitSettings&) { return hand_over(context); }

int run_eval_prediction(const Context& context, const EvalSettings&) { return hand_over(context); }
int run_eval_recall(const Context& context, const EvalSettings&) { return hand_over(context); }
int run_eval_remember(const Context& context, const EvalSettings&) { return hand_over(context); }
int run_eval_density(const Context& context, const EvalSettings&) { return hand_over(context); }

int run_models_verify(const Context& context) { return hand_over(context); }
int run_models_init(const Context& context, std::uint64_t) { return hand_over(context); }

int run_selftest(const Context& context, const std::filesystem::path&) { return hand_over(context); }
int run_bench_kernels(const Context& context) { return hand_over(context); }
int run_bench_context(const Context& context, const ContextSettings&) { return hand_over(context); }

}  // namespace longtake
