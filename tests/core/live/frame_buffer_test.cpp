#include "core/live/frame_buffer.h"

#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

FrameBuffer::Item item(std::int64_t pts) {
  FrameBuffer::Item out;
  out.frame.pts = pts;
  return out;
}

FrameBuffer::Item after_break(std::int64_t pts, const char* reason, double gap_s) {
  FrameBuffer::Item out = item(pts);
  out.before = Discontinuity{reason, 0, 0, gap_s};
  return out;
}

std::vector<std::int64_t> all_of(FrameBuffer& buffer) {
  const std::stop_source nobody;
  buffer.close();
  std::vector<std::int64_t> out;
  while (auto next = buffer.pop(nobody.get_token())) out.push_back(next->frame.pts);
  return out;
}

void expect_balance(const FrameBuffer& buffer) {
  const auto counts = buffer.counts();
  EXPECT_EQ(counts.frames_in, std::accumulate(counts.dropped.begin(), counts.dropped.end(), counts.delivered) +
                                  static_cast<std::int64_t>(counts.waiting));
}

TEST(FrameBuffer, DropsTheOldestAndKeepsTheOrder) {
  FrameBuffer buffer(3, DropPolicy::kOldest);
  const std::stop_source nobody;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(buffer.push(item(i), nobody.get_token()));
  expect_balance(buffer);
  EXPECT_EQ(buffer.counts().dropped[FrameBuffer::kQueueFull], 7);
  EXPECT_EQ(all_of(buffer), (std::vector<std::int64_t>{7, 8, 9}));
  expect_balance(buffer);
}

TEST(FrameBuffer, ABreakStaysWhenTheFrameBehindItIsDropped) {
  FrameBuffer buffer(2, DropPolicy::kOldest);
  const std::stop_source nobody;
  buffer.push(after_break(0, "reconnect", 2), nobody.get_token());
  buffer.push(item(1), nobody.get_token());
  buffer.push(after_break(2, "gap", 1), nobody.get_token());
  buffer.push(item(3), nobody.get_token());
  auto first = buffer.pop(nobody.get_token());
  ASSERT_TRUE(first && first->before);
  EXPECT_EQ(first->frame.pts, 2);
  EXPECT_EQ(first->before->reason, "reconnect") << "two breaks with nothing between them are one";
  EXPECT_EQ(first->before->gap_s, 3);
  EXPECT_FALSE(buffer.pop(nobody.get_token())->before);
}

TEST(FrameBuffer, WaitsWhereNothingMayBeDropped) {
  FrameBuffer buffer(2, DropPolicy::kBlock);
  const std::stop_source nobody;
  std::jthread producer([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(buffer.push(item(i), nobody.get_token()));
    buffer.close();
  });
  for (int i = 0; i < 100; ++i) {
    auto next = buffer.pop(nobody.get_token());
    ASSERT_TRUE(next);
    EXPECT_EQ(next->frame.pts, i);
    if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(buffer.pop(nobody.get_token()));
  EXPECT_EQ(buffer.counts().delivered, 100);
  expect_balance(buffer);
}

TEST(FrameBuffer, ThinsEvenlyWhileItIsTooMuchAndTakesAllAgainAfterwards) {
  FrameBuffer buffer(4, DropPolicy::kAdaptive);
  const std::stop_source nobody;
  const auto watch = [&] { return buffer.pop(nobody.get_token())->frame.pts; };
  // One of three can be watched.
  std::vector<std::int64_t> watched;
  int pts = 0;
  for (; pts < 300; ++pts) {
    buffer.push(item(pts), nobody.get_token());
    if (pts % 3 == 2 && buffer.counts().waiting > 0) watched.push_back(watch());
  }
  std::vector<std::int64_t> steps(watched.size());
  std::adjacent_difference(watched.begin(), watched.end(), steps.begin());
  for (std::size_t i = watched.size() / 2; i < steps.size(); ++i) EXPECT_LE(steps[i], 8);
  EXPECT_GT(watched.size(), 60U);
  while (buffer.counts().waiting > 0) watch();
  for (; pts < 700; ++pts) {
    buffer.push(item(pts), nobody.get_token());
    if (buffer.counts().waiting > 0) watch();
  }
  const auto before = buffer.counts();
  for (; pts < 800; ++pts) {
    buffer.push(item(pts), nobody.get_token());
    ASSERT_EQ(buffer.counts().waiting, 1U);
    EXPECT_EQ(watch(), pts);
  }
  EXPECT_EQ(buffer.counts().dropped[FrameBuffer::kThinned], before.dropped[FrameBuffer::kThinned]);
  EXPECT_EQ(buffer.counts().dropped[FrameBuffer::kQueueFull], 0);
  expect_balance(buffer);
}

TEST(FrameBuffer, WhatWaitsWhenItIsAbandonedIsCounted) {
  FrameBuffer buffer(5, DropPolicy::kBlock);
  std::stop_source stop;
  for (int i = 0; i < 5; ++i) buffer.push(item(i), stop.get_token());
  std::jthread producer([&] { EXPECT_FALSE(buffer.push(item(5), stop.get_token())); });
  while (buffer.counts().frames_in < 6) std::this_thread::yield();
  buffer.abandon();
  producer.join();
  EXPECT_EQ(buffer.counts().dropped[FrameBuffer::kStopped], 6);
  EXPECT_FALSE(buffer.push(item(6), stop.get_token()));
  EXPECT_FALSE(buffer.pop(stop.get_token()));
  expect_balance(buffer);
}

}  // namespace
}  // namespace longtake
