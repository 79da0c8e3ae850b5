#include "app/commands.h"
#include "app/exit_code.h"
#include "models/model_folder.h"

namespace longtake {

int Context::fail(const Error& error) const {
  log.error("{}", error.message);
  if (error.kind == ErrorKind::kStopped && signals.exit_code() != 0) return signals.exit_code();
  return exit_code(error.kind);
}

Result<std::filesystem::path> Context::model_path() const {
  if (!settings.model.empty()) return settings.model;
  return default_model_folder();
}

}  // namespace longtake
