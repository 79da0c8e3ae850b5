#include "core/signals/occurrences.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/store/archive.h"

namespace longtake {
namespace {

// A world of one number, with what a model says of it: the mean of the last 0.3 s, and what was kept of the past.
class World {
 public:
  explicit World(unsigned seed = 1, double noise = 0.02) : engine_(seed), noise_(0, noise) {}

  Observation see(double t, double value) {
    value += noise_(engine_);
    Observation out;
    out.frame = frame_;
    out.pts = std::llround(t * 1000);
    out.t = t;
    out.dt = frame_++ == 0 || broken_ ? 0 : t - t_;
    watched_ += out.dt;
    out.past.emplace();
    out.past->watched = watched_;
    if (out.frame > 0 && !broken_) out.past->change = (value - mean_) * (value - mean_);
    for (const auto& [at, kept] : kept_) out.past->kept.push_back({at, (value - kept) * (value - kept)});
    mean_ = out.frame == 0 || broken_ ? value : mean_ + (1 - std::exp(-out.dt / 0.3)) * (value - mean_);
    // One in half a second, and of the older ones every other when there are too many.
    if (kept_.empty() || watched_ - kept_.back().first >= 0.5) kept_.emplace_back(watched_, value);
    if (kept_.size() > 64) {
      std::vector<std::pair<double, double>> fewer;
      for (std::size_t i = 0; i < kept_.size(); i += 2) fewer.push_back(kept_[i]);
      kept_ = fewer;
    }
    t_ = t;
    broken_ = false;
    return out;
  }
  void break_off() { broken_ = true; }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> noise_;
  std::int64_t frame_ = 0;
  double t_ = 0, watched_ = 0, mean_ = 0;
  bool broken_ = false;
  std::vector<std::pair<double, double>> kept_;
};

using Shown = std::function<double(double t)>;

struct Watched {
  std::vector<EventRecord> events;
  std::vector<double> times, sustained;  // of frames that have one

  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const EventRecord& event : events) out.push_back(event.kind);
    return out;
  }
  // Of the frames between two times.
  std::pair<double, double> least_and_most(double from, double to) const {
    double least = 1e9, most = -1e9;
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (times[i] < from || times[i] >= to) continue;
      least = std::min(least, sustained[i]);
      most = std::max(most, sustained[i]);
    }
    return {least, most};
  }
};

std::vector<double> steady(double fps, double seconds) {
  std::vector<double> out;
  for (int i = 0; i < fps * seconds; ++i) out.push_back(i / fps);
  return out;
}

Watched watch(const std::vector<double>& times, const Shown& shown, std::int64_t saved_at = -1) {
  World world;
  Occurrences occurrences;
  Watched out;
  for (const double t : times) {
    const Observation frame = world.see(t, shown(t));
    if (frame.frame == saved_at) {
      TensorFile file;
      StateWriter(file, "")("occurrences", occurrences);
      occurrences = Occurrences();
      StateReader reader(file, "");
      reader("occurrences", occurrences);
      EXPECT_TRUE(reader.result());
    }
    if (const auto sustained = occurrences.step(frame, false, out.events)) {
      out.times.push_back(t);
      out.sustained.push_back(*sustained);
    }
  }
  occurrences.flush(out.events);
  return out;
}

const std::vector<std::string> kCameAndWent{"novelty", "return"};

// There from 20 to 30 s.
double visitor(double t) { return t >= 20 && t < 30 ? 1 : 0; }

TEST(Occurrences, WhatComesIsNewAndWhatIsLeftBehindComesBack) {
  const Watched seen = watch(steady(25, 40), visitor);
  ASSERT_EQ(seen.told(), kCameAndWent);
  EXPECT_EQ(seen.events[0].frame, 500);
  EXPECT_EQ(seen.events[0].pts, 20000);
  EXPECT_EQ(seen.events[0].t, 20);
  EXPECT_EQ(seen.events[0].span[0], 500);
  EXPECT_GT(seen.events[0].span[1], 500);
  EXPECT_EQ(seen.events[1].frame, 750);
  EXPECT_EQ(seen.events[1].span, (std::array<std::int64_t, 2>{750, 750}));
  for (const EventRecord& event : seen.events) {
    EXPECT_GT(event.score, 8);
    EXPECT_GT(event.confidence, 0.5);
    EXPECT_LE(event.confidence, 1);
  }
}

