#include "core/pipeline/pipeline.h"

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/store/archive.h"

namespace longtake {
namespace {

// Made-up frames; the last step of `script` may be an error.
class ScriptedSource final : public FrameSource {
 public:
  explicit ScriptedSource(std::int64_t frames, std::int64_t first = 0,
                          std::optional<Error> error = std::nullopt)
      : next_(first), frames_(frames), error_(std::move(error)) {
    info_.source = "scripted";
    info_.time_base = {1, 25};
  }
  const StreamInfo& info() const noexcept override { return info_; }
  std::int64_t decode_errors() const noexcept override { return 3; }
  Result<SourceItem> next(std::stop_token stop) override {
    if (stop.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
    if (next_ == gap_at && !gap_given_) {
      gap_given_ = true;
      return SourceItem{Discontinuity{"gap", next_, next_, 60}};
    }
    if (next_ >= frames_) {
      if (error_) return *error_;
      return SourceItem{EndOfStream{range_end}};
    }
    Frame frame;
    frame.ordinal = next_;
    frame.pts = next_++;
    return SourceItem{std::move(frame)};
  }
  std::int64_t gap_at = -1;
  bool range_end = false;

 private:
  StreamInfo info_;
  std::int64_t next_;
  std::int64_t frames_;
  std::optional<Error> error_;
  bool gap_given_ = false;
};

// Encodes a frame to its own number, taking a random time over it; its state is a running checksum.
class NumberAnalyzer final : public Analyzer {
 public:
  struct Encoder final : FrameEncoder {
    explicit Encoder(std::int64_t bad) : bad_frame(bad) {}
    Result<Encoded> encode(const Frame& frame) override {
      if (frame.ordinal == bad_frame) return Error{ErrorKind::kInput, "frame cannot be encoded"};
      std::this_thread::sleep_for(std::chrono::microseconds(engine() % 300));
      Encoded out;
      out.tokens = {static_cast<float>(frame.pts)};
      return out;
    }
    std::mt19937 engine{std::random_device{}()};
    std::int64_t bad_frame;
  };
  std::unique_ptr<FrameEncoder> make_encoder() const override { return std::make_unique<Encoder>(bad_frame); }
  Observation watch(const FrameTime& time, const Encoded& frame) override {
    if (time.ordinal == throw_at) throw std::runtime_error("planted");
    checksum = (checksum * 31 + static_cast<std::int64_t>(frame.tokens.at(0))) % 1000003;
    Observation out;
    out.frame = time.ordinal;
    out.pts = time.pts;
    out.t = time.t;
    out.dt = time.dt;
    out.next_latent_error = 0.1;
    out.layers = {{static_cast<float>(checksum), 0, 0}};
    for (std::size_t i = 0; i < out.thumbnail.size(); ++i) {
      out.thumbnail[i] = static_cast<std::uint8_t>(50 + (time.ordinal * 17 + static_cast<std::int64_t>(i)) % 100);
    }
    return out;
  }
  void discontinue() override { checksum += 500000; }
  void save(TensorFile& file) const override { StateWriter(file, "")("checksum", checksum); }
  std::int64_t guards() const override { return 0; }
  std::int64_t state_bytes() const override { return 8; }

