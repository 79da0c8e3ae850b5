#include "core/pipeline/pipeline.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/pipeline/bounded_queue.h"
#include "core/records/time.h"
#include "core/store/archive.h"

namespace longtake {
namespace {

// A frame on its way through the encoders. It enters two queues at once: one that any encoder takes work from and one
// that keeps stream order; the watching thread waits at `encoded` of whatever is next in order.
struct FrameInFlight {
  Frame frame;
  BoundedQueue<Result<Encoded>> encoded{1};
  std::int64_t decode_errors = 0;  // of the source when it delivered this frame
};

struct StreamEnd {
  std::string reason;
  std::int64_t decode_errors = 0;
  std::string message;  // of the error, if that is the reason
  FrameSource::Dropped dropped{};
};

using OrderedItem = std::variant<std::shared_ptr<FrameInFlight>, Discontinuity, StreamEnd>;

struct Delivery {
  std::vector<Record> records;
  std::shared_ptr<const TensorFile> checkpoint;
  std::optional<FrameTime> time;
};

double seconds_between(std::int64_t from, std::int64_t to, Rational time_base) {
  return static_cast<double>(to - from) * static_cast<double>(time_base.num) / static_cast<double>(time_base.den);
}

class Run {
 public:
  Run(FrameSource& source, Analyzer& analyzer, Decider& decider, StreamPosition position, Sink& sink,
      const PipelineOptions& options, std::stop_token stop)
      : source_(source),
        analyzer_(analyzer),
        decider_(decider),
        position_(position),
        sink_(sink),
        options_(options),
        stop_(std::move(stop)),
        work_(in_flight(options)),
        ordered_(in_flight(options)),
        deliveries_(kDeliveries) {
    end_.reason = "error";  // until the stream has ended in another way
  }

  PipelineOutcome run() {
    if (auto begun = sink_.begin(source_.info()); !begun) fail(std::move(begun).error());
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([this] { guarded([this] { decode(); }); });
      for (int i = 0; i < std::max(1, options_.encoders); ++i) {
        threads.emplace_back([this] { guarded([this] { encode(); }); });
      }
      threads.emplace_back([this] {
        guarded([this] { watch(); });
        deliveries_.close();
      });
      guarded([this] { deliver(); });
    }
    return finish();
  }

 private:
  static constexpr std::size_t kDeliveries = 64;

  // Enough that no encoder waits while the watching thread works on one frame, and no more: decoded pictures are big.
  static std::size_t in_flight(const PipelineOptions& options) {
    return static_cast<std::size_t>(std::max(1, options.encoders)) * 2 + 2;
  }

  void decode() {
    // Reading gives up on the caller's stop as well as on a failure in here.
    std::stop_source either;
    const std::stop_callback on_stop(stop_, [&] { either.request_stop(); });
    const std::stop_callback on_abort(abort_.get_token(), [&] { either.request_stop(); });
    StreamEnd end{"end_of_stream", 0, {}};
    while (true) {
      if (stop_.stop_requested()) {
        end.reason = "stopped";
        break;
      }
      Result<SourceItem> item = source_.next(either.get_token());
      if (!item) {
        if (item.error().kind == ErrorKind::kStopped) {
          end.reason = "stopped";
        } else {
          end.reason = "error";
          end.message = item.error().message;
          remember(std::move(item).error());
        }
        break;
      }
      if (auto* frame = std::get_if<Frame>(&*item)) {
        auto slot = std::make_shared<FrameInFlight>();
        slot->frame = std::move(*frame);
        slot->decode_errors = source_.decode_errors();
        if (!ordered_.push(slot, abort_.get_token()) || !work_.push(slot, abort_.get_token())) break;
      } else if (auto* gap = std::get_if<Discontinuity>(&*item)) {
        if (!ordered_.push(std::move(*gap), abort_.get_token())) break;
      } else {
        if (std::get<EndOfStream>(*item).reached_range_end) end.reason = "range_end";
        break;
      }
    }
    end.dropped = source_.close();
    end.decode_errors = source_.decode_errors();
    work_.close();
    ordered_.push(std::move(end), abort_.get_token());
    ordered_.close();
  }

  void encode() {
    const std::unique_ptr<FrameEncoder> encoder = analyzer_.make_encoder();
    while (auto slot = work_.pop(abort_.get_token())) {
      Result<Encoded> encoded = encoder->encode((*slot)->frame);
      (*slot)->frame.picture.reset();  // the decoder wants its buffer back
      (*slot)->encoded.push(std::move(encoded), abort_.get_token());
    }
  }

  void watch() {
    while (auto item = ordered_.pop(abort_.get_token())) {
      Delivery delivery;
      if (auto* slot = std::get_if<std::shared_ptr<FrameInFlight>>(&*item)) {
        if (!watch_frame(**slot, delivery)) return;
      } else if (auto* gap = std::get_if<Discontinuity>(&*item)) {
        decider_.discontinue(analyzer_.flush(), delivery.records);
        analyzer_.discontinue();
        continuous_ = false;
        delivery.records.emplace_back(
            DiscontinuityRecord{gap->reason, position_.frames, gap->pts, gap->gap_s});
      } else {
        end_stream(std::get<StreamEnd>(*item), delivery);
      }
      if (!deliveries_.push(std::move(delivery), abort_.get_token())) return;
    }
  }

