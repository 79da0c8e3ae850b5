// What the stages of the pipeline hand to one another, and the plugs that others fill: FrameEncoder, Analyzer, Sink.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/media/source.h"
#include "core/records/records.h"
#include "core/result.h"
#include "core/signals/observation.h"
#include "core/signals/plain_signals.h"
#include "core/store/safetensors.h"

namespace longtake {

// Everything the later stages need of one frame: plain numbers, made by any thread, read by one.
struct Encoded {
  std::vector<float> tokens;         // [tokens][channels] of the encoder's last map, pooled, row by row
  std::vector<float> embedding;      // [embedding] the encoder's mean vector
  std::vector<float> probabilities;  // [classes] of the encoder's own classes; empty if switched off
  Thumbnail thumbnail{};
  GreyPicture grey;  // empty unless motion is wanted
};

// Pixels to numbers. Holds scratch buffers and nothing else, so each encoding thread has one of its own.
class FrameEncoder {
 public:
  virtual ~FrameEncoder() = default;
  virtual Result<Encoded> encode(const Frame& frame) = 0;
};

// Where a frame stands in its stream.
struct FrameTime {
  std::int64_t ordinal = 0;
  std::int64_t pts = 0;
  double t = 0;   // seconds, truncated: for people and records
  double dt = 0;  // seconds since the frame before; 0 for the first one after a start or a discontinuity
};

// The model as the pipeline sees it. Its weights are constant; its state is touched by one thread only.
class Analyzer {
 public:
  virtual ~Analyzer() = default;
  virtual std::unique_ptr<FrameEncoder> make_encoder() const = 0;  // any thread
  // One thread, in stream order.
  virtual Observation watch(const FrameTime& time, const Encoded& frame) = 0;
  // The stream ends or breaks off here: what is still to be said of the frames so far, for Decider::discontinue().
  virtual std::vector<ShotVerdict> flush() { return {}; }
  // The next frame does not follow the last one in time. After flush().
  virtual void discontinue() = 0;
  virtual void save(TensorFile& file) const = 0;
  virtual std::int64_t guards() const = 0;       // inner steps refused so far because they were not finite
  virtual std::int64_t state_bytes() const = 0;  // constant
};

// Where records go. One thread. finish() is called once, also after a stop or an error, so that a partial result is a
// valid result.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> begin(const StreamInfo& info) = 0;
  virtual Result<void> accept(std::span<const Record> records) = 0;
  // A state that belongs right behind the records accepted so far.
  virtual Result<void> checkpoint(const TensorFile& state) = 0;
  virtual Result<void> finish(const EndRecord& end) = 0;
};

}  // namespace longtake
