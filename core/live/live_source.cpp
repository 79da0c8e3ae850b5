#include "core/live/live_source.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <variant>

#include "core/media/location.h"

namespace longtake {
namespace {

constexpr double kStalledGaps = 10;  // times what usually lies between two frames
constexpr double kSteady_s = 5;      // a connection that held for so long was a good one
constexpr double kForEver_s = 1e8;   // a pipe may be silent for a night, and of streams the watchman knows better
constexpr std::chrono::milliseconds kLook{100};

double seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::chrono::steady_clock::duration duration(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

// Whether what was lost may be there again: not a file or a pipe that ended.
bool may_come_back(const std::string& uri) {
  if (names_camera(uri)) return true;
  const auto location = locate(uri);
  return location && location->kind == Location::Kind::kUrl;
}

}  // namespace

std::string_view name_of(LiveState state) {
  constexpr std::array<std::string_view, 5> kNames = {"connecting", "streaming", "stalled", "backing_off", "ended"};
  return kNames[static_cast<std::size_t>(state)];
}

std::int64_t LiveCounts::under_way() const {
  return received - std::accumulate(dropped.begin(), dropped.end(), processed + decode_errors);
}

LiveSource::LiveSource(LiveOptions options, StateChanged changed, Connect connect)
    : options_(std::move(options)),
      changed_(std::move(changed)),
      connect_(std::move(connect)),
      comes_back_(may_come_back(options_.source.uri)),
      buffer_(options_.queue, options_.drop),
      back_off_(options_.seed, options_.first_back_off_s, options_.most_back_off_s) {}

LiveSource::~LiveSource() { close(); }

Result<std::unique_ptr<LiveSource>> LiveSource::open(LiveOptions options, StateChanged changed, std::stop_token stop,
                                                     Connect connect) {
  options.source.read_timeout_s = kForEver_s;
  std::unique_ptr<LiveSource> out(new LiveSource(std::move(options), std::move(changed), std::move(connect)));
  out->reader_ = std::jthread([self = out.get()](const std::stop_token& ended) { self->read(ended); });
  out->watchman_ = std::jthread([self = out.get()](const std::stop_token& ended) { self->keep_watch(ended); });
  std::unique_lock lock(out->mutex_);
  out->told_.wait(lock, stop, [&] { return out->has_info_ || out->error_; });
  if (out->has_info_) {
    lock.unlock();
    return out;
  }
  Error error = out->error_.value_or(Error{ErrorKind::kStopped, "stopped"});
  lock.unlock();  // its threads need it to end
  return error;
}

Result<SourceItem> LiveSource::next(std::stop_token stop) {
  if (next_) return SourceItem(*std::exchange(next_, std::nullopt));
  auto item = buffer_.pop(stop);
  if (!item) {
    if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
    const std::scoped_lock lock(mutex_);
    if (error_) return *error_;
    return SourceItem(EndOfStream{});
  }
  Frame& frame = item->frame;
  frame.ordinal = ordinal_++;
  decode_errors_ = item->decode_errors;
  {
    const std::scoped_lock lock(mutex_);
    under_way_.push_back({frame.ordinal, item->arrived, Clock::now()});
  }
  if (!item->before) return SourceItem(std::move(frame));
  Discontinuity out = std::move(*item->before);
  out.ordinal = frame.ordinal;
  out.pts = frame.pts;
  next_ = std::move(frame);
  return SourceItem(std::move(out));
}

FrameSource::Dropped LiveSource::close() {
  reader_.request_stop();
  buffer_.abandon();
  if (reader_.joinable()) reader_.join();
  watchman_.request_stop();
  if (watchman_.joinable()) watchman_.join();
  const LiveCounts now = counts();
  decode_errors_ = now.decode_errors;
  Dropped out;
  for (std::size_t i = 0; i < now.dropped.size(); ++i) {
    if (now.dropped[i] > 0) out.emplace_back(FrameBuffer::kReasonNames[i], now.dropped[i]);
  }
  return out;
}

void LiveSource::watched(std::int64_t ordinal) {
  const auto now = Clock::now();
  const std::scoped_lock lock(mutex_);
  while (!under_way_.empty() && under_way_.front().ordinal <= ordinal) {
    const Way& way = under_way_.front();
    counts_.queued.add(seconds(way.taken - way.arrived));
    counts_.watching.add(seconds(now - way.taken));
    counts_.whole.add(seconds(now - way.arrived));
    ++counts_.processed;
    under_way_.pop_front();
  }
}

LiveCounts LiveSource::counts() const {
  const auto frames = buffer_.counts();
  const std::scoped_lock lock(mutex_);
  LiveCounts out = counts_;
  out.received = frames.frames_in + out.decode_errors;
  out.dropped = frames.dropped;
  out.waiting = frames.waiting;
  if (last_arrival_ != Clock::time_point{}) out.silent_s = seconds(Clock::now() - last_arrival_);
  return out;
}

void LiveSource::read(const std::stop_token& stop) {
  int loops_left = options_.loops;
  while (!stop.stop_requested()) {
    set_state(LiveState::kConnecting);
    std::stop_source connection;
    const std::stop_callback on_stop(stop, [&connection] { connection.request_stop(); });
    {
      const std::scoped_lock lock(mutex_);
      connection_ = connection;
    }
    auto source = connect_(options_.source, connection.get_token());
    if (stop.stop_requested()) break;
    if (!source) {
      if (!try_again(std::move(source).error(), stop)) break;
      continue;
    }
    StreamInfo info = (*source)->info();
    // A camera's clock began when its machine was switched on, which says nothing about the pictures.
    const std::optional<std::int64_t> start =
        names_camera(options_.source.uri) ? std::optional<std::int64_t>(0) : std::nullopt;
    const bool first = !clock_.last();
    double gap_s = 0;
    if (!first && comes_back_) {
      const std::scoped_lock lock(mutex_);
      gap_s = seconds(Clock::now() - last_arrival_);
      ++counts_.reconnects;
    } else if (!first) {
      gap_s = static_cast<double>(last_step_ * info_.time_base.num) / static_cast<double>(info_.time_base.den);
    }
    clock_.connect(info.time_base, info.first_pts, gap_s, start);
    info.first_pts = start.value_or(info.first_pts);
    if (first) {
      const std::scoped_lock lock(mutex_);
      info_ = info;
      has_info_ = true;
    } else {
      break_ = comes_back_ ? Discontinuity{"reconnect", 0, 0, gap_s} : Discontinuity{"loop", 0, 0, 0};
    }
    told_.notify_all();
    const auto began = Clock::now();
    const Ended ended = read_connection(**source, connection.get_token(), stop);
    errors_before_ += (*source)->decode_errors();
    if (ended == Ended::kStopped) break;
    if (ended == Ended::kOver) {
      if (loops_left == 1) break;
      loops_left = std::max(0, loops_left - 1);
      continue;
    }
    if (seconds(Clock::now() - began) >= kSteady_s) back_off_.succeeded();
    std::string why;
    {
      const std::scoped_lock lock(mutex_);
      why = counts_.last_error;
    }
    if (!try_again({ErrorKind::kSource, std::move(why)}, stop)) break;
  }
  buffer_.close();
  set_state(LiveState::kEnded);
}

bool LiveSource::try_again(Error why, const std::stop_token& stop) {
  {
    const std::scoped_lock lock(mutex_);
    counts_.last_error = why.message;
    ++counts_.failures;
  }
  if (!comes_back_ || (!options_.wait_for_first && !clock_.last())) {
    fail(std::move(why));
    return false;
  }
  if (options_.max_retries && failures_ >= *options_.max_retries) {
    fail({ErrorKind::kSource, why.message + (failures_ == 0 ? "" : "; tried again in vain")});
    return false;
  }
  ++failures_;
  set_state(LiveState::kBackingOff, why.message);
  wait_until(Clock::now() + duration(back_off_.next_s()), stop);
  return true;
}

LiveSource::Ended LiveSource::read_connection(FrameSource& source, const std::stop_token& connection,
                                              const std::stop_token& stop) {
  const auto lost = [this](std::string why) {
    const std::scoped_lock lock(mutex_);
    counts_.last_error = std::move(why);
    return Ended::kLost;
  };
  const auto reading = [this](bool now) {
    const std::scoped_lock lock(mutex_);
    reading_ = now;
    reading_since_ = Clock::now();
  };
  while (true) {
    reading(true);
    auto item = source.next(connection);
    reading(false);
    if (stop.stop_requested()) return Ended::kStopped;
    if (!item && item.error().kind == ErrorKind::kStopped) return lost("nothing came any more");
    if (!item) return lost(item.error().message);
    if (auto* frame = std::get_if<Frame>(&*item)) {
      if (!take_frame(std::move(*frame), errors_before_ + source.decode_errors(), stop)) return Ended::kStopped;
    } else if (auto* gap = std::get_if<Discontinuity>(&*item)) {
      if (break_) gap->gap_s += break_->gap_s;
      break_ = break_ ? Discontinuity{break_->reason, 0, 0, gap->gap_s} : std::move(*gap);
    } else if (comes_back_ && !source.info().duration_s) {
      return lost("the stream ended");
    } else {
      return Ended::kOver;
    }
  }
}

bool LiveSource::take_frame(Frame frame, std::int64_t decode_errors, const std::stop_token& stop) {
  const auto before = clock_.last();
  frame.pts = clock_(frame.pts);
  if (before) last_step_ = frame.pts - *before;
  failures_ = 0;
  if (options_.realtime) {
    if (!before) {
      began_ = Clock::now();
      first_pts_ = frame.pts;
    }
    const Rational base = clock_.time_base();
    wait_until(began_ + duration(static_cast<double>(frame.pts - first_pts_) * static_cast<double>(base.num) /
                                 static_cast<double>(base.den)),
               stop);
  }
  const auto now = Clock::now();
  {
    const std::scoped_lock lock(mutex_);
    if (last_arrival_ != Clock::time_point{}) {
      // Slowly, so that one long pause changes little.
      const double gap = std::min(seconds(now - last_arrival_), options_.stalled_s);
      gap_s_ = gap_s_ == 0 ? gap : gap_s_ + 0.05 * (gap - gap_s_);
    }
    last_arrival_ = now;
    counts_.decode_errors = decode_errors;
  }
  set_state(LiveState::kStreaming);
  return buffer_.push({std::move(frame), std::exchange(break_, std::nullopt), decode_errors, now}, stop);
}

void LiveSource::keep_watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    look_at_the_clock();
    wait_until(Clock::now() + kLook, stop);
  }
}