  std::int64_t checksum = 0;
  std::int64_t bad_frame = -1;
  std::int64_t throw_at = -1;
};

class TextSink final : public Sink {
 public:
  Result<void> begin(const StreamInfo&) override {
    ++begun;
    return {};
  }
  Result<void> accept(std::span<const Record> records) override {
    for (const Record& record : records) append_json_line(record, text);
    if (fail_after >= 0 && static_cast<std::int64_t>(text.size()) > fail_after) {
      return Error{ErrorKind::kUnexpected, "the disk is full"};
    }
    return {};
  }
  Result<void> checkpoint(const TensorFile& state) override {
    checkpoints.emplace_back(text.size(), state);
    return {};
  }
  Result<void> finish(const EndRecord& record) override {
    ++finished;
    end = record;
    return {};
  }
  std::string text;
  std::vector<std::pair<std::size_t, TensorFile>> checkpoints;
  EndRecord end;
  int begun = 0;
  int finished = 0;
  std::int64_t fail_after = -1;
};

struct Whole {
  TextSink sink;
  PipelineOutcome outcome;
};

Whole watch(ScriptedSource& source, int encoders = 2, std::stop_token stop = {}) {
  Whole out;
  NumberAnalyzer analyzer;
  Decider decider(nullptr);
  PipelineOptions options;
  options.encoders = encoders;
  out.outcome = run_pipeline(source, analyzer, decider, {}, out.sink, options, std::move(stop));
  return out;
}

TEST(Pipeline, WritesTheSameForAnyNumberOfEncoders) {
  ScriptedSource one(300);
  const std::string expected = watch(one, 1).sink.text;
  for (const int encoders : {2, 4, 8}) {
    ScriptedSource source(300);
    EXPECT_EQ(watch(source, encoders).sink.text, expected) << encoders << " encoders";
  }
}

TEST(Pipeline, EndRecordTellsWhatHappened) {
  ScriptedSource source(100);
  const Whole whole = watch(source);
  EXPECT_EQ(whole.sink.end.reason, "end_of_stream");
  EXPECT_EQ(whole.sink.end.frames, 100);
  EXPECT_EQ(whole.sink.end.decode_errors, 3);
  EXPECT_EQ(whole.sink.finished, 1);
  EXPECT_FALSE(whole.outcome.error);
}

TEST(Pipeline, ContinuedFromAnyCheckpointItWritesTheSameBytes) {
  TextSink whole;
  PipelineOptions options;
  int frame = 0;
  options.checkpoint_due = [&] { return ++frame % 7 == 0; };
  {
    ScriptedSource source(100);
    source.gap_at = 40;
    NumberAnalyzer analyzer;
    Decider decider(nullptr);
    run_pipeline(source, analyzer, decider, {}, whole, options, {});
  }
  ASSERT_GT(whole.checkpoints.size(), 10U);
  for (const auto& [length, state] : whole.checkpoints) {
    NumberAnalyzer analyzer;
    Decider decider(nullptr);
    StreamPosition position;
    StateReader reader(state, "");
    reader("checksum", analyzer.checksum);
    reader("decide", decider);
    reader("position", position);
    ASSERT_TRUE(reader.result()) << reader.result().error().message;
    ScriptedSource rest(100, position.last_pts + 1);
    if (position.frames <= 40) rest.gap_at = 40;
    TextSink sink;
    run_pipeline(rest, analyzer, decider, position, sink, {}, {});
    ASSERT_EQ(whole.text.substr(0, length) + sink.text, whole.text)
        << "continued after frame " << position.frames;
    ASSERT_EQ(sink.end.frames, 100);
  }
}

TEST(Pipeline, AGapIsARecordOfItsOwnAndNoTimePassesOverIt) {
  ScriptedSource source(20);
  source.gap_at = 10;
  const Whole whole = watch(source);
  const auto at = whole.sink.text.find(R"("type":"discontinuity","reason":"gap","frame":10)");
  ASSERT_NE(at, std::string::npos) << whole.sink.text;
  EXPECT_EQ(whole.sink.end.events, 0);
}

TEST(Pipeline, ASourceThatFailsInTheMiddleLeavesAValidResult) {
  ScriptedSource source(50, 0, Error{ErrorKind::kSource, "the stream was lost"});
  const Whole whole = watch(source);
  ASSERT_TRUE(whole.outcome.error);
  EXPECT_EQ(whole.outcome.error->kind, ErrorKind::kSource);
  EXPECT_EQ(whole.sink.end.reason, "error");
  EXPECT_EQ(whole.sink.end.frames, 50) << "what had been decoded is still watched";
  EXPECT_NE(whole.sink.text.find(R"({"type":"error","message":"the stream was lost")"), std::string::npos);
  EXPECT_EQ(whole.sink.finished, 1);
}

TEST(Pipeline, AnEncoderThatFailsStopsEverythingAndIsReported) {
  ScriptedSource source(1000);
  NumberAnalyzer analyzer;
  analyzer.bad_frame = 30;
  Decider decider(nullptr);
  TextSink sink;
  const PipelineOutcome outcome = run_pipeline(source, analyzer, decider, {}, sink, {}, {});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->message, "frame cannot be encoded");
  EXPECT_EQ(sink.end.frames, 30);
  EXPECT_EQ(sink.finished, 1);
}

TEST(Pipeline, AnExceptionBecomesAnError) {
  ScriptedSource source(1000);
  NumberAnalyzer analyzer;
  analyzer.throw_at = 12;
  Decider decider(nullptr);
  TextSink sink;
  const PipelineOutcome outcome = run_pipeline(source, analyzer, decider, {}, sink, {}, {});
  ASSERT_TRUE(outcome.error);
  EXPECT_NE(outcome.error->message.find("planted"), std::string::npos);
  EXPECT_EQ(sink.finished, 1);
}

TEST(Pipeline, ASinkThatFailsStopsEverything) {
  ScriptedSource source(1'000'000);
  NumberAnalyzer analyzer;
  Decider decider(nullptr);
  TextSink sink;
  sink.fail_after = 5000;
  const PipelineOutcome outcome = run_pipeline(source, analyzer, decider, {}, sink, {}, {});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->message, "the disk is full");
  EXPECT_EQ(sink.finished, 1);
}

TEST(Pipeline, AStopEndsTheRunCleanlyAndCanBeTakenUpAgain) {
  ScriptedSource source(1'000'000'000);
  NumberAnalyzer analyzer;
  Decider decider(nullptr);
  TextSink sink;
  std::stop_source stop;
  PipelineOptions options;
  options.checkpoint_due = [] { return false; };
  options.on_frame = [&](const FrameTime& time) {
    if (time.ordinal == 100) stop.request_stop();
  };
  const PipelineOutcome outcome =
      run_pipeline(source, analyzer, decider, {}, sink, options, stop.get_token());
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.end.reason, "stopped");
  ASSERT_EQ(sink.checkpoints.size(), 1U);
  StreamPosition position;
  StateReader reader(sink.checkpoints[0].second, "");
  reader("position", position);
  EXPECT_EQ(position.frames, outcome.end.frames);
}

TEST(Pipeline, LeftOpenARangeEndWritesNoSegment) {
  for (const bool leave_open : {false, true}) {
    ScriptedSource source(20);
    source.range_end = true;
    NumberAnalyzer analyzer;
    Decider decider(nullptr);
    TextSink sink;
    PipelineOptions options;
    options.leave_open = leave_open;
    run_pipeline(source, analyzer, decider, {}, sink, options, {});
    EXPECT_EQ(sink.end.reason, "range_end");
    EXPECT_EQ(sink.text.find(R"("type":"segment")") == std::string::npos, leave_open);
  }
}

}  // namespace
}  // namespace longtake
