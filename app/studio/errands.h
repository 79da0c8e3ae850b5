// Work that a window hands over so as not to wait for it: pictures and tables written to files. One after the other, on a
// thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "app/studio/mailbox.h"
#include "core/result.h"

namespace longtake {

class Errands {
 public:
  using Work = std::function<Result<void>()>;
  using Done = std::function<void(Result<void>)>;  // on the thread that made this

  static constexpr std::size_t kMost = 16;

  Errands();
  // Finishes what was begun; the rest is dropped.
  ~Errands();

  // `done` says so at once if too much is waiting.
  void run(Work work, Done done);

 private:
  struct Errand {
    Work work;
    Done done;
  };
  void work(const std::stop_token& stop);

  Mailbox<std::function<void()>> finished_;
  std::mutex mutex_;
  std::condition_variable_any more_;
  std::deque<Errand> waiting_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace longtake