TEST(Occurrences, NoveltyIsSustainedWhileTheUnusualStays) {
  const Watched seen = watch(steady(25, 40), visitor);
  EXPECT_GE(seen.least_and_most(20, 30).first, Occurrences::kLevel);
  // Single frames of noise may be high.
  const auto high = [&](double from, double to) {
    int n = 0;
    for (std::size_t i = 0; i < seen.times.size(); ++i) {
      n += seen.times[i] >= from && seen.times[i] < to && seen.sustained[i] >= Occurrences::kLevel ? 1 : 0;
    }
    return n;
  };
  EXPECT_LE(high(5, 20), 15 * 25 / 20);
  EXPECT_LE(high(30, 40), 10 * 25 / 20);
}

TEST(Occurrences, WhatStaysLongEnoughIsTheNewOrdinary) {
  const Watched seen = watch(steady(25, 80), [](double t) { return t >= 20 && t < 70 ? 1 : 0; });
  EXPECT_GE(seen.least_and_most(20, 20 + Occurrences::kAccustomSeconds).first, Occurrences::kLevel);
  EXPECT_LT(seen.least_and_most(60, 70).first, 1);
  EXPECT_EQ(seen.told(), kCameAndWent);
}

TEST(Occurrences, TheSecondVisitIsAReturn) {
  const Watched seen = watch(steady(25, 60), [](double t) { return visitor(t) + visitor(t - 20); });
  EXPECT_EQ(seen.told(), (std::vector<std::string>{"novelty", "return", "return", "return"}));
  EXPECT_EQ(seen.events[2].t, 40);
  EXPECT_EQ(seen.events[3].t, 50);
}

TEST(Occurrences, AreAtTheSameTimesAtAnyFrameRate) {
  for (const double fps : {5.0, 10.0, 50.0}) {
    const Watched seen = watch(steady(fps, 40), visitor);
    ASSERT_EQ(seen.told(), kCameAndWent) << fps;
    EXPECT_EQ(seen.events[0].t, 20) << fps;
    EXPECT_EQ(seen.events[1].t, 30) << fps;
  }
  std::vector<double> uneven;
  for (double t = 0; t < 40; t += uneven.size() % 7 < 3 ? 0.2 : 0.03) uneven.push_back(t);
  const Watched seen = watch(uneven, visitor);
  ASSERT_EQ(seen.told(), kCameAndWent);
  EXPECT_NEAR(seen.events[0].t, 20.1, 0.1);
  EXPECT_NEAR(seen.events[1].t, 30.1, 0.1);
}

TEST(Occurrences, ASplitStreamIsTheWhole) {
  const auto shown = [](double t) { return visitor(t) + 2 * visitor(t - 12); };
  const Watched whole = watch(steady(10, 50), shown);
  ASSERT_GE(whole.events.size(), 3U);
  for (const std::int64_t at : {1, 30, 100, 199, 200, 201, 203, 210, 215, 300, 302, 310, 330, 425, 499}) {
    const Watched split = watch(steady(10, 50), shown, at);
    EXPECT_EQ(split.sustained, whole.sustained) << at;
    ASSERT_EQ(split.told(), whole.told()) << at;
    for (std::size_t i = 0; i < whole.events.size(); ++i) {
      EXPECT_EQ(split.events[i].frame, whole.events[i].frame) << at;
      EXPECT_EQ(split.events[i].span, whole.events[i].span) << at;
      EXPECT_EQ(split.events[i].score, whole.events[i].score) << at;
    }
  }
}

