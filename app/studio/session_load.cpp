#include "app/studio/session_load.h"

#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "app/label_commands.h"
#include "app/studio/model_holder.h"
#include "app/studio/playback_position.h"
#include "app/studio/result_lines.h"
#include "app/studio/session_folder.h"
#include "core/records/parse.h"
#include "models/memory_file.h"
#include "models/model.h"

namespace longtake {

std::string SessionFiles::start_key(const std::filesystem::path& memory) {
  return memory.empty() ? std::string() : source_key(memory).substr(0, 12);
}

SessionLoad::SessionLoad(Settings settings, ModelHolder& model, Listener listener)
    : settings_(std::move(settings)),
      model_(model),
      listener_(std::move(listener)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void SessionLoad::run(const std::stop_token& stop) {
  const SessionFiles files{session_folder(QString::fromStdString(settings_.inputs.front())).toStdString(),
                           SessionFiles::start_key(settings_.memory)};
  listener_.project(files, load_project(files.project(), files.video()), read_playback_position(files.position()));
  listener_.done(load(files, stop));
}

SessionLoad::Done SessionLoad::load(const SessionFiles& files, const std::stop_token& stop) {
  std::error_code ec;
  if (!std::filesystem::exists(files.result(), ec)) return {};
  constexpr std::size_t kBatch = 1000;
  Done out;
  std::vector<Record> batch;
  bool same = false, complete = false;
  std::int64_t number = 0;
  const auto read = for_each_line(files.result(), [&](const std::string& line) {
    ++number;
    auto record = parse_json_line(line);
    if (!record) {
      out.problem = fmt::format("cannot use the result \"{}\": line {} is {}", files.result().string(), number,
                                record.error().message);
      return false;
    }
    if (!*record) return true;  // of a kind that this program does not know
    if (const auto* header = std::get_if<HeaderRecord>(&**record)) same = is_of_these_settings(*header);
    if (const auto* end = std::get_if<EndRecord>(&**record)) {
      complete = end->reason == "end_of_stream" || end->reason == "range_end";
      out.state_bytes = end->state_bytes;
    }
    batch.push_back(std::move(**record));
    if (batch.size() >= kBatch) listener_.records(std::exchange(batch, {}));
    return !stop.stop_requested();
  });
  listener_.records(std::move(batch));
  if (!read) out.problem = read.error().message;
  const bool whole = out.problem.empty() && complete;
  out.result = !same ? Done::Result::kOther : whole ? Done::Result::kComplete : Done::Result::kPart;
  return out;
}

bool SessionLoad::is_of_these_settings(const HeaderRecord& header) const {
  const auto analysis = analysis_settings(settings_, settings_.inputs.front());
  if (!analysis) return false;
  const auto model = model_.get();
  if (!model) return false;
  OptionList options = analysis->recorded;
  if (!settings_.labels.empty()) {
    const auto labels = watched_labels(settings_.labels, (*model)->folder().encoder());
    if (!labels) return false;
    options.emplace_back("labels", labels->names.sha256.substr(0, 12));
  }
  return header.model == (*model)->folder().id() && header.fps == settings_.fps && header.options == options;
}

}  // namespace longtake
