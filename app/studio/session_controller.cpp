#include "app/studio/session_controller.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <system_error>
#include <utility>

#include "app/studio/edited_result.h"

namespace longtake {
namespace {

// Batches of records that may wait for the window; the analysis waits when it is that far ahead.
constexpr std::size_t kUnreadBatches = 256;
constexpr std::size_t kUnreadFrames = 4, kUnreadTold = 4;
constexpr double kCheckpointEvery_s = 10;  // or as often as the settings have it

using Letters = std::vector<std::function<void()>>;
void open_all(Letters letters) {
  for (const auto& letter : letters) letter();
}

}  // namespace

SessionController::SessionController(Settings settings, std::shared_ptr<spdlog::logger> log, const StopSignals& signals)
    : settings_(std::move(settings)),
      log_(std::move(log)),
      signals_(signals),
      model_(settings_.model),
      memories_(settings_, model_, log_, signals_),
      videos_(settings_, log_, signals_, model_) {
  connect(&axis_, &TimeAxis::marks_changed, this, &SessionController::tell_loop);
  connect(&project_, &Project::changed, this, [this] {
    findings_.edit(project_.edits());
    learn_labels();
  });
  connect(&project_, &Project::failed, this, &SessionController::failed);
  connect(&findings_.events(), &EventModel::rename_wanted, this,
          [this](const ListedEvent& event, const QString& name) { project_.rename({event}, name); });
  connect(&findings_.segment_rows(), &SegmentModel::rename_wanted, &project_, &Project::rename_segment);
}

SessionController::~SessionController() { close(); }

void SessionController::close() {
  keep_position();
  if (from_player_) from_player_->close();
  if (from_run_) from_run_->close();
  if (from_load_) from_load_->close();
  if (from_labeller_) from_labeller_->close();
  if (from_tap_) from_tap_->close();
  labeller_.reset();
  player_.reset();
  run_.reset();
  tap_.reset();
  load_.reset();
  from_player_.reset();
  from_run_.reset();
  from_load_.reset();
  from_labeller_.reset();
  from_tap_.reset();
  opened_ = false;
  project_.close();
  learned_.clear();
  labelled_ = {};
  loaded_.reset();
  files_ = {};
  findings_.label({});
  findings_.clear();
  state_bytes_.reset();
  image_ = {};
  picture_.reset();
  forget_records();
  speed_ = 0;
  memories_.set_open_video({});
  axis_.clear();
  set_state(State::kEmpty);
}

void SessionController::open(const QString& uri) {
  close();
  uri_ = uri;
  memories_.set_open_video(uri);
  set_state(State::kOpening);
  if (is_live(uri.toStdString())) return open_live();
  load();
  from_player_ = std::make_unique<Mailbox<std::function<void()>>>(kUnreadFrames, open_all);
  const auto post = [box = from_player_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
  Player::Listener listener;
  listener.opened = [this, post](const StreamInfo& info) { post([this, info] { begin(info); }); };
  listener.failed = [this, post, of = from_player_.get()](const Error& error) {
    // Not in the letter itself: it would end the mailbox that reads it.
    const auto give_up = [this, of, error] {
      if (from_player_.get() != of) return;  // something else was opened
      if (state_ == State::kOpening) close();
      Q_EMIT failed(error);
    };
    post([this, give_up] { QMetaObject::invokeMethod(this, give_up, Qt::QueuedConnection); });
  };
  listener.shown = [this, post](Player::Shown frame) {
    post([this, frame = std::move(frame)]() mutable {
      if (!following()) show(std::move(frame));
    });
  };
  player_ = std::make_unique<Player>(uri.toStdString(), view_size_.width(), view_size_.height(), std::move(listener));
}

void SessionController::begin(const StreamInfo& info) {
  info_ = info;
  const double tick = static_cast<double>(info.time_base.num) / static_cast<double>(info.time_base.den);
  const double first = static_cast<double>(info.first_pts) * tick;
  axis_.set_whole(first, first + info.duration_s.value_or(0));
  axis_.show_all();
  axis_.set_playhead(first);
  tell_loop();
  opened_ = true;
  go_where_left();
  begin_when_ready();
}

void SessionController::load() {
  from_load_ = std::make_unique<Mailbox<std::function<void()>>>(kUnreadBatches, open_all);
  const auto post = [box = from_load_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
  load_ = std::make_unique<SessionLoad>(
      settings_of_run(), model_,
      SessionLoad::Listener{
          [this, post](const SessionFiles& files, LoadedProject project, std::optional<std::int64_t> left_at) {
            post([this, files, left_at, project = std::move(project)] {
              files_ = files;
              left_at_ = remembers_position_ ? left_at : std::nullopt;
              go_where_left();
              project_.open(files.project(), files.video(), project.edits);
              if (!project.problem.empty()) say(project.problem);
            });
          },
          [this, post](std::vector<Record> records) {
            post([this, records = std::move(records)]() mutable { take(std::move(records)); });
          },
          [this, post](SessionLoad::Done done) {
            post([this, done = std::move(done)] {
              loaded_ = done;
              begin_when_ready();
            });
          }});
}

// Not before the first label: who has none needs no second look at the video.
void SessionController::learn_labels() {
  const std::vector<RangeLabel>& labels = project_.edits().choices.labels;
  if (labels == learned_ || !opened_ || !loaded_) return;
  learned_ = labels;
  if (!labeller_) {
    from_labeller_ = std::make_unique<Mailbox<Labeller::Told>>(kUnreadTold, [this](std::vector<Labeller::Told> told) {
      labelled_ = std::move(told.back());
      findings_.label(labelled_.moments);
      Q_EMIT labelled_changed();
    });
    const auto post = [box = from_labeller_.get()](Labeller::Told told) { box->post(std::move(told)); };
    labeller_ = std::make_unique<Labeller>(settings_of_run(), model_, files_.labels(), post);
  }
  labeller_->learn(labels);
}

// The video is open, and what an earlier session left is there.
void SessionController::begin_when_ready() {
  if (state_ != State::kOpening || !opened_ || !loaded_) return;
  if (findings_.last_t() > axis_.end()) axis_.set_whole(axis_.begin(), findings_.last_t());
  using Kept = SessionLoad::Done::Result;
  if (loaded_->result == Kept::kComplete) {
    state_bytes_ = loaded_->state_bytes;
    std::error_code ec;
    if (std::filesystem::exists(files_.learned(), ec)) show_learned();
  }
  set_state(loaded_->result == Kept::kComplete ? State::kAnalyzed : State::kReady);
  if (!loaded_->problem.empty()) say(loaded_->problem);
  learn_labels();
  if (loaded_->result == Kept::kOther) {
    say(tr("This result was made with another model or other settings; Ctrl+R analyses the video anew.").toStdString());
  }
}

void SessionController::show_learned() {
  memories_.load(QString::fromStdString(files_.learned().string()), MemoryController::kLearned);
}

void SessionController::say(const std::string& sentence) { Q_EMIT noticed(QString::fromStdString(sentence)); }

Settings SessionController::settings_of_run() const {
  Settings out = settings_;
  out.inputs = {uri_.toStdString()};
  out.memory = memories_.start();
  return out;
}

SessionController::ResultToExport SessionController::result_to_export() {
  if (!project_.edits().change_result() && !findings_.is_labelled()) return {result_file(), nullptr};
  return {QString::fromStdString(files_.edited().string()),
          [from = files_.result(), to = files_.edited(), events = findings_.events().rows(),
           segments = findings_.segment_rows().rows()](const std::stop_token& stop) {
            return write_edited_result(from, to, events, segments, stop);
          }};
}

Moment SessionController::here() const {
  const double t = axis_.playhead();
  return {std::llround(findings_.curves().times().frame_at(t)), shown_pts_, t};
}

void SessionController::show(Player::Shown frame) {
  const RgbImage& rgb = *frame.image;
  // The picture lives as long as the image that looks at it.
  auto* keep = new std::shared_ptr<const RgbImage>(frame.image);
  image_ = QImage(
      rgb.pixels.data(), rgb.width, rgb.height, 3 * rgb.width, QImage::Format_RGB888,
      [](void* kept) { delete static_cast<std::shared_ptr<const RgbImage>*>(kept); }, keep);
  picture_ = std::move(frame.picture);
  shown_pts_ = frame.pts;
  if (shown_pts_ != info_.first_pts) left_at_.reset();
  if (!frame.playing) speed_ = 0;
  axis_.set_playhead(frame.t);
  want_record();
  Q_EMIT image_changed();
}

void SessionController::analyze() {
  if (state_ != State::kReady && state_ != State::kAnalyzed) return;
  if (videos_.watching()) {  // perhaps into the same files
    Q_EMIT failed({ErrorKind::kUsage, "the list of videos is being analysed: pause it first"});
    return;
  }
  if (!player_) return open(QString(uri_));  // a live source: it goes on from now
  if (from_run_) from_run_->close();         // so that the last run, if it still waits, ends
  run_.reset();
  Settings settings = settings_of_run();
  files_.start = SessionFiles::start_key(settings.memory);
  std::error_code ec;
  std::filesystem::create_directories(files_.folder, ec);
  settings.output = files_.result();
  settings.checkpoint = files_.checkpoint();
  settings.save_memory = files_.learned();
  settings.checkpoint_every_s = std::min(settings.checkpoint_every_s, kCheckpointEvery_s);
  if (loaded_->result == SessionLoad::Done::Result::kOther) std::filesystem::remove(files_.checkpoint(), ec);
  loaded_->result = SessionLoad::Done::Result::kPart;  // from now on it is of these settings

  findings_.clear();
  forget_records();
  state_bytes_.reset();
  from_run_ = std::make_unique<Mailbox<std::function<void()>>>(kUnreadBatches, open_all);
  const auto post = [box = from_run_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
  set_state(State::kAnalyzing);
  run_ = std::make_unique<AnalysisRun>(
      std::move(settings), model_, log_, signals_,
      AnalysisRun::Listener{nullptr,
                            [this, post](std::vector<Record> records) {
                              post([this, records = std::move(records)]() mutable { take(std::move(records)); });
                            },
                            [this, post](AnalysisRun::Done done) {
                              post([this, done = std::move(done)]() mutable { finish(std::move(done)); });
                            }},
      tap_frames());
}

void SessionController::take(std::vector<Record> records) {
  findings_.take(std::move(records), info_.time_base);
  // Beyond what the container promised.
  if (findings_.last_t() > axis_.end()) axis_.set_whole(axis_.begin(), findings_.last_t());
  axis_.set_newest(findings_.last_t());
  want_record();
}

void SessionController::finish(AnalysisRun::Done done) {
  state_bytes_ = done.end.state_bytes;
  if (done.state && !done.error) show_learned();
  if (following()) {
    shown_pts_ = stood_at_;
    player_->seek(stood_at_);
  }
  const bool goes_on = player_ && done.end.reason == "stopped";  // where it was stopped, when it is asked for again
  set_state(done.error || goes_on ? State::kReady : State::kAnalyzed);
  if (done.error && done.error->kind != ErrorKind::kStopped) Q_EMIT failed(*done.error);
}

void SessionController::stop_analysis() {
  if (run_) run_->stop();
}

void SessionController::set_state(State state) {
  if (state == state_) return;
  state_ = state;
  Q_EMIT state_changed();
}

void SessionController::seek(double t) {
  if (!player_ || info_.time_base.num == 0) return;
  seek_pts(std::llround(t * static_cast<double>(info_.time_base.den) / static_cast<double>(info_.time_base.num)));
}

void SessionController::seek_pts(std::int64_t pts) {
  look_elsewhere();
  if (player_) player_->seek(pts);
}

void SessionController::seek_to(const Remembered& moment) {
  const bool same_base = moment.time_base.num * info_.time_base.den == info_.time_base.num * moment.time_base.den;
  same_base ? seek_pts(moment.pts) : seek(moment.t);
}

void SessionController::step(int frames) {
  look_elsewhere();
  speed_ = 0;
  if (player_) player_->step(frames);
}

void SessionController::play(double speed) {
  if (!player_) return;
  look_elsewhere();
  speed_ = speed;
  player_->play(speed);
  Q_EMIT image_changed();
}

void SessionController::shuttle(int direction) {
  constexpr double kFastest = 16;
  const bool same_way = speed_ * direction > 0;
  play(same_way ? std::clamp(2 * speed_, -kFastest, kFastest) : direction);
}

void SessionController::set_view_size(QSize size) {
  view_size_ = size;
  if (player_) player_->resize(size.width(), size.height());
  if (tap_) tap_->resize(size.width(), size.height());
}

void SessionController::go_to_event(int direction) {
  std::vector<std::int64_t> at;
  for (const EventRecord& event : findings_.events().events()) at.push_back(event.pts);
  if (direction > 0) {
    const auto next = std::ranges::upper_bound(at, shown_pts_);
    if (next != at.end()) seek_pts(*next);
  } else {
    const auto next = std::ranges::lower_bound(at, shown_pts_);
    if (next != at.begin()) seek_pts(*std::prev(next));
  }
}

}  // namespace longtake
