// A small result with every type of record and every optional part, for the tests of the writer, reader and
// schema.
#pragma once

#include <array>
#include <limits>
#include <vector>

#include "core/records/records.h"

namespace longtake {

inline std::vector<Record> sample_records() {
  const NamedScore street_car{"street car", 0.31F};
  const NamedScore walk{"walk", 0.88F};
  const LayerLoss layer{1.93F, 1.21F, 0.004F};
  return {
      HeaderRecord{
          .longtake = "0.1.0",
          .model = "0123456789ab",
          .source = "clip.mp4",
          .width = 720,
          .height = 405,
          .time_base = {1, 90000},
          .fps = "all",
          .layers = 2,
          .options = {{"scene", true}, {"tokens", std::int64_t{16}}, {"rate", 0.5}, {"device", "cpu"}},
          .trained = true},
      FrameRecord{.frame = 0, .layers = {layer, layer}},
      FrameRecord{.frame = 1,
                  .pts = 3600,
                  .t = 0.04,
                  .surprise = 0.41F,
                  .novelty = 0.02F,
                  .boundary = 0.01F,
                  .layers = {layer, layer},
                  .scene = std::vector{street_car},
                  .labels = std::vector{walk}},
      EventRecord{.kind = "boundary",
                  .frame = 75,
                  .pts = 270000,
                  .t = 3.0,
                  .score = 7.3,
                  .confidence = 0.97,
                  .span = {74, 76}},
      SegmentRecord{.first = 0, .last = 74, .pts = {0, 266400}, .t = {0.0, 2.96}},
      SegmentRecord{.first = 75,
                    .last = 80,
                    .pts = {270000, 288000},
                    .t = {3.0, 3.2},
                    .labels = std::vector{walk},
                    .scene = std::vector{street_car},
                    .surprise = SegmentRecord::Surprise{0.3, 2.1}},
      DiscontinuityRecord{.reason = "reconnect", .frame = 81, .pts = 450000, .gap_s = 1.8},
      FrameRecord{.frame = 81,
                  .pts = 450000,
                  .t = 5.0,
                  .surprise = std::numeric_limits<float>::quiet_NaN(),
                  .novelty = 0.5F,
                  .sustained = 4.5F,
                  .novelty_map = std::array<float, 16>{0, 1.5F},
                  .familiarity = 0.75F,
                  .deviation = 2.5F,
                  .deviation_map = std::array<float, 16>{-0.5F, 0, 2.5F},
                  .layers = {layer, {std::numeric_limits<float>::infinity(), 0, 0}},
                  .scene = std::vector<NamedScore>{},
                  .signals = PlainSignals{.pixel = 0.25F, .flow = 0.0F}},
      ErrorRecord{.message = "the stream stopped", .pts = 450000},
      ErrorRecord{.message = "cannot write \"r.jsonl\": No space left on device"},
      EndRecord{.reason = "end_of_stream",
                .frames = 3,
                .dropped = {{"queue", 3}, {"late", 1}},
                .decode_errors = 0,
                .guards = 0,
                .events = 1,
                .state_bytes = 1058816},
  };
}

}  // namespace longtake
