// The thread behind Thumbnails.
#pragma once

#include <QImage>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/media/glance.h"

namespace longtake {

class ThumbnailMaker {
 public:
  struct Wish {
    double moment = 0;  // seconds
    double apart = 0;   // a key frame no farther before it than half of this is exact enough
    bool has_key_frame = false;
  };
  // On this one's own thread. `off`: how many seconds before the moment the picture is.
  using Made = std::function<void(double moment, QImage image, double off)>;

  ThumbnailMaker(std::string path, int width, int height, Made made);

  // Any thread. In place of all wishes that nobody has begun with.
  void want(std::vector<Wish> wishes);

 private:
  void run(const std::stop_token& stop);
  // False: there will never be one.
  bool make(Glance& glance, const Wish& wish, const std::stop_token& stop);
  QImage small(const Glance::Seen& seen);

  const std::string path_;
  const int width_, height_;
  const Made made_;
  PictureConverter converter_;  // of the thread

  std::mutex mutex_;
  std::condition_variable_any wished_;
  std::vector<Wish> wishes_;  // the most wanted first

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
