#include "core/live/live_source.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace longtake {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr const char* kUri = "tcp://camera.test:1234";

// What a connection does, one after the other.
struct Does {
  enum What { kFrames, kGap, kSilence, kError, kEnd } what = kFrames;
  int frames = 0;
};

struct Connection {
  Rational time_base{1, 1000};
  std::int64_t first_pts = 0;
  std::vector<Does> script;
  std::int64_t decode_errors = 0;  // from its first frame on
  std::optional<Error> refused;
  std::optional<double> duration_s;
};

class Scripted final : public FrameSource {
 public:
  explicit Scripted(Connection connection) : connection_(std::move(connection)), pts_(connection_.first_pts) {
    info_.source = "camera";
    info_.time_base = connection_.time_base;
    info_.first_pts = pts_;
    info_.duration_s = connection_.duration_s;
    step_ = connection_.time_base.den / connection_.time_base.num / 25;
  }
  const StreamInfo& info() const noexcept override { return info_; }
  std::int64_t decode_errors() const noexcept override { return begun_ ? connection_.decode_errors : 0; }

  Result<SourceItem> next(std::stop_token stop) override {
    while (at_ < connection_.script.size()) {
      const Does& now = connection_.script[at_];
      switch (now.what) {
        case Does::kFrames:
          if (done_ == now.frames) break;
          ++done_;
          begun_ = true;
          return SourceItem(Frame{0, std::exchange(pts_, pts_ + step_), false, nullptr});
        case Does::kGap: ++at_; return SourceItem(Discontinuity{"gap", 0, pts_, 3});
        case Does::kError: return Error{ErrorKind::kSource, "connection reset"};
        case Does::kEnd: return SourceItem(EndOfStream{});
        case Does::kSilence: {
          std::mutex own;
          std::unique_lock lock(own);
          std::condition_variable_any never;
          never.wait(lock, stop, [] { return false; });
          return Error{ErrorKind::kStopped, "stopped"};
        }
      }
      ++at_;
      done_ = 0;
    }
    return SourceItem(EndOfStream{});
  }

 private:
  Connection connection_;
  StreamInfo info_;
  std::int64_t pts_, step_ = 1;
  std::size_t at_ = 0;
  int done_ = 0;
  bool begun_ = false;
};

class LiveSourceTest : public testing::Test {
 protected:
  LiveSourceTest() {
    options_.source.uri = kUri;
    options_.drop = DropPolicy::kBlock;
    options_.stalled_s = 0.2;
    options_.first_back_off_s = 0.01;
    options_.most_back_off_s = 0.02;
  }

  Result<std::unique_ptr<LiveSource>> open(std::deque<Connection> connections) {
    connections_ = std::move(connections);
    return LiveSource::open(
        options_,
        [this](LiveState state, const std::string& why) {
          const std::scoped_lock lock(mutex_);
          states_.push_back(std::string(name_of(state)) + (why.empty() ? "" : ": " + why));
        },
        stop_.get_token(),
        [this](const SourceSpec& spec, const std::stop_token&) {
          EXPECT_GT(spec.read_timeout_s, 86400) << "whether a source is silent for too long is not FFmpeg's affair";
          return connect();
        });
  }
  Result<std::unique_ptr<FrameSource>> connect() {
    const std::scoped_lock lock(mutex_);
    ++tries_;
    if (connections_.empty()) return Error{ErrorKind::kSource, "refused"};
    Connection next = std::move(connections_.front());
    connections_.pop_front();
    if (next.refused) return *next.refused;
    return std::unique_ptr<FrameSource>(std::make_unique<Scripted>(std::move(next)));
  }

