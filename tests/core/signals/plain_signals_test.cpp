#include "core/signals/plain_signals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/store/archive.h"

namespace longtake {
namespace {

constexpr PlainSignalChoice kAll{true, true, true, true, true};

Thumbnail flat(std::uint8_t level) {
  Thumbnail out;
  out.fill(level);
  return out;
}
std::vector<float> vector_at(double degrees) {
  std::vector<float> out(1280);
  out[3] = static_cast<float>(std::cos(degrees * M_PI / 180));
  out[900] = static_cast<float>(std::sin(degrees * M_PI / 180));
  return out;
}
// Smooth stains, moved by so many pixels.
GreyPicture stains(double right, double down) {
  GreyPicture out;
  for (int y = 0; y < kGreySide; ++y) {
    for (int x = 0; x < kGreySide; ++x) {
      const double u = x - right, v = y - down;
      const double value = 128 + 40 * std::sin(0.35 * u + 0.21 * v) + 40 * std::sin(0.5 * v - 0.13 * u) + 40 * std::sin(0.81 * u + 0.4 * v);
      out.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return out;
}

TEST(PlainSignals, AreWhatTheyAreCalled) {
  PlainSignalWatcher watcher(kAll);
  const PlainSignals first = watcher.step(flat(51), vector_at(0), stains(0, 0), 0.5);
  EXPECT_EQ(first.pixel, 0.0F);
  EXPECT_EQ(first.cell, 0.0F);
  EXPECT_EQ(first.histogram, 0.0F);
  EXPECT_EQ(first.feature, 0.0F);
  EXPECT_EQ(first.flow, 0.0F);
  // 51 levels of 255; from the darkest quarter of levels to the next in half of the pixels; 60 degrees; (3, 4) pixels.
  Thumbnail half = flat(51);
  for (std::size_t i = 0; i < half.size() / 2; ++i) half[i] = 102;
  const PlainSignals moved = watcher.step(half, vector_at(60), stains(3, 4), 0.5);
  EXPECT_NEAR(*moved.pixel, 0.1, 1e-6);
  const double share = 1 - std::exp(-0.5 / 1.5);  // of a change that lasts half a second
  EXPECT_NEAR(*moved.cell, 0.2 * share, 1e-6);
  EXPECT_NEAR(*moved.histogram, 0.5, 1e-6);
  EXPECT_NEAR(*moved.feature, 0.5, 1e-6);
  EXPECT_NEAR(*moved.flow, 5.0 / kGreySide, 1.0 / kGreySide) << "parts of 28 pixels tell it to about a pixel";
  const PlainSignals still = watcher.step(half, vector_at(60), stains(3, 4), 0.5);
  EXPECT_NEAR(*still.pixel, 0, 1e-6);
  EXPECT_NEAR(*still.cell, 0.2 * share * (1 - share), 1e-6) << "it dies away";
  EXPECT_NEAR(*still.feature, 0, 1e-6);
  EXPECT_NEAR(*still.flow, 0, 0.05 / kGreySide);
}

TEST(PlainSignals, OnlyThoseThatAreWanted) {
  PlainSignalWatcher watcher({.feature = true});
  const PlainSignals out = watcher.step(flat(1), vector_at(0), {}, 0.5);
  EXPECT_FALSE(out.pixel || out.histogram || out.flow);
  EXPECT_TRUE(out.feature);
  EXPECT_THROW(PlainSignalWatcher({.flow = true}).step(flat(1), vector_at(0), {}, 0.5), std::invalid_argument);
}

TEST(PlainSignals, APictureOfOneLevelHasNoMotion) {
  PlainSignalWatcher watcher({.flow = true});
  const GreyPicture grey(kGreySide * kGreySide, 90);
  (void)watcher.step(flat(1), {}, grey, 0.5);
  EXPECT_NEAR(*watcher.step(flat(1), {}, grey, 0.5).flow, 0, 1e-6);
}

TEST(PlainSignals, ContinueFromTheirSavedStateAndForgetAtABreak) {
  PlainSignalWatcher whole(kAll), first(kAll), second(kAll);
  for (PlainSignalWatcher* watcher : {&whole, &first}) (void)watcher->step(flat(40), vector_at(0), stains(0, 0), 0.5);
  TensorFile file;
  StateWriter(file, "")("signals", first);
  StateReader reader(file, "");
  reader("signals", second);
  ASSERT_TRUE(reader.result());
  const PlainSignals a = whole.step(flat(90), vector_at(20), stains(1, 0), 0.5), b = second.step(flat(90), vector_at(20), stains(1, 0), 0.5);
  EXPECT_EQ(a.pixel, b.pixel);
  EXPECT_EQ(a.cell, b.cell);
  EXPECT_EQ(a.feature, b.feature);
  EXPECT_EQ(a.flow, b.flow);
  whole.flush();
  EXPECT_EQ(whole.step(flat(200), vector_at(90), stains(9, 9), 0.5).pixel, 0.0F);
}

}  // namespace
}  // namespace longtake
