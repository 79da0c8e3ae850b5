#include "core/pipeline/bounded_queue.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace longtake {
namespace {

TEST(BoundedQueue, KeepsOrderAndNeverHoldsMoreThanItsCapacity) {
  BoundedQueue<int> queue(3);
  const std::stop_source nobody;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::jthread producer([&] {
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(queue.push(i, nobody.get_token()));
      int now = ++inside;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
    }
    queue.close();
  });
  int expected = 0;
  while (auto item = queue.pop(nobody.get_token())) {
    --inside;
    ASSERT_EQ(*item, expected++);
  }
  EXPECT_EQ(expected, 1000);
  EXPECT_LE(most, 4) << "three inside and one that was just taken";
}

TEST(BoundedQueue, AStopWakesWhoeverWaits) {
  BoundedQueue<int> queue(1);
  std::stop_source stop;
  ASSERT_TRUE(queue.push(1, stop.get_token()));
  std::jthread producer([&] { EXPECT_FALSE(queue.push(2, stop.get_token())); });
  stop.request_stop();
  producer.join();
  BoundedQueue<int> empty(1);
  EXPECT_FALSE(empty.pop(stop.get_token()));
}

TEST(BoundedQueue, CloseLetsOutWhatIsInsideAndNothingIn) {
  BoundedQueue<int> queue(4);
  const std::stop_source nobody;
  ASSERT_TRUE(queue.push(7, nobody.get_token()));
  queue.close();
  EXPECT_FALSE(queue.push(8, nobody.get_token()));
  EXPECT_EQ(queue.pop(nobody.get_token()), 7);
  EXPECT_FALSE(queue.pop(nobody.get_token()));
}

}  // namespace
}  // namespace longtake