  struct Seen {
    std::vector<std::int64_t> pts, ordinals;
    std::vector<std::string> breaks;  // reason@pts of the next frame
    std::vector<double> gaps;
    std::optional<Error> error;
  };
  // All, or so many frames.
  Seen read(LiveSource& source, std::size_t most = SIZE_MAX) {
    Seen out;
    while (out.pts.size() < most) {
      auto item = source.next(stop_.get_token());
      if (!item) {
        out.error = item.error();
        break;
      }
      if (auto* frame = std::get_if<Frame>(&*item)) {
        out.pts.push_back(frame->pts);
        out.ordinals.push_back(frame->ordinal);
        source.watched(frame->ordinal);
      } else if (auto* gap = std::get_if<Discontinuity>(&*item)) {
        out.breaks.push_back(gap->reason + "@" + std::to_string(gap->ordinal));
        out.gaps.push_back(gap->gap_s);
      } else {
        break;
      }
    }
    return out;
  }
  static void expect_balance(LiveSource& source) {
    source.close();
    const LiveCounts counts = source.counts();
    EXPECT_EQ(counts.waiting, 0U);
    EXPECT_EQ(counts.received,
              std::accumulate(counts.dropped.begin(), counts.dropped.end(), counts.processed + counts.decode_errors));
  }

  LiveOptions options_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::deque<Connection> connections_;
  std::vector<std::string> states_;
  int tries_ = 0;
};

