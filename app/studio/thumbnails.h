// Small pictures of a video's moments: a bounded number of them, made by a thread and a decoder of their own that give way to
// everything else.
#pragma once

#include <QImage>
#include <QObject>
#include <QString>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "app/studio/mailbox.h"

namespace longtake {

class ThumbnailMaker;

class Thumbnails : public QObject {
  Q_OBJECT

 public:
  static constexpr int kWidth = 160, kHeight = 120;  // no picture is larger
  static constexpr std::size_t kMost = 300;          // pictures that are kept

  explicit Thumbnails(QObject* parent = nullptr);
  ~Thumbnails() override;

  // `path`: a file; of anything else there are no pictures. Forgets those of the one before.
  void open(const QString& path);
  void close();
  bool is_open() const { return maker_ != nullptr; }

  // What is looked at, in seconds, the most wanted first; nothing else is made any more. `apart`: how far these moments are
  // from one another; where a key frame lies within half of that, it will do. Key frames of all of them come first.
  void want(std::vector<double> moments, double apart);
  // The same for a single moment, before all others.
  void want_first(double moment, double apart);

  // The picture of the moment, or else the last one before it that there is; null: none yet.
  QImage at(double moment) const;
  std::size_t count() const { return kept_.size(); }

 Q_SIGNALS:
  void changed();

 private:
  struct Kept {
    QImage image;
    double off = 0;  // seconds before the moment
    std::int64_t used = 0;
  };
  void tell();
  void keep(double moment, QImage image, double off);

  std::map<std::int64_t, Kept> kept_;  // by the moment they were wanted for, in ms
  std::int64_t uses_ = 0;
  std::vector<double> wanted_;
  double first_ = -1, first_apart_ = 0, apart_ = 0;
  std::unique_ptr<Mailbox<std::function<void()>>> from_maker_;
  std::unique_ptr<ThumbnailMaker> maker_;
};

}  // namespace longtake
