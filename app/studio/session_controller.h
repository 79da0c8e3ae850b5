// One open video: its player, its analysis, and everything that became known of it. Owns the threads; views see models and
// signals, all on the GUI's thread.
#pragma once

#include <QImage>
#include <QObject>
#include <QString>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <spdlog/logger.h>

#include "app/settings.h"
#include "app/stop_signals.h"
#include "app/studio/analysis_run.h"
#include "app/studio/errands.h"
#include "app/studio/findings.h"
#include "app/studio/frame_records.h"
#include "app/studio/labeller.h"
#include "app/studio/live_tap.h"
#include "app/studio/mailbox.h"
#include "app/studio/memory_controller.h"
#include "app/studio/model_holder.h"
#include "app/studio/player.h"
#include "app/studio/project.h"
#include "app/studio/session_load.h"
#include "app/studio/time_axis.h"
#include "app/studio/video_list.h"

namespace longtake {

class SessionController : public QObject {
  Q_OBJECT

 public:
  enum class State { kEmpty, kOpening, kReady, kAnalyzing, kAnalyzed };

  // `settings`: of every analysis; input, output and checkpoint are the session's own.
  SessionController(Settings settings, std::shared_ptr<spdlog::logger> log, const StopSignals& signals);
  ~SessionController() override;

  // Whether a video is shown where it was left last; else from its start, and no trace of where it is left now.
  void set_remembers_position(bool on) { remembers_position_ = on; }
  void open(const QString& uri);  // a path or URL; closes what is open
  void close();
  void analyze();
  void stop_analysis();

  State state() const { return state_; }
  const QString& uri() const { return uri_; }
  const StreamInfo& info() const { return info_; }
  TimeAxis& axis() { return axis_; }
  Findings& findings() { return findings_; }
  QString result_file() const { return QString::fromStdString(files_.result().string()); }
  // The result as the person left it: a file with the edits, if there are any, and otherwise what the analysis wrote.
  struct ResultToExport {
    QString file;
    // Writes it, as write_edited_result() does; none: it is there.
    std::function<Result<void>(const std::stop_token&)> write;
  };
  ResultToExport result_to_export();
  Project& project() { return project_; }
  Moment here() const;  // the frame that is shown
  // What the labeller said last.
  const Labeller::Told& labelled() const { return labelled_; }
  std::optional<std::int64_t> state_bytes() const { return state_bytes_; }  // of what was learned; known at the end

  ModelHolder& model() { return model_; }
  Errands& errands() { return errands_; }
  VideoList& videos() { return videos_; }
  MemoryController& memories() { return memories_; }

  // Of the live source that is open; none: there is none.
  std::optional<LiveTap::Counts> live_counts() const;

  // The frame that is shown.
  const QImage& image() const { return image_; }
  std::int64_t shown_pts() const { return shown_pts_; }
  bool playing() const { return speed_ != 0; }
  double speed() const { return speed_; }

  void seek(double t);
  void seek_pts(std::int64_t pts);
  void seek_to(const Remembered& moment);  // of this video
  void step(int frames);
  void play(double speed);      // 0: stop
  void shuttle(int direction);  // plays that way; again: twice as fast
  void set_view_size(QSize size);
  void seek_time(const TimePoint& time);
  // The speed of ordinary playing, 0.1 … 16; kept while nothing plays.
  double rate() const { return rate_; }
  void set_rate(double rate);
  // Whether playing goes from the marked range's end back to its start.
  bool looping() const { return looping_; }
  void set_looping(bool on);
  // The shown frame, in full size, as a PNG file; snapshot_saved() or failed() follows.
  void save_snapshot(const QString& file);
  // Whether an analysis shows the frames that it watches, until another one is looked at.
  bool follows() const { return follows_; }
  void set_follows(bool on);
  // What the result says of the shown frame; none: nothing (yet).
  const std::optional<FrameRecord>& record() const { return record_; }
  // The event before or behind the playhead, if there is one.
  void go_to_event(int direction);

 Q_SIGNALS:
  void state_changed();
  void image_changed();
  void record_changed();
  void snapshot_saved(const QString& file);
  void failed(const longtake::Error& error);
  void labelled_changed();
  void noticed(const QString& sentence);  // something to know that is no failure

 private:
  void open_live();  // session_live.cpp
  void load();
  void begin(const StreamInfo& info);
  void begin_when_ready();
  void learn_labels();
  void show_learned();
  void say(const std::string& sentence);
  Settings settings_of_run() const;
  void set_state(State state);
  void take(std::vector<Record> records);
  void finish(AnalysisRun::Done done);
  void show(Player::Shown frame);
  void tell_loop();
  LiveTap* tap_frames();
  bool following() const;
  void look_elsewhere();
  void want_record();
  void forget_records();
  void go_where_left();
  void keep_position();

  const Settings settings_;
  const std::shared_ptr<spdlog::logger> log_;
  const StopSignals& signals_;
  ModelHolder model_;

  State state_ = State::kEmpty;
  QString uri_;
  SessionFiles files_;
  bool opened_ = false;                      // the player is
  std::optional<SessionLoad::Done> loaded_;  // once it is
  StreamInfo info_;
  TimeAxis axis_;
  Findings findings_;
  Project project_;
  MemoryController memories_;
  VideoList videos_;
  std::vector<RangeLabel> learned_;  // what the labeller was given
  Labeller::Told labelled_;
  std::optional<std::int64_t> state_bytes_;
  QImage image_;
  std::int64_t shown_pts_ = 0;
  std::int64_t stood_at_ = 0;               // before the frames of the analysis were shown
  std::shared_ptr<const Picture> picture_;  // that frame, as it was decoded
  std::optional<FrameRecord> record_;
  bool remembers_position_ = true;
  std::optional<std::int64_t> left_at_;  // until that frame is shown
  double speed_ = 0, rate_ = 1;
  bool looping_ = false;
  bool follows_ = true, elsewhere_ = false;
  QSize view_size_{1280, 720};

  Errands errands_;

  // Mailboxes before the threads that post into them: they are closed before these are joined.
  std::unique_ptr<Mailbox<std::function<void()>>> from_player_, from_run_, from_load_, from_records_, from_tap_;
  std::unique_ptr<Mailbox<Labeller::Told>> from_labeller_;
  std::unique_ptr<Player> player_;
  std::unique_ptr<LiveTap> tap_;  // of the analysis
  std::unique_ptr<FrameRecords> records_;
  std::unique_ptr<AnalysisRun> run_;
  std::unique_ptr<SessionLoad> load_;
  std::unique_ptr<Labeller> labeller_;
};

}  // namespace longtake
