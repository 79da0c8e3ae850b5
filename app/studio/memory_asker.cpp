#include "app/studio/memory_asker.h"

#include <exception>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/archive.h"
#include "models/recall/landmarks.h"

namespace longtake {
namespace {

Error stopped() { return {ErrorKind::kStopped, "stopped"}; }

Result<std::shared_ptr<const MemoryFacts>> facts_of(const std::filesystem::path& file, const MemoryFile& memory,
                                                    const FrozenMemory& frozen) {
  StreamPosition position;
  StateReader reader(memory.state, "");
  reader("position", position);
  if (!reader.result()) return reader.result().error();
  auto out = std::make_shared<MemoryFacts>();
  std::error_code ec;
  out->file = file;
  out->bytes = std::filesystem::file_size(file, ec);
  out->label = memory.label;
  out->frames = memory.label.frames_before + position.frames;
  out->watched_s = frozen.landmarks().watched_s;
  out->calibrated = frozen.scale().fitted;
  for (std::int64_t i = 0; i < frozen.landmarks().count; ++i) {
    Landmark one = landmark(frozen.landmarks(), i);
    out->landmarks.push_back(
        {one.t, one.pts, one.time_base, one.video, std::move(one.source), {one.picture.begin(), one.picture.end()}});
  }
  return std::shared_ptr<const MemoryFacts>(std::move(out));
}

}  // namespace

MemoryAsker::MemoryAsker(Settings settings, ModelHolder& model, std::shared_ptr<spdlog::logger> log,
                         const StopSignals& signals)
    : settings_(std::move(settings)),
      model_(model),
      log_(std::move(log)),
      signals_(signals),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

// `work` gives a Result<T>.
template <class T, class Work>
bool MemoryAsker::wish(Then<T> then, Work work) {
  {
    const std::scoped_lock lock(mutex_);
    if (wishes_.size() >= kMostWaiting) return false;
    wishes_.push_back([then = std::move(then), work = std::move(work)](const std::stop_token& stop) {
      try {
        then(stop.stop_requested() ? Result<T>(stopped()) : work(stop));
      } catch (const std::exception& error) {
        then(Error{ErrorKind::kUnexpected, fmt::format("cannot work with memories: {}", error.what())});
      }
    });
  }
  wished_.notify_one();
  return true;
}

bool MemoryAsker::load(std::filesystem::path file, Then<std::shared_ptr<OpenMemory>> then) {
  return wish(std::move(then), [this, file = std::move(file)](const std::stop_token&) { return open(file); });
}

bool MemoryAsker::ask(std::shared_ptr<OpenMemory> memory, About about, Then<MemoryAnswer> then) {
  std::stop_token cancelled;
  {
    const std::scoped_lock lock(mutex_);
    cancelled = questions_.get_token();
  }
  return wish(std::move(then), [this, memory = std::move(memory), about = std::move(about),
                                cancelled = std::move(cancelled)](const std::stop_token& ending) {
    std::stop_source either;
    const auto stop = [&either] { either.request_stop(); };
    const std::stop_callback on_cancel(cancelled, stop), on_end(ending, stop);
    return answer(*memory, about, either.get_token());
  });
}

bool MemoryAsker::compare(std::shared_ptr<OpenMemory> a, std::filesystem::path b, Then<MemoryComparison> then) {
  return wish(std::move(then), [this, a = std::move(a), b = std::move(b)](const std::stop_token&) {
    auto opened = open(b);
    if (!opened) return Result<MemoryComparison>(std::move(opened).error());
    FrozenMemory &one = a->frozen_, &other = (*opened)->frozen_;
    return Result<MemoryComparison>({a->facts, (*opened)->facts, acquaintance(one, other.landmarks()),
                                     acquaintance(other, one.landmarks()),
                                     learned_distance(*a->asking_->model()->recall(), one.state(), other.state())});
  });
}

bool MemoryAsker::save(std::shared_ptr<OpenMemory> memory, std::filesystem::path file, Then<void> then) {
  return wish(std::move(then), [memory = std::move(memory), file = std::move(file)](const std::stop_token&) {
    MemoryLabel label = memory->file_.label;  // a checkpoint's becomes a memory's: it belongs to no result any more
    label.kind = MemoryKind::kMemory;
    label.result_bytes = 0;
    return write_memory(file, label, memory->file_.state);
  });
}

bool MemoryAsker::identify(std::filesystem::path video, Then<std::string> then) {
  return wish(std::move(then),
              [video = std::move(video)](const std::stop_token&) { return Result<std::string>(source_key(video)); });
}

void MemoryAsker::cancel() {
  std::stop_source now;
  {
    const std::scoped_lock lock(mutex_);
    std::swap(now, questions_);
  }
  now.request_stop();
}

void MemoryAsker::run(const std::stop_token& stop) {
  while (true) {
    Wish wish;
    {
      std::unique_lock lock(mutex_);
      if (!wished_.wait(lock, stop, [this] { return !wishes_.empty(); })) return;
      wish = std::move(wishes_.front());
      wishes_.pop_front();
    }
    wish(stop);
  }
}

Result<std::shared_ptr<const Asking>> MemoryAsker::asking() {
  auto model = model_.get();
  if (!model) return std::move(model).error();
  if (!asking_ || asking_->model() != *model) {
    auto opened = Asking::with(Context{settings_, *log_, signals_}, std::move(*model));
    if (!opened) return std::move(opened).error();
    asking_ = std::move(*opened);
  }
  return asking_;
}

Result<std::shared_ptr<OpenMemory>> MemoryAsker::open(const std::filesystem::path& file) {
  auto with = asking();
  if (!with) return std::move(with).error();
  auto memory = read_memory(file);
  if (!memory) return std::move(memory).error();
  auto frozen = (*with)->freeze(*memory, file.string());
  if (!frozen) return std::move(frozen).error();
  auto facts = facts_of(file, *memory, *frozen);
  if (!facts) return std::move(facts).error();
  return std::shared_ptr<OpenMemory>(
      new OpenMemory(std::move(*facts), std::move(*with), std::move(*memory), std::move(*frozen)));
}

Result<MemoryAnswer> MemoryAsker::answer(OpenMemory& memory, const About& about, const std::stop_token& stop) {
  Settings settings = settings_;
  settings.from = about.from;
  settings.to = about.to;
  auto answers = memory.asking_->ask(settings, std::span(&memory.frozen_, 1), about.input, kNearest, stop);
  if (!answers) return std::move(answers).error();
  return MemoryAnswer{memory.facts, std::move(answers->front())};
}

}  // namespace longtake