  bool watch_frame(FrameInFlight& slot, Delivery& delivery) {
    std::optional<Result<Encoded>> answer = slot.encoded.pop(abort_.get_token());
    if (!answer) return false;
    if (!*answer) {
      fail(std::move(*answer).error());
      return false;
    }
    const Encoded& encoded = **answer;
    const Rational base = source_.info().time_base;
    const std::int64_t pts = slot.frame.pts;
    FrameTime time{position_.frames, pts, seconds_truncated(pts, base.num, base.den), 0};
    if (position_.has_last && continuous_) time.dt = std::max(0.0, seconds_between(position_.last_pts, pts, base));
    decider_.step(analyzer_.watch(time, encoded), delivery.records);

    if (!position_.has_last) position_.first_pts = pts;
    position_.has_last = true;
    position_.last_pts = pts;
    position_.decode_errors = slot.decode_errors;
    ++position_.frames;
    continuous_ = true;
    delivery.time = time;
    if (options_.checkpoint_due && options_.checkpoint_due()) delivery.checkpoint = state();
    return true;
  }

  void end_stream(const StreamEnd& end, Delivery& delivery) {
    position_.decode_errors = end.decode_errors;
    const bool over = end.reason == "end_of_stream";
    if (over) decider_.discontinue(analyzer_.flush(), delivery.records);
    final_state_ = state();
    // A run that was stopped can be taken up again right here.
    if (end.reason == "stopped" && options_.checkpoint_due) {
      Delivery last;
      last.checkpoint = final_state_;
      deliveries_.push(std::move(last), abort_.get_token());
    }
    if (!over && !options_.leave_open) decider_.discontinue(analyzer_.flush(), delivery.records);
    if (end.reason == "error") {
      ErrorRecord record{end.message, std::nullopt};
      if (position_.has_last) record.pts = position_.last_pts;
      delivery.records.emplace_back(std::move(record));
    }
    end_.reason = end.reason;
    end_.decode_errors = end.decode_errors;
    end_.dropped = end.dropped;
  }

  std::shared_ptr<const TensorFile> state() {
    auto file = std::make_shared<TensorFile>();
    analyzer_.save(*file);
    StateWriter(*file, "")("decide", decider_);
    StateWriter(*file, "")("position", position_);
    return file;
  }

  void deliver() {
    while (auto delivery = deliveries_.pop(abort_.get_token())) {
      if (!delivery->records.empty()) {
        if (auto done = sink_.accept(delivery->records); !done) return fail(std::move(done).error());
      }
      if (delivery->checkpoint) {
        if (auto done = sink_.checkpoint(*delivery->checkpoint); !done) return fail(std::move(done).error());
      }
      if (delivery->time && options_.on_frame) options_.on_frame(*delivery->time);
    }
  }

  PipelineOutcome finish() {
    PipelineOutcome out;
    out.end = end_;
    out.end.frames = position_.frames;
    out.end.guards = analyzer_.guards();
    out.end.events = decider_.events();
    out.end.state_bytes = analyzer_.state_bytes();
    out.state = final_state_;
    if (auto done = sink_.finish(out.end); !done) remember(std::move(done).error());
    out.error = std::move(error_);
    return out;
  }

  template <class Work>
  void guarded(Work work) noexcept {
    try {
      work();
    } catch (const std::exception& e) {
      fail({ErrorKind::kUnexpected, std::string("the analysis failed: ") + e.what()});
    } catch (...) {
      fail({ErrorKind::kUnexpected, "the analysis failed for an unknown reason"});
    }
  }

  void fail(Error error) {
    remember(std::move(error));
    abort_.request_stop();
  }

  void remember(Error error) {
    const std::scoped_lock lock(error_mutex_);
    if (!error_) error_ = std::move(error);
  }

  FrameSource& source_;
  Analyzer& analyzer_;
  Decider& decider_;
  StreamPosition position_;  // watching thread
  bool continuous_ = true;   // watching thread
  Sink& sink_;
  const PipelineOptions& options_;
  std::stop_token stop_;
  std::stop_source abort_;  // something failed: everybody stops at once

  BoundedQueue<std::shared_ptr<FrameInFlight>> work_;
  BoundedQueue<OrderedItem> ordered_;
  BoundedQueue<Delivery> deliveries_;

  EndRecord end_;
  std::shared_ptr<const TensorFile> final_state_;
  std::mutex error_mutex_;
  std::optional<Error> error_;
};

}  // namespace

PipelineOutcome run_pipeline(FrameSource& source, Analyzer& analyzer, Decider& decider, StreamPosition position,
                             Sink& sink, const PipelineOptions& options, std::stop_token stop) {
  return Run(source, analyzer, decider, position, sink, options, std::move(stop)).run();
}

}  // namespace longtake
