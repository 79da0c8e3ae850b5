#include "app/studio/errands.h"

#include <utility>
#include <vector>

namespace longtake {

Errands::Errands()
    : finished_(kMost,
                [](std::vector<std::function<void()>> letters) {
                  for (const auto& letter : letters) letter();
                }),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Errands::~Errands() {
  thread_.request_stop();
  finished_.close();
}

void Errands::run(Work work, Done done) {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < kMost) {
      waiting_.push_back({std::move(work), std::move(done)});
      more_.notify_one();
      return;
    }
  }
  done(Error{ErrorKind::kUnexpected, "too many files are still being written"});
}

void Errands::work(const std::stop_token& stop) {
  for (;;) {
    Errand errand;
    {
      std::unique_lock lock(mutex_);
      if (!more_.wait(lock, stop, [&] { return !waiting_.empty(); })) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Result<void> result = errand.work();
    finished_.post([done = std::move(errand.done), result = std::move(result)]() mutable { done(std::move(result)); });
    if (stop.stop_requested()) return;
  }
}

}  // namespace longtake
