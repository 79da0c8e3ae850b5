#include "app/studio/live_watch.h"

#include <algorithm>

namespace longtake {

LiveWatch::LiveWatch(SessionController& session) : session_(session) {
  constexpr int kEvery_ms = 250;
  timer_.setInterval(kEvery_ms);
  connect(&timer_, &QTimer::timeout, this, &LiveWatch::look);
  connect(&session_, &SessionController::state_changed, this, &LiveWatch::look);
}

int LiveWatch::no_signal_s() const {
  const bool none = state_ == State::kStalled || state_ == State::kLost || state_ == State::kEnded;
  return none ? std::max(1, static_cast<int>(counts_.silent_s.value_or(0))) : 0;
}

void LiveWatch::look() {
  const auto counts = session_.live_counts();
  counts_ = counts.value_or(LiveTap::Counts{});
  if (!counts || session_.state() == SessionController::State::kEmpty) {
    state_ = State::kNone;
    timer_.stop();
  } else {
    timer_.start();
    if (session_.state() == SessionController::State::kOpening) {
      state_ = State::kConnecting;
    } else if (session_.state() != SessionController::State::kAnalyzing) {
      state_ = State::kEnded;
    } else {
      const LiveState source = counts_.state;
      state_ = source == LiveState::kStreaming ? State::kStreaming
               : source == LiveState::kStalled ? State::kStalled
                                               : State::kLost;
    }
  }
  Q_EMIT changed();
}

}  // namespace longtake