void LiveSource::look_at_the_clock() {
  std::optional<double> silent;
  {
    const std::scoped_lock lock(mutex_);
    const bool connected = counts_.state == LiveState::kStreaming || counts_.state == LiveState::kStalled;
    if (!connected || !reading_) return;
    const double now = seconds(Clock::now() - std::max(reading_since_, last_arrival_));
    const double limit = std::max(options_.stalled_s, kStalledGaps * gap_s_);
    if (now >= 2 * limit && comes_back_) connection_.request_stop();
    if (now >= limit) silent = now;
  }
  if (silent) set_state(LiveState::kStalled, "no frame for " + std::to_string(std::lround(*silent)) + " s");
}

// Not notified by anybody: `stop` alone ends it early.
void LiveSource::wait_until(Clock::time_point when, const std::stop_token& stop) {
  std::mutex own;
  std::condition_variable_any never;
  std::unique_lock lock(own);
  never.wait_until(lock, stop, when, [] { return false; });
}

void LiveSource::set_state(LiveState state, const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    if (counts_.state == state) return;
    counts_.state = state;
  }
  if (changed_) changed_(state, why);
}

void LiveSource::fail(Error error) {
  {
    const std::scoped_lock lock(mutex_);
    error_ = std::move(error);
  }
  told_.notify_all();
}

}  // namespace longtake