TEST(Occurrences, OtherEventsExplainAChange) {
  for (const char* kind : {"cut", "gradual", "boundary", "flash", "light", "frozen"}) {
    World world;
    Occurrences occurrences;
    Watched out;
    for (const double t : steady(25, 40)) {
      const Observation frame = world.see(t, visitor(t));
      occurrences.step(frame, false, out.events);
      // A second late, as the latest of them.
      for (const std::int64_t at : {500, 750}) {
        if (frame.frame != at + 25) continue;
        EventRecord event;
        event.kind = kind;
        event.span = {at, at};
        occurrences.explain(event);
      }
    }
    const std::string name = kind;
    const std::vector<std::string> back{"return"};
    EXPECT_EQ(out.told(), name == "frozen"                     ? kCameAndWent
                          : name == "flash" || name == "light" ? std::vector<std::string>()
                                                               : back)
        << kind;
  }
}

TEST(Occurrences, ThereIsNoNewsInABlankPictureNorBehindIt) {
  World world;
  Occurrences occurrences;
  std::vector<EventRecord> events;
  for (const double t : steady(25, 40)) {
    // It fades in a fifth of a second before it is blank.
    const bool blank = t >= 20.2 && t < 30;
    const auto sustained = occurrences.step(world.see(t, visitor(t)), blank, events);
    EXPECT_FALSE(blank && sustained);
  }
  occurrences.flush(events);
  EXPECT_TRUE(events.empty());
}

TEST(Occurrences, NothingIsComparedAcrossABreakButPlacesAreKnown) {
  World world;
  Occurrences occurrences;
  Watched out;
  for (const double t : steady(25, 60)) {
    if (t == 20 || t == 30) {
      occurrences.flush(out.events);
      world.break_off();
    }
    occurrences.step(world.see(t, visitor(t) + visitor(t - 20)), false, out.events);
  }
  occurrences.flush(out.events);
  // What was there between the breaks, without an event, is known when it comes in view of the camera.
  EXPECT_EQ(out.told(), (std::vector<std::string>{"return", "return"}));
  EXPECT_EQ(out.events[0].t, 40);
}

TEST(Occurrences, WhatIsOpenAtTheEndIsTold) {
  const Watched seen = watch(steady(25, 20.2), visitor);
  EXPECT_EQ(seen.told(), (std::vector<std::string>{"novelty"}));
}

TEST(Occurrences, NothingStandsOutBeforeThereIsAPast) {
  EXPECT_TRUE(
      watch(steady(25, 15), [](double t) { return t >= Occurrences::kLeastPast - 0.5 ? 1 : 0; }).events.empty());
  EXPECT_FALSE(
      watch(steady(25, 15), [](double t) { return t >= Occurrences::kLeastPast + 0.5 ? 1 : 0; }).events.empty());
}

// An hour of values that wander, with jumps of all sizes.
std::vector<EventRecord> lively(double hours, std::optional<double> an_hour) {
  World world(7, 0.1);
  std::mt19937_64 engine(3);
  std::exponential_distribution<double> size(2);
  std::uniform_real_distribution<double> chance(0, 1);
  Occurrences occurrences(an_hour);
  std::vector<EventRecord> events;
  double value = 0;
  for (const double t : steady(5, hours * 3600)) {
    if (chance(engine) < 0.02) value = (chance(engine) < 0.5 ? -1 : 1) * size(engine);
    occurrences.step(world.see(t, value), false, events);
  }
  return events;
}

TEST(Occurrences, AsManyComeAnHourAsAreWanted) {
  constexpr double kHours = 1.5;
  // All that the bar can move is worth so many events, and a change may tell of two at once.
  const double most_off =
      std::log(Occurrences::kHighestBar / Occurrences::kLowestBar) / std::log(Occurrences::kRaise) + 2;
  for (const double wanted : {20.0, 120.0}) {
    EXPECT_NEAR(static_cast<double>(lively(kHours, wanted).size()), wanted * kHours, most_off);
  }
}

TEST(Occurrences, NoiseAloneRaisesFewerAlarmsThanStated) {
  double alarms = 0;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    World world(seed, 0.1);
    Occurrences occurrences;
    std::vector<EventRecord> events;
    for (const double t : steady(10, 3600)) occurrences.step(world.see(t, std::sin(t / 40)), false, events);
    alarms += static_cast<double>(events.size());
  }
  EXPECT_LE(alarms / 2, 6);  // one in ten minutes
}

}  // namespace
}  // namespace longtake
