// The videos that were opened together, what is known of each, and the work on them. On the GUI's thread.
#pragma once

#include <QAbstractTableModel>
#include <QStringList>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/batch/manifest.h"
#include "app/studio/mailbox.h"
#include "app/studio/video_work.h"

namespace longtake {

class VideoList : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kName, kState, kFrames, kEvents, kColumns };

  // The arguments as in VideoWork.
  VideoList(Settings settings, std::shared_ptr<spdlog::logger> log, const StopSignals& signals, ModelHolder& models);
  ~VideoList() override;

  // Files and folders, which are looked through in the background.
  void add(const QStringList& paths);
  void remove(const std::vector<int>& rows);  // from the list; files and results stay
  void watch(VideoWork::What what);           // all of the list, one after the other
  void pause();
  bool watching() const { return watching_; }
  bool busy() const { return work_ != nullptr; }

  const ManifestEntry& entry(int row) const { return entries_.at(static_cast<std::size_t>(row)); }
  int count(VideoState state) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 Q_SIGNALS:
  void changed();  // what can be done with the list
  void failed(const longtake::Error& error);

 private:
  void start(VideoWork::What what, std::vector<std::string> given);
  void take(std::vector<ManifestEntry> found);
  void change(const ManifestEntry& entry);
  void show_frames(std::int64_t frames);
  void finish(std::optional<Error> error);
  QString state_text(const ManifestEntry& entry) const;

  const Settings settings_;
  const std::shared_ptr<spdlog::logger> log_;
  const StopSignals& signals_;
  ModelHolder& models_;
  std::vector<ManifestEntry> entries_;  // by path
  std::vector<std::string> waiting_;    // added while there was work
  bool watching_ = false;

  // The mailbox before the threads that post into it: it is closed before these are joined.
  std::unique_ptr<Mailbox<std::function<void()>>> from_work_;
  std::unique_ptr<VideoWork> work_;
};

}  // namespace longtake
