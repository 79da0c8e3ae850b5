#include "app/studio/video_list.h"

#include <algorithm>
#include <set>
#include <utility>

#include "app/studio/source_name.h"

namespace longtake {
namespace {

constexpr std::size_t kUnread = 64;

QString path_of(const ManifestEntry& entry) { return QString::fromLocal8Bit(entry.path); }

}  // namespace

VideoList::VideoList(Settings settings, std::shared_ptr<spdlog::logger> log, const StopSignals& signals,
                     ModelHolder& models)
    : settings_(std::move(settings)), log_(std::move(log)), signals_(signals), models_(models) {}

VideoList::~VideoList() {
  if (from_work_) from_work_->close();
}

void VideoList::add(const QStringList& paths) {
  for (const QString& path : paths) waiting_.push_back(path.toLocal8Bit().toStdString());
  if (!busy()) start(VideoWork::What::kLook, std::exchange(waiting_, {}));
}

void VideoList::remove(const std::vector<int>& rows) {
  if (busy()) return;
  const std::set<int> gone(rows.begin(), rows.end());
  beginResetModel();
  std::vector<ManifestEntry> left;
  for (int row = 0; row < rowCount(); ++row) {
    if (!gone.contains(row)) left.push_back(std::move(entries_[static_cast<std::size_t>(row)]));
  }
  entries_ = std::move(left);
  endResetModel();
  Q_EMIT changed();
}

void VideoList::watch(VideoWork::What what) {
  if (busy() || entries_.empty()) return;
  watching_ = true;
  std::vector<std::string> all;
  for (const ManifestEntry& entry : entries_) all.push_back(entry.path);
  start(what, std::move(all));
}

void VideoList::pause() {
  if (watching_ && work_) work_->stop();
}

void VideoList::start(VideoWork::What what, std::vector<std::string> given) {
  from_work_ =
      std::make_unique<Mailbox<std::function<void()>>>(kUnread, [](std::vector<std::function<void()>> letters) {
        for (const auto& letter : letters) letter();
      });
  const auto post = [box = from_work_.get()](std::function<void()> letter) { box->post(std::move(letter)); };
  work_ = std::make_unique<VideoWork>(
      what, std::move(given), settings_, log_, signals_, models_,
      VideoWork::Listener{
          [this, post](std::vector<ManifestEntry> found) {
            post([this, found = std::move(found)]() mutable { take(std::move(found)); });
          },
          [this, post](ManifestEntry entry) { post([this, entry = std::move(entry)] { change(entry); }); },
          [this, post](std::int64_t frames) { post([this, frames] { show_frames(frames); }); },
          // Not in the letter itself: it would end the mailbox that reads it.
          [this, post](std::optional<Error> error) {
            post([this, error = std::move(error)] {
              QMetaObject::invokeMethod(
                  this, [this, error] { finish(error); }, Qt::QueuedConnection);
            });
          }});
  Q_EMIT changed();
}

void VideoList::take(std::vector<ManifestEntry> found) {
  beginResetModel();
  for (ManifestEntry& entry : found) {
    const auto at = std::ranges::lower_bound(entries_, entry.path, {}, &ManifestEntry::path);
    if (at != entries_.end() && at->path == entry.path) {
      *at = std::move(entry);
    } else {
      entries_.insert(at, std::move(entry));
    }
  }
  endResetModel();
}

void VideoList::change(const ManifestEntry& entry) {
  const auto at = std::ranges::lower_bound(entries_, entry.path, {}, &ManifestEntry::path);
  if (at == entries_.end() || at->path != entry.path) return;
  *at = entry;
  const int row = static_cast<int>(at - entries_.begin());
  Q_EMIT dataChanged(index(row, 0), index(row, kColumns - 1));
  Q_EMIT changed();
}

void VideoList::show_frames(std::int64_t frames) {
  const auto at = std::ranges::find(entries_, VideoState::kRunning, &ManifestEntry::state);
  if (at == entries_.end()) return;
  at->frames = frames;
  const int row = static_cast<int>(at - entries_.begin());
  Q_EMIT dataChanged(index(row, kFrames), index(row, kFrames));
}

void VideoList::finish(std::optional<Error> error) {
  from_work_->close();
  work_.reset();
  watching_ = false;
  for (ManifestEntry& entry : entries_) {
    if (entry.state == VideoState::kRunning) entry.state = VideoState::kWaiting;
  }
  if (!entries_.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, kColumns - 1));
  if (error && error->kind != ErrorKind::kStopped) Q_EMIT failed(*error);
  if (!waiting_.empty()) start(VideoWork::What::kLook, std::exchange(waiting_, {}));
  Q_EMIT changed();
}

int VideoList::count(VideoState state) const {
  return static_cast<int>(std::ranges::count(entries_, state, &ManifestEntry::state));
}

int VideoList::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(entries_.size());
}
int VideoList::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : kColumns; }

QString VideoList::state_text(const ManifestEntry& entry) const {
  switch (entry.state) {
    case VideoState::kWaiting: return entry.attempts > 0 ? tr("begun") : tr("not analysed");
    case VideoState::kRunning: return tr("analysing");
    case VideoState::kDone: return tr("analysed");
    case VideoState::kFailed: return tr("failed");
    case VideoState::kNoVideo: return tr("no video");
  }
  return {};
}

QVariant VideoList::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const ManifestEntry& one = entry(index.row());
  const bool counted = one.state == VideoState::kDone || one.state == VideoState::kRunning;
  if (role == Qt::ToolTipRole) return one.error.empty() ? path_of(one) : QString::fromLocal8Bit(one.error);
  if (role == Qt::TextAlignmentRole && index.column() >= kFrames) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case kName: return shown_name(path_of(one));
    case kState: return state_text(one);
    case kFrames: return counted ? QVariant(static_cast<qlonglong>(one.frames)) : QVariant();
    case kEvents: return one.state == VideoState::kDone ? QVariant(static_cast<qlonglong>(one.events)) : QVariant();
    default: return {};
  }
}

QVariant VideoList::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal) return {};
  switch (section) {
    case kName: return tr("Video");
    case kState: return tr("State");
    case kFrames: return tr("Frames");
    case kEvents: return tr("Events");
    default: return {};
  }
}

}  // namespace longtake
