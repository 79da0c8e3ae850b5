#include "models/recall/deviation.h"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

namespace longtake {
namespace {

constexpr int kLatent = 2;
constexpr int kNumbers = static_cast<int>(kRecallTokens) * kLatent;

std::vector<float> frame_of(float value) { return std::vector<float>(kNumbers, value); }

void set_part(std::vector<float>& frame, std::size_t part, float value) {
  std::fill_n(frame.begin() + static_cast<std::ptrdiff_t>(part * kLatent), kLatent, value);
}

void keep(LandmarkState& landmarks, const std::vector<float>& frame, double at) {
  std::ranges::copy(frame, landmarks.latents.begin() + landmarks.count * kNumbers);
  landmarks.at[static_cast<std::size_t>(landmarks.count)] = at;
  landmarks.base[static_cast<std::size_t>(2 * landmarks.count)] = 1;
  landmarks.base[static_cast<std::size_t>(2 * landmarks.count + 1)] = 1;
  ++landmarks.count;
}

// Part 3 shows 0, 1, 2, 3, two seconds apart; all others stand still.
SampleState steps() {
  SampleState samples(kNumbers);
  for (int i = 0; i < 4; ++i) {
    auto frame = frame_of(0);
    set_part(frame, 3, static_cast<float>(i));
    offer_sample(samples, frame, 2.0 * i);
  }
  return samples;
}

TEST(Deviation, OfAPartIsMeasuredByThatPartsOwnPast) {
  const UsualParts usual(LandmarkState(kNumbers), steps());
  auto frame = frame_of(0);
  set_part(frame, 3, 5);     // 2 from the nearest, usual is 1: spread .08 · 1 + .02
  set_part(frame, 7, 0.1f);  // usual is 0: spread .02
  const auto deviations = usual.deviations(frame);
  EXPECT_NEAR(deviations[3], (2 - 1) / 0.1, 1e-4);
  EXPECT_NEAR(deviations[7], 0.1 / 0.02, 1e-4);
  EXPECT_EQ(deviations[0], 0);
}

TEST(Deviation, ScaleIsTheMedianDeviationOfWhatIsUsual) {
  SampleState samples(kNumbers);
  const double shown[] = {0, 1, 3, 6, 10};  // nearest others: 1, 1, 2, 3, 4; median 2, deviations 1, 1, 0, 1, 2
  for (int i = 0; i < 5; ++i) offer_sample(samples, frame_of(static_cast<float>(shown[i])), i);
  const UsualParts usual(LandmarkState(kNumbers), samples);
  EXPECT_NEAR(usual.deviations(frame_of(15))[9], (5 - 2) / 1.4826, 1e-4);
  EXPECT_NEAR(usual.deviations(frame_of(6))[9], (0 - 2) / 1.4826, 1e-4);
}

TEST(Deviation, LandmarksAreKnownToo) {
  LandmarkState landmarks(kNumbers);
  auto seen = frame_of(0);
  set_part(seen, 7, 4);
  keep(landmarks, seen, 20);
  const UsualParts usual(landmarks, steps());
  EXPECT_EQ(usual.deviations(seen)[7], 0);
  EXPECT_GT(usual.deviations(frame_of(2))[7], 50);
}

TEST(Deviation, FramesOfTheSameMomentSayNothingOfWhatIsUsual) {
  SampleState samples(kNumbers);
  for (int second = 0; second < 3; ++second) {
    for (int i = 0; i < 4; ++i) offer_sample(samples, frame_of(static_cast<float>(second)), second * 2 + 0.1 * i);
  }
  const UsualParts usual(LandmarkState(kNumbers), samples);
  EXPECT_NEAR(usual.deviations(frame_of(3))[0], 0, 1e-4);  // 1 away, as every second is from the others
}

TEST(Deviation, MemoriesOfNextToNothing) {
  const UsualParts none{LandmarkState(kNumbers), SampleState(kNumbers)};
  EXPECT_EQ(none.deviations(frame_of(3))[5], 0);
  SampleState one(kNumbers);
  offer_sample(one, frame_of(1), 0);
  EXPECT_NEAR(UsualParts(LandmarkState(kNumbers), one).deviations(frame_of(2))[5], 1 / 0.02, 1e-3);
}

TEST(Deviation, RefusesOtherSizes) {
  const UsualParts usual(LandmarkState(kNumbers), steps());
  EXPECT_THROW(usual.deviations(std::vector<float>(kNumbers - 1)), std::invalid_argument);
  EXPECT_THROW((UsualParts{LandmarkState(2 * kNumbers), steps()}), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
