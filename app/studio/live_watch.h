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
  enum class State { kNone, kConnecting, kStreaming, kStalled, kLost };

  explicit LiveWatch(SessionController& session);

  State state() const { return state_; }  // kNone: no live source is open
  const LiveTap::Counts& counts() const { return counts_; }
  // While frames should come and do not: for how many seconds none came. 0: they come.
  int no_signal_s() const;

  // With no frame for so long, a source whose frames come that far apart is stalled.
  static double stalled_after_s(double median_gap_s);

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
