// What there is at the mouse while it is over the timeline: a small picture, the time, how surprising it was, its event.
#pragma once

#include <QFrame>
#include <QImage>

class QLabel;

namespace longtake {

class HoverPreview : public QFrame {
  Q_OBJECT

 public:
  // `window`: it floats inside it.
  explicit HoverPreview(QWidget* window);

  // Above a point of the window. A null picture leaves only the words.
  void show_at(QPoint point, const QImage& picture, const QString& words);
  QString words() const;

 private:
  QLabel *picture_, *words_;
};

}  // namespace longtake
