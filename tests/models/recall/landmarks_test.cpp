#include "models/recall/landmarks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/train/random.h"

namespace longtake {
namespace {

constexpr int kNumbers = 32;

// Frames of a place lie close to each other, those of different places far apart.
std::vector<float> frame_of(std::uint64_t place, std::uint64_t frame, double spread = 0.05) {
  Random where{place}, how{place, frame};
  std::vector<float> out(kNumbers);
  for (float& number : out) number = static_cast<float>(where.normal() + spread * how.normal());
  return out;
}

FrameTime at(double t, double dt) { return {0, static_cast<std::int64_t>(std::lround(t * 1000)), t, dt}; }

Thumbnail grey(std::uint8_t value) {
  Thumbnail out;
  out.fill(value);
  return out;
}

// 25 frames a second, `seconds` of each place, one after the other.
void walk(LandmarkBank& bank, int from, int to, double seconds, double first_t = 0) {
  const int frames = static_cast<int>(seconds * 25);
  for (int place = from; place < to; ++place) {
    for (int i = 0; i < frames; ++i) {
      const double t = first_t + (place * frames + i) / 25.0;
      const auto x = frame_of(static_cast<std::uint64_t>(place), static_cast<std::uint64_t>(i));
      bank.watch(at(t, 0.04), x, i == 0 ? 1 : 0.1, grey(7));
    }
  }
}

std::vector<std::byte> bytes_of(const LandmarkBank& bank) {
  TensorFile file;
  save_state(bank.state(), file);
  return serialize_tensors(file);
}

TEST(Landmarks, CoverEveryPlaceHoweverLongOneOfThemWasInView) {
  LandmarkBank bank(kNumbers, {});
  walk(bank, 0, 1, 40);
  walk(bank, 1, 41, 0.4);
  walk(bank, 41, 42, 40);
  std::set<int> places;
  for (std::int64_t i = 0; i < bank.state().count; ++i) {
    const Landmark one = landmark(bank.state(), i);
    for (int place = 0; place < 42; ++place) {
      if (frame_distance(one.latents, frame_of(static_cast<std::uint64_t>(place), 0)) < 0.1) places.insert(place);
    }
  }
  EXPECT_EQ(places.size(), 42U);
  EXPECT_EQ(bank.state().count, kLandmarks);
}

TEST(Landmarks, SpreadOverTimeWhereNothingChanges) {
  LandmarkBank bank(kNumbers, {});
  const std::vector<float> still = frame_of(1, 0);
  for (int i = 0; i < 4000; ++i) bank.watch(at(i / 4.0, 0.25), still, 0.1, grey(0));
  std::vector<double> times = bank.state().t;
  std::ranges::sort(times);
  double widest = 0;
  for (std::size_t i = 1; i < times.size(); ++i) widest = std::max(widest, times[i] - times[i - 1]);
  EXPECT_LT(widest, 4 * 1000.0 / kLandmarks);
}

TEST(Landmarks, OfTwoAlikeTheNewerOnesStay) {
  LandmarkBank bank(kNumbers, {});
  for (int place = 0; place < kLandmarks; ++place) {
    bank.watch(at(place, 1), frame_of(static_cast<std::uint64_t>(place), 0), 0.5, grey(0));
  }
  bank.watch(at(100, 1), frame_of(3, 1), 0.4, grey(0));  // known better than what is kept of it
  EXPECT_EQ(std::ranges::count(bank.state().t, 100.0), 0);
  bank.watch(at(101, 1), frame_of(3, 2), 0.6, grey(0));  // looks newer
  EXPECT_EQ(std::ranges::count(bank.state().t, 101.0), 1);
  EXPECT_EQ(std::ranges::count(bank.state().t, 3.0), 0);
}

TEST(Landmarks, ASplitStreamGivesTheBytesOfTheWhole) {
  LandmarkBank whole(kNumbers, {}), first(kNumbers, {});
  for (LandmarkBank* bank : {&whole, &first}) {
    bank->begin_source("a.mp4", {1, 1000}, 1);
    walk(*bank, 0, 30, 0.4);
  }
  TensorFile file;
  save_state(first.state(), file);
  auto loaded = load_landmarks(kNumbers, file);
  ASSERT_TRUE(loaded) << loaded.error().message;
  LandmarkBank second(kNumbers, {});
  second.begin_source("a.mp4", {1, 1000}, 1);
  second.restore(std::move(*loaded));
  walk(whole, 30, 100, 0.4);
  walk(second, 30, 100, 0.4);
  EXPECT_EQ(bytes_of(whole), bytes_of(second));
}

TEST(Landmarks, TakeTheSameRoomAfterOneFrameAndAfterThousands) {
  LandmarkBank bank(kNumbers, {});
  walk(bank, 0, 1, 0.04);
  const std::size_t small = bytes_of(bank).size();
  walk(bank, 1, 100, 1);
  EXPECT_EQ(bytes_of(bank).size(), small);
}

TEST(Landmarks, KnowWhichVideoTheyAreOf) {
  LandmarkBank bank(kNumbers, {});
  bank.begin_source("monday.mp4", {1, 1000}, 1);
  walk(bank, 0, 3, 0.4);
  bank.begin_source("tuesday, of which there is much to be said: \xC3\xA4" + std::string(200, 'x'), {1001, 30000}, 2);
  walk(bank, 3, 6, 0.4);
  std::map<std::int64_t, std::int64_t> videos;
  for (std::int64_t i = 0; i < bank.state().count; ++i) {
    const Landmark one = landmark(bank.state(), i);
    ++videos[one.video];
    EXPECT_EQ(one.time_base.den, one.video == 1 ? 1000 : 30000);
    EXPECT_EQ(one.source.substr(0, 6), one.video == 1 ? "monday" : "tuesda");
    EXPECT_LT(one.source.size(), kLandmarkSourceBytes);
    EXPECT_EQ(one.pts, std::lround(one.t * 1000));
  }
  EXPECT_EQ(videos.size(), 2U);
}

TEST(Landmarks, KeepNoPicturesUnlessTheyMay) {
  LandmarkBank open(kNumbers, {}), closed(kNumbers, {.pictures = false});
  walk(open, 0, 3, 0.4);
  walk(closed, 0, 3, 0.4);
  EXPECT_EQ(landmark(open.state(), 0).picture.front(), 7);
  const auto none = [](const LandmarkBank& bank) {
    const bool black = std::ranges::all_of(bank.state().pictures, [](std::uint8_t byte) { return byte == 0; });
    return black && landmark(bank.state(), 0).picture.empty();
  };
  EXPECT_TRUE(none(closed));
  EXPECT_EQ(bytes_of(open).size(), bytes_of(closed).size());
  closed.restore(open.state());
  EXPECT_TRUE(none(closed)) << "those of a restored state are wiped out";
}

TEST(Landmarks, AStateThatCannotBeIsRefused) {
  LandmarkBank bank(kNumbers, {});
  walk(bank, 0, 3, 0.4);
  TensorFile good;
  save_state(bank.state(), good);
  EXPECT_TRUE(load_landmarks(kNumbers, good));
  EXPECT_TRUE(landmarks_in(good));
  EXPECT_FALSE(load_landmarks(kNumbers + 1, good)) << "of another model";
  TensorFile missing = good;
  missing.tensors.erase("landmarks.pts");
  EXPECT_FALSE(load_landmarks(kNumbers, missing));
  EXPECT_FALSE(landmarks_in(TensorFile{}));
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{kLandmarks + 1}}) {
    LandmarkState wrong = bank.state();
    wrong.count = count;
    TensorFile file;
    save_state(wrong, file);
    EXPECT_FALSE(load_landmarks(kNumbers, file)) << count;
  }
  LandmarkState wrong = bank.state();
  wrong.latents[5] = NAN;
  TensorFile file;
  save_state(wrong, file);
  EXPECT_FALSE(load_landmarks(kNumbers, file));
}

}  // namespace
}  // namespace longtake
