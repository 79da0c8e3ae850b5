#include "models/recall/likeness.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "models/train/random.h"

namespace longtake {
namespace {

constexpr int kTokens = 16;
constexpr int kLatent = 3;
constexpr int kNumbers = kTokens * kLatent;

std::vector<float> frame(std::uint64_t seed, float scale = 1) {
  Random random{seed, 77};
  std::vector<float> out(kNumbers);
  for (float& number : out) number = scale * static_cast<float>(random.normal());
  return out;
}

LandmarkState landmarks_of(const std::vector<std::vector<float>>& frames) {
  LandmarkState state(kNumbers);
  for (const auto& one : frames) std::ranges::copy(one, state.latents.begin() + kNumbers * state.count++);
  return state;
}

// Positive definite.
const std::vector<float> kMetric{2, 0.5F, 0, 0.5F, 1, -0.25F, 0, -0.25F, 0.5F};

// The same in another order of sums, straight from the definition.
double cosine(const std::vector<std::vector<float>>& frames, std::size_t which, const std::vector<float>& x,
              const std::vector<float>& metric) {
  const auto at = [&](const std::vector<float>& frame, std::size_t i) {
    double mean = 0;
    for (const auto& one : frames) mean += one[i];
    return frame[i] - mean / static_cast<double>(frames.size() + 1);
  };
  const auto product = [&](const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < kLatent; ++i) {
      for (std::size_t j = 0; j < kLatent; ++j) {
        for (std::size_t token = 0; token < kTokens; ++token) {
          sum += at(a, token * kLatent + i) * metric[i * kLatent + j] * at(b, token * kLatent + j);
        }
      }
    }
    return sum;
  };
  return product(x, frames[which]) / std::sqrt(product(x, x) * product(frames[which], frames[which]));
}

TEST(Likeness, IsTheAngleByTheMetricSeenFromTheMean) {
  const std::vector<std::vector<float>> frames{frame(1), frame(2), frame(3)};
  for (const auto& metric : {kMetric, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1}}) {
    const Likeness likeness(landmarks_of(frames), metric);
    for (const auto& x : {frame(4), frames[1]}) {
      const auto got = likeness.to_landmarks(x);
      ASSERT_EQ(got.size(), frames.size());
      for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_NEAR(got[i], cosine(frames, i, x, metric), 1e-6) << i;
    }
  }
}

TEST(Likeness, NoMetricIsTheIdentity) {
  const auto state = landmarks_of({frame(1), frame(2)});
  const auto got = Likeness(state, {}).to_landmarks(frame(3));
  const auto want = Likeness(state, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1}).to_landmarks(frame(3));
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12);
}

// What the plain distance gets wrong: of a picture that lost most of its contrast, what is least far from the middle is
// nearest.
TEST(Likeness, KnowsWhatLostItsContrast) {
  std::vector<std::vector<float>> frames;
  for (std::uint64_t i = 0; i < 12; ++i) frames.push_back(frame(i, i % 2 == 0 ? 1.0F : 0.3F));
  const auto state = landmarks_of(frames);
  const Likeness likeness(state, {});
  int plain_right = 0;
  for (std::size_t i = 0; i < frames.size(); i += 2) {
    std::vector<float> faded(kNumbers);
    for (std::size_t j = 0; j < kNumbers; ++j) {
      double mean = 0;
      for (const auto& one : frames) mean += one[j] / static_cast<double>(frames.size());
      faded[j] = static_cast<float>(mean + 0.25 * (frames[i][j] - mean));
    }
    const auto got = likeness.to_landmarks(faded);
    EXPECT_EQ(std::ranges::max_element(got) - got.begin(), static_cast<std::ptrdiff_t>(i));
    std::vector<double> apart;
    for (const auto& one : frames) apart.push_back(frame_distance(one, faded));
    plain_right += std::ranges::min_element(apart) - apart.begin() == static_cast<std::ptrdiff_t>(i) ? 1 : 0;
  }
  EXPECT_LT(plain_right, 6) << "or this test shows nothing";
}

TEST(Likeness, OneLandmarkHasADirectionAndNoneHasNoAnswer) {
  const auto x = frame(5);
  EXPECT_NEAR(Likeness(landmarks_of({x}), kMetric).to_landmarks(x).at(0), 1, 1e-6);
  EXPECT_TRUE(Likeness(LandmarkState(kNumbers), kMetric).to_landmarks(x).empty());
  const std::vector<float> zeros(kNumbers);
  EXPECT_EQ(Likeness(landmarks_of({zeros}), kMetric).to_landmarks(zeros).at(0), 0);
}

TEST(Likeness, RefusesOtherSizes) {
  const auto state = landmarks_of({frame(1)});
  EXPECT_THROW(Likeness(state, std::vector<float>(8)), std::invalid_argument);
  EXPECT_THROW(Likeness(state, std::vector<float>(25)), std::invalid_argument);
  EXPECT_THROW(Likeness(state, {}).to_landmarks(std::vector<float>(5)), std::invalid_argument);
}

}  // namespace
}  // namespace longtake
