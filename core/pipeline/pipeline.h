// The way of a frame: decode → encode (N threads, order restored) → watch and decide → deliver.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "core/media/source.h"
#include "core/pipeline/stages.h"
#include "core/result.h"
#include "core/signals/decider.h"

namespace longtake {

// How far a stream has been watched; part of every saved state.
struct StreamPosition {
  std::int64_t frames = 0;         // watched; also the ordinal of the next one
  bool has_last = false;
  std::int64_t last_pts = 0;       // of the last frame watched, if has_last
  std::int64_t first_pts = 0;      // of the first frame watched, likewise
  std::int64_t decode_errors = 0;  // up to here

  template <class Archive>
  void archive(Archive& a) {
    a("frames", frames);
    a("has_last", has_last);
    a("last_pts", last_pts);
    a("first_pts", first_pts);
    a("decode_errors", decode_errors);
  }
};

struct PipelineOptions {
  int encoders = 2;  // threads that run the encoder
  // What is open (a stretch, a cluster) when a range or a stop ends the run stays open in the state instead of being
  // written out. For runs whose state is saved to be continued.
  bool leave_open = false;
  // Asked on the watching thread after every frame: take a checkpoint now? May look at a clock, as it never changes a
  // result.
  std::function<bool()> checkpoint_due;
  // Called on the delivering thread after every frame, for progress.
  std::function<void(const FrameTime&)> on_frame;
};

struct PipelineOutcome {
  EndRecord end;
  std::shared_ptr<const TensorFile> state;  // as it stands at the end, ready to go on from
  std::optional<Error> error;               // the first one; everything delivered before it is valid
};

// Runs the whole stream and returns when it is over; the caller's thread delivers. A stop request ends the run after
// the frames that are already decoded. No thread outlives the call.
//
// Results do not depend on the number of encoders or on any clock: each frame is encoded by itself and watched in
// stream order.
PipelineOutcome run_pipeline(FrameSource& source, Analyzer& analyzer, Decider& decider, StreamPosition position,
                             Sink& sink, const PipelineOptions& options, std::stop_token stop);

}  // namespace longtake
