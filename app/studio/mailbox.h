// From other threads to the GUI's: letters are collected, and the GUI is woken once for all that came meanwhile.
#pragma once

#include <QMetaObject>
#include <QObject>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace longtake {

template <class Letter>
class Mailbox {
 public:
  // `read` is called on the thread that makes the mailbox. Who posts while `capacity` letters are unread waits.
  Mailbox(std::size_t capacity, std::function<void(std::vector<Letter>)> read)
      : capacity_(capacity), read_(std::move(read)) {}
  ~Mailbox() { close(); }

  // Any thread but that one. After close() letters are lost.
  void post(Letter letter) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || letters_.size() < capacity_; });
    if (closed_) return;
    letters_.push_back(std::move(letter));
    if (letters_.size() == 1)
      QMetaObject::invokeMethod(
          &here_, [this] { open(); }, Qt::QueuedConnection);
  }

  // Nobody waits any more, nothing more is read. Before the threads that post are joined.
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
      letters_.clear();
    }
    room_.notify_all();
  }

 private:
  void open() {
    std::vector<Letter> letters;
    {
      const std::scoped_lock lock(mutex_);
      letters.swap(letters_);
    }
    room_.notify_all();
    if (!letters.empty()) read_(std::move(letters));
  }

  QObject here_;  // takes with it, when it goes, what it was still woken for
  const std::size_t capacity_;
  const std::function<void(std::vector<Letter>)> read_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::vector<Letter> letters_;
  bool closed_ = false;
};

}  // namespace longtake
