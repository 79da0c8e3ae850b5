// How the live source that is open is doing, looked at a few times a second. On the GUI's thread.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>

#include "app/studio/live_tap.h"
#include "app/studio/session_controller.h"

namespace longtake {

class LiveWatch : public QObject {
  Q_OBJECT

 public:
  enum class State { kNone, kConnecting, kStreaming, kStalled, kLost, kEnded };

  explicit LiveWatch(SessionController& session);

  // kNone: no live source is open. kLost: it is tried again. kEnded: not any more.
  State state() const { return state_; }
  const LiveTap::Counts& counts() const { return counts_; }
  // While frames should come and do not: for how many seconds none came. 0: they come.
  int no_signal_s() const;

 Q_SIGNALS:
  void changed();

 private:
  void look();

  SessionController& session_;
  State state_ = State::kNone;
  LiveTap::Counts counts_;
  QTimer timer_;
};

}  // namespace longtake
