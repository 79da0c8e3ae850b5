#include "app/studio/export_worker.h"

#include <utility>

#include "core/store/atomic_file.h"

namespace longtake {

ExportWorker::ExportWorker(Done done, Prepare prepare)
    : done_(std::move(done)),
      prepare_(std::move(prepare)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ExportWorker::~ExportWorker() {
  thread_.request_stop();
  const std::scoped_lock lock(mutex_);
  preview_.request_stop();
}

void ExportWorker::ask(Wish wish) {
  {
    const std::scoped_lock lock(mutex_);
    if (wish.output.empty()) preview_.request_stop();
    (wish.output.empty() ? next_preview_ : next_file_) = std::move(wish);
  }
  wished_.notify_one();
}

Result<void> ExportWorker::prepare(const std::stop_token& stop) {
  if (!prepare_) return {};
  auto done = prepare_(stop);
  if (done) prepare_ = nullptr;
  return done;
}

Result<Exported> ExportWorker::fulfil(const Wish& wish, const std::stop_token& stop) {
  auto exported = run_export_request(wish.request, stop);
  if (!exported || wish.output.empty()) return exported;
  if (auto written = write_file_atomically(wish.output, exported->bytes); !written) return std::move(written).error();
  return exported;
}

void ExportWorker::run(const std::stop_token& stop) {
  for (;;) {
    Wish wish;
    std::stop_token give_up = stop;
    const auto wished = [this] { return next_file_ || next_preview_; };
    {
      std::unique_lock lock(mutex_);
      wished_.wait(lock, stop, wished);
    }
    const auto prepared = prepare(stop);
    {
      const std::scoped_lock lock(mutex_);
      if (stop.stop_requested()) return;
      wish = *std::exchange(next_file_ ? next_file_ : next_preview_, std::nullopt);
      if (wish.output.empty()) {
        preview_ = {};
        give_up = preview_.get_token();
      }
    }
    auto exported = prepared ? fulfil(wish, give_up) : Result<Exported>(prepared.error());
    if (!give_up.stop_requested()) done_(std::move(wish), std::move(exported));
  }
}

}  // namespace longtake