TEST_F(LiveSourceTest, EveryReconnectIsOneBreakAndTimeGoesOn) {
  options_.max_retries = 3;
  auto opened = open({{{1, 1000}, 5000, {{Does::kFrames, 3}, {Does::kError, 0}}},
                      {.refused = Error{ErrorKind::kSource, "refused"}},
                      {{1, 90000}, 77, {{Does::kFrames, 2}, {Does::kEnd, 0}}},
                      {{1, 1000}, 0, {{Does::kFrames, 1}, {Does::kEnd, 0}}}});
  ASSERT_TRUE(opened);
  LiveSource& source = **opened;
  const Seen seen = read(source);
  ASSERT_EQ(seen.pts.size(), 6U);
  EXPECT_THAT(seen.ordinals, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(seen.breaks, ElementsAre("reconnect@3", "reconnect@5"));
  EXPECT_THAT((std::vector<std::int64_t>(seen.pts.begin(), seen.pts.begin() + 3)), ElementsAre(5000, 5040, 5080));
  EXPECT_EQ(seen.pts[3] - seen.pts[2], std::llround(seen.gaps[0] * 1000));
  EXPECT_GE(seen.gaps[0], 0.016);  // two waits
  EXPECT_EQ(seen.pts[4] - seen.pts[3], 40);
  // Nobody answers any more.
  ASSERT_TRUE(seen.error);
  EXPECT_EQ(seen.error->kind, ErrorKind::kSource);
  EXPECT_EQ(source.counts().reconnects, 2);
  EXPECT_EQ(source.next(stop_.get_token()).error().message, seen.error->message);
  expect_balance(source);
}

TEST_F(LiveSourceTest, NoticesAStreamThatStallsWithoutClosing) {
  auto opened = open({{{1, 1000}, 0, {{Does::kFrames, 5}, {Does::kSilence, 0}}},
                      {{1, 1000}, 0, {{Does::kFrames, 5}, {Does::kSilence, 0}}}});
  ASSERT_TRUE(opened);
  LiveSource& source = **opened;
  const Seen seen = read(source, 10);
  EXPECT_THAT(seen.breaks, ElementsAre("reconnect@5"));
  EXPECT_GE(seen.gaps[0], 2 * options_.stalled_s);
  EXPECT_LT(seen.gaps[0], 2 * options_.stalled_s + 2);
  {
    const std::scoped_lock lock(mutex_);
    EXPECT_THAT(states_, testing::IsSupersetOf({"streaming", "stalled: no frame for 0 s", "connecting"}));
    EXPECT_EQ(states_[0], "streaming") << "it begins as connecting";
    EXPECT_EQ(states_[1].substr(0, 7), "stalled");
    EXPECT_EQ(states_[2].substr(0, 11), "backing_off");
    EXPECT_EQ(states_[3], "connecting");
    EXPECT_EQ(states_[4], "streaming");
  }
  expect_balance(source);
}

TEST_F(LiveSourceTest, TriesForEverUnlessToldOtherwiseAndIsStoppedAtOnce) {
  const auto begun = std::chrono::steady_clock::now();
  std::jthread stopper([&] {
    while (true) {
      std::this_thread::sleep_for(milliseconds(5));
      const std::scoped_lock lock(mutex_);
      if (tries_ >= 10) break;
    }
    stop_.request_stop();
  });
  auto opened = open({});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kStopped);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  stop_ = {};
  options_.max_retries = 2;
  tries_ = 0;
  auto refused = open({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSource);
  EXPECT_EQ(tries_, 3);
}

TEST_F(LiveSourceTest, WaitsForTheFirstConnectionOnlyIfItMay) {
  options_.wait_for_first = false;
  auto opened = open({});
  ASSERT_FALSE(opened);
  EXPECT_EQ(tries_, 1);
  auto lost = open({{{1, 1000}, 0, {{Does::kFrames, 1}, {Does::kError, 0}}},
                    {.refused = Error{ErrorKind::kSource, "refused"}},
                    {{1, 1000}, 0, {{Does::kFrames, 1}, {Does::kSilence, 0}}}});
  ASSERT_TRUE(lost);
  EXPECT_EQ(read(**lost, 2).pts.size(), 2U);
}

TEST_F(LiveSourceTest, AFileThatIsMissingIsNotWaitedFor) {
  options_.source.uri = "/no/such/file.mp4";
  auto opened = open({{.refused = Error{ErrorKind::kInput, "no such file"}}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kInput);
}

TEST_F(LiveSourceTest, LoopsAFileWithoutAGap) {
  options_.source.uri = "/some/file.mp4";
  options_.loops = 3;
  const Connection file{{1, 1000}, 100, {{Does::kFrames, 4}, {Does::kEnd, 0}}, 0, {}, 0.16};
  auto opened = open({file, file, file, file});
  ASSERT_TRUE(opened);
  const Seen seen = read(**opened);
  ASSERT_EQ(seen.pts.size(), 12U);
  for (std::size_t i = 0; i < seen.pts.size(); ++i) EXPECT_EQ(seen.pts[i], 100 + 40 * static_cast<std::int64_t>(i));
  EXPECT_THAT(seen.breaks, ElementsAre("loop@4", "loop@8"));
  EXPECT_THAT(seen.gaps, ElementsAre(0, 0));
  EXPECT_FALSE(seen.error);
  expect_balance(**opened);
}

TEST_F(LiveSourceTest, PlaysAFileAtItsOwnPace) {
  options_.source.uri = "/some/file.mp4";
  options_.realtime = true;
  auto opened = open({{{1, 1000}, 0, {{Does::kFrames, 11}, {Does::kEnd, 0}}}});
  ASSERT_TRUE(opened);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(read(**opened).pts.size(), 11U);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(380));
}

TEST_F(LiveSourceTest, DropsWhatItIsTooSlowForAndCountsEveryFrame) {
  options_.drop = DropPolicy::kOldest;
  options_.queue = 4;
  auto opened = open({{{1, 1000}, 0, {{Does::kFrames, 100}, {Does::kSilence, 0}}, 7}});
  ASSERT_TRUE(opened);
  LiveSource& source = **opened;
  while (source.counts().received < 107) std::this_thread::sleep_for(milliseconds(1));
  const Seen seen = read(source, 4);
  EXPECT_THAT(seen.pts, ElementsAre(96 * 40, 97 * 40, 98 * 40, 99 * 40)) << "the newest";
  EXPECT_EQ(source.decode_errors(), 7);
  const auto dropped = source.close();
  EXPECT_THAT(dropped, ElementsAre(std::pair<std::string, std::int64_t>("queue_full", 96)));
  expect_balance(source);
}

TEST_F(LiveSourceTest, ABreakInTheStreamAndOneOfTheConnectionAreOne) {
  auto opened = open({{{1, 1000}, 0, {{Does::kFrames, 2}, {Does::kGap, 0}, {Does::kFrames, 2}, {Does::kError, 0}}},
                      {{1, 1000}, 0, {{Does::kGap, 0}, {Does::kFrames, 2}, {Does::kSilence, 0}}}});
  ASSERT_TRUE(opened);
  const Seen seen = read(**opened, 6);
  EXPECT_THAT(seen.breaks, ElementsAre("gap@2", "reconnect@4"));
}

}  // namespace
}  // namespace longtake
