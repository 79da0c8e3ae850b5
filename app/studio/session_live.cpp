// Live sources: opened once, by the analysis, which shows what it sees.
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/studio/session_controller.h"
#include "app/studio/session_folder.h"

namespace longtake {

void SessionController::open_live() {
  Settings settings = settings_of_run();
  files_ = {stream_folder(uri_).toStdString()};
  std::error_code ec;
  std::filesystem::create_directories(files_.folder, ec);
  settings.output = files_.result();
  settings.save_memory = files_.learned();              // and no checkpoint: what has gone by does not come again
  project_.open(files_.project(), files_.video(), {});  // of this watching

  constexpr std::size_t kUnread = 256;
  const auto open_all = [](std::vector<std::function<void()>> letters) {
    for (const auto& letter : letters) letter();
  };
  from_player_ = std::make_unique<Mailbox<std::function<void()>>>(1, open_all);
  from_run_ = std::make_unique<Mailbox<std::function<void()>>>(kUnread, open_all);
  tap_ = std::make_unique<LiveTap>(view_size_.width(), view_size_.height(),
                                   [this, box = from_player_.get()](Player::Shown frame) {
                                     box->post([this, frame = std::move(frame)]() mutable { show(std::move(frame)); });
                                   });
  const auto post = [box = from_run_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
  AnalysisRun::Listener listener;
  listener.opened = [this, post](const StreamInfo& info) {
    post([this, info] {
      info_ = info;
      const double first = static_cast<double>(info.first_pts) * static_cast<double>(info.time_base.num) /
                           static_cast<double>(info.time_base.den);
      axis_.set_whole(first, first);
      axis_.show_all();
      set_state(State::kAnalyzing);
    });
  };
  listener.records = [this, post](std::vector<Record> records) {
    post([this, records = std::move(records)]() mutable { take(std::move(records)); });
  };
  listener.done = [this, post](AnalysisRun::Done done) {
    post([this, done = std::move(done)]() mutable {
      const bool opened = state_ != State::kOpening;
      finish(std::move(done));
      if (!opened) set_state(State::kEmpty);
    });
  };
  run_ = std::make_unique<AnalysisRun>(std::move(settings), model_, log_, signals_, std::move(listener), tap_.get());
  Q_EMIT state_changed();  // there are counts now
}

std::optional<LiveTap::Counts> SessionController::live_counts() const {
  return tap_ && !player_ ? std::optional(tap_->counts()) : std::nullopt;
}

}  // namespace longtake
