// The keys of every record in the order of schema 1: the one list that the writer and the reader share. Inner
// part of jsonl.cpp and parse.cpp.
//
// members(archive, record) calls archive(key, member) for each. The record is const for a writer.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "core/records/records.h"

namespace longtake {

template <class T, class Plain>
concept MaybeConst = std::same_as<std::remove_const_t<T>, Plain>;

template <class Archive, MaybeConst<HeaderRecord> T>
void members(Archive& archive, T& record) {
  archive.constant("schema", kRecordSchema);
  archive("longtake", record.longtake);
  archive("model", record.model);
  archive("source", record.source);
  archive("width", record.width);
  archive("height", record.height);
  archive("time_base", record.time_base);
  archive("fps", record.fps);
  archive("layers", record.layers);
  archive("options", record.options);
  archive("trained", record.trained);
}

template <class Archive, MaybeConst<LayerLoss> T>
void members(Archive& archive, T& layer) {
  archive("before", layer.before);
  archive("after", layer.after);
  archive("drift", layer.drift);
}

template <class Archive, MaybeConst<PlainSignals> T>
void members(Archive& archive, T& signals) {
  archive("pixel", signals.pixel);
  archive("cell", signals.cell);
  archive("histogram", signals.histogram);
  archive("feature", signals.feature);
  archive("flow", signals.flow);
}

template <class Archive, MaybeConst<FrameRecord> T>
void members(Archive& archive, T& record) {
  archive("frame", record.frame);
  archive("pts", record.pts);
  archive("t", record.t);
  archive("surprise", record.surprise);
  archive("novelty", record.novelty);
  archive("sustained", record.sustained);
  archive("novelty_map", record.novelty_map);
  archive("familiarity", record.familiarity);
  archive("deviation", record.deviation);
  archive("deviation_map", record.deviation_map);
  archive("boundary", record.boundary);
  archive("layers", record.layers);
  archive("scene", record.scene);
  archive("labels", record.labels);
  archive("signals", record.signals);
}

template <class Archive, MaybeConst<EventRecord> T>
void members(Archive& archive, T& record) {
  archive("kind", record.kind);
  archive("frame", record.frame);
  archive("pts", record.pts);
  archive("t", record.t);
  archive("score", record.score);
  archive("confidence", record.confidence);
  archive("span", record.span);
}

template <class Archive, MaybeConst<SegmentRecord::Surprise> T>
void members(Archive& archive, T& surprise) {
  archive("mean", surprise.mean);
  archive("max", surprise.max);
}

template <class Archive, MaybeConst<SegmentRecord> T>
void members(Archive& archive, T& record) {
  archive("first", record.first);
  archive("last", record.last);
  archive("pts", record.pts);
  archive("t", record.t);
  archive("labels", record.labels);
  archive("scene", record.scene);
  archive("surprise", record.surprise);
}

template <class Archive, MaybeConst<DiscontinuityRecord> T>
void members(Archive& archive, T& record) {
  archive("reason", record.reason);
  archive("frame", record.frame);
  archive("pts", record.pts);
  archive("gap_s", record.gap_s);
}

template <class Archive, MaybeConst<ErrorRecord> T>
void members(Archive& archive, T& record) {
  archive("message", record.message);
  archive("pts", record.pts);
}

template <class Archive, MaybeConst<EndRecord> T>
void members(Archive& archive, T& record) {
  archive("reason", record.reason);
  archive("frames", record.frames);
  archive("dropped", record.dropped);
  archive("decode_errors", record.decode_errors);
  archive("guards", record.guards);
  archive("events", record.events);
  archive("state_bytes", record.state_bytes);
}

// What "type" says.
template <class T>
inline constexpr std::string_view kTypeName;
template <>
inline constexpr std::string_view kTypeName<HeaderRecord> = "header";
template <>
inline constexpr std::string_view kTypeName<FrameRecord> = "frame";
template <>
inline constexpr std::string_view kTypeName<EventRecord> = "event";
template <>
inline constexpr std::string_view kTypeName<SegmentRecord> = "segment";
template <>
inline constexpr std::string_view kTypeName<DiscontinuityRecord> = "discontinuity";
template <>
inline constexpr std::string_view kTypeName<ErrorRecord> = "error";
template <>
inline constexpr std::string_view kTypeName<EndRecord> = "end";

}  // namespace longtake
