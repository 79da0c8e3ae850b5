#include "models/shots/shot_signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/store/archive.h"
#include "models/shots/shot_watcher.h"

namespace longtake {
namespace {

constexpr std::size_t kKinds = ShotSignals::kKinds;
constexpr std::size_t kMean = ShotSignals::kCount - 3, kSpread = kMean + 1, kGap = kMean + 2;

// A picture of one level; tokens and embedding that look along the first number, then along the second as `turn` goes to 1.
Encoded picture(double turn, std::uint8_t level) {
  Encoded out;
  out.tokens.assign(Encoder::kTokens * Encoder::kTokenChannels, 0);
  for (std::size_t token = 0; token < Encoder::kTokens; ++token) {
    out.tokens[token * Encoder::kTokenChannels] = static_cast<float>(1 - turn);
    out.tokens[token * Encoder::kTokenChannels + 1] = static_cast<float>(turn);
  }
  out.embedding.assign(Encoder::kEmbedding, 0);
  out.embedding[0] = static_cast<float>(1 - turn);
  out.embedding[1] = static_cast<float>(turn);
  out.thumbnail.fill(level);
  return out;
}

double change(const ShotSignals::Values& values, std::size_t lag, std::size_t kind) {
  return std::exp(static_cast<double>(values[lag * kKinds + kind])) - 1e-3;
}

TEST(ShotSignals, ChangesAreWhatTheyShouldBe) {
  ShotSignals signals;
  const ShotSignals::Values first = signals.step(picture(0, 51), 0);
  EXPECT_NEAR(change(first, 0, 0), 0, 1e-6) << "nothing is known to have changed";
  EXPECT_NEAR(first[kMean], 0.2, 1e-6);
  EXPECT_NEAR(first[kSpread], 0, 1e-6);
  // From (1, 0) to (0, 1): ‖a − b‖² = 2 over ‖a‖² + ‖b‖² = 2; at right angles; 102 levels of 255; other colours all over.
  const ShotSignals::Values turned = signals.step(picture(1, 153), 0.04);
  for (std::size_t lag = 0; lag < ShotSignals::kLags.size(); ++lag) {
    EXPECT_NEAR(change(turned, lag, 0), 1, 1e-4);
    EXPECT_NEAR(change(turned, lag, 1), 1, 1e-4);
    EXPECT_NEAR(change(turned, lag, 2), 1, 1e-4);
    EXPECT_NEAR(change(turned, lag, 3), 0.4, 1e-4);
    EXPECT_NEAR(change(turned, lag, 4), 1, 1e-4);
  }
  EXPECT_NEAR(turned[kMean], 0.6, 1e-6);
  EXPECT_NEAR(turned[kGap], 0, 1e-6);
}

TEST(ShotSignals, AFewTokensMoveTheMeanAndNotTheMedian) {
  ShotSignals signals;
  (void)signals.step(picture(0, 100), 0);
  Encoded other = picture(0, 100);
  for (std::size_t token = 0; token < 4; ++token) {
    std::swap(other.tokens[token * Encoder::kTokenChannels], other.tokens[token * Encoder::kTokenChannels + 1]);
  }
  const ShotSignals::Values values = signals.step(other, 0.04);
  EXPECT_NEAR(change(values, 0, 0), 0.25, 1e-4);
  EXPECT_NEAR(change(values, 0, 1), 0, 1e-6);
}

TEST(ShotSignals, LagsAreTimes) {
  // A flash in frame 20 of 41, at three rates: lag 0.16 s sees it 0.16 s later, whatever the rate.
  for (const double rate : {25.0, 12.5, 6.25}) {
    ShotSignals signals;
    const auto later = static_cast<int>(std::lround(0.16 * rate));
    for (int i = 0; i <= 40; ++i) {
      const ShotSignals::Values values = signals.step(picture(i == 20 ? 1 : 0, 100), 1 / rate);
      const double seen = change(values, 2, 2);
      EXPECT_NEAR(seen, i == 20 || i == 20 + later ? 1 : 0, 1e-4) << rate << " a second, frame " << i;
    }
  }
}

TEST(ShotSignals, ContinueFromTheirSavedState) {
  const auto frame = [](int i) { return picture(0.5 + 0.5 * std::sin(0.7 * i), static_cast<std::uint8_t>(90 + 3 * (i % 20))); };
  ShotSignals whole, first;
  for (int i = 0; i < 33; ++i) {
    (void)whole.step(frame(i), 0.04);
    (void)first.step(frame(i), 0.04);
  }
  TensorFile file;
  StateWriter(file, "")("signals", first);
  ShotSignals second;
  StateReader reader(file, "");
  reader("signals", second);
  ASSERT_TRUE(reader.result());
  for (int i = 33; i < 80; ++i) EXPECT_EQ(second.step(frame(i), 0.04), whole.step(frame(i), 0.04)) << i;
}

ShotWeights no_weights() {
  TensorFile file;
  for (const ShotTensor& part : shot_tensors()) {
    std::int64_t count = 1;
    for (const std::int64_t extent : part.shape) count *= extent;
    file.tensors[part.name] = Tensor::of(std::vector<float>(static_cast<std::size_t>(count)), part.shape);
  }
  return *load_shots(file);
}

TEST(ShotWatcher, FastFramesArePutIntoSlotsAndTheSharpestIsKnown) {
  const ShotWeights weights = no_weights();
  for (const auto& [rate, a_slot] : {std::pair{25, 1}, {30, 1}, {50, 2}, {60, 2}, {120, 4}}) {
    ShotWatcher watcher(weights);
    std::int64_t slots = 0, verdicts = 0, sharpest = -1;
    const int changes_at = 8 * a_slot + 1;
    for (int i = 0; i < 20 * a_slot; ++i) {
      const ShotObservation seen = watcher.step(picture(0, i < changes_at ? 40 : 200), i == 0 ? 0 : 1.0 / rate);
      if (seen.sharpest) sharpest = i;
      if (seen.ends_slot) {
        if (i >= changes_at && i < changes_at + a_slot) {
          EXPECT_EQ(sharpest, changes_at) << rate;
        }
        ++slots;
      }
      verdicts += std::ssize(seen.verdicts);
    }
    EXPECT_EQ(slots, 20) << rate << " a second";
    EXPECT_EQ(verdicts, 20 - kShotDelay);
    EXPECT_EQ(std::ssize(watcher.flush()), kShotDelay);
    EXPECT_TRUE(watcher.flush().empty());
  }
}

TEST(ShotWatcher, AShortStreamHasAllItsVerdicts) {
  const ShotWeights weights = no_weights();
  ShotWatcher watcher(weights);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(watcher.step(picture(0, 90), 0.04).verdicts.empty());
  EXPECT_EQ(watcher.flush().size(), 3U);
}

}  // namespace
}  // namespace longtake
