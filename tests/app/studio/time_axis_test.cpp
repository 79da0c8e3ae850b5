#include "app/studio/time_axis.h"

#include <gtest/gtest.h>

namespace longtake {
namespace {

TimeAxis& axis_of(TimeAxis& axis) {
  axis.set_whole(10, 110);
  axis.show_all();
  return axis;
}

TEST(TimeAxis, ZoomsAroundAMomentThatStays) {
  TimeAxis made;
  TimeAxis& axis = axis_of(made);
  axis.zoom(0.5, 35);  // a quarter of the way, before and after
  EXPECT_DOUBLE_EQ(axis.from(), 22.5);
  EXPECT_DOUBLE_EQ(axis.to(), 72.5);
  axis.zoom(2, 35);
  EXPECT_DOUBLE_EQ(axis.from(), 10);
  EXPECT_DOUBLE_EQ(axis.to(), 110);
}

TEST(TimeAxis, StaysInsideTheWhole) {
  TimeAxis made;
  TimeAxis& axis = axis_of(made);
  axis.zoom(100, 50);
  EXPECT_DOUBLE_EQ(axis.from(), 10);
  EXPECT_DOUBLE_EQ(axis.to(), 110);
  axis.show(20, 40);
  axis.scroll(1000);
  EXPECT_DOUBLE_EQ(axis.from(), 90);
  EXPECT_DOUBLE_EQ(axis.to(), 110);
  axis.scroll(-1000);
  EXPECT_DOUBLE_EQ(axis.from(), 10);
  EXPECT_DOUBLE_EQ(axis.to(), 30);
  axis.zoom(1e-9, 20);
  EXPECT_GT(axis.to() - axis.from(), 0.1);
}

TEST(TimeAxis, FollowsAStreamThatGrows) {
  TimeAxis made;
  TimeAxis& axis = axis_of(made);
  axis.set_whole(10, 120);
  EXPECT_DOUBLE_EQ(axis.to(), 120);  // all was shown, and is
  axis.show(100, 120);
  axis.set_whole(10, 125);
  EXPECT_DOUBLE_EQ(axis.from(), 105);  // the end was shown, and is
  EXPECT_DOUBLE_EQ(axis.to(), 125);
  axis.show(50, 60);
  axis.set_whole(10, 130);
  EXPECT_DOUBLE_EQ(axis.from(), 50);  // something else is being looked at
  EXPECT_DOUBLE_EQ(axis.to(), 60);
}

TEST(TimeAxis, FollowsTheNewestUntilSomebodyLooksElsewhere) {
  TimeAxis made;
  TimeAxis& axis = axis_of(made);
  axis.set_newest(40);
  axis.follow(10);
  EXPECT_DOUBLE_EQ(axis.from(), 30);
  EXPECT_DOUBLE_EQ(axis.to(), 40);
  axis.set_newest(55);
  EXPECT_DOUBLE_EQ(axis.from(), 45);
  axis.set_whole(10, 200);
  EXPECT_DOUBLE_EQ(axis.to(), 55);
  axis.follow(0);
  EXPECT_DOUBLE_EQ(axis.from(), 10);
  EXPECT_DOUBLE_EQ(axis.to(), 200);
  axis.follow(10);
  axis.zoom(0.5, 50);
  EXPECT_FALSE(axis.followed());
  axis.set_newest(90);
  EXPECT_LT(axis.to(), 56);
}

TEST(TimeAxis, InIsNeverBehindOut) {
  TimeAxis axis;
  axis.set_in(20);
  axis.set_out(30);
  axis.set_in(40);
  EXPECT_EQ(axis.in(), 40);
  EXPECT_FALSE(axis.out());
  axis.set_out(15);
  EXPECT_EQ(axis.out(), 15);
  EXPECT_FALSE(axis.in());
}

TEST(TimeAxis, SaysWhenSomethingChanges) {
  TimeAxis made;
  TimeAxis& axis = axis_of(made);
  int ranges = 0, playheads = 0;
  QObject::connect(&axis, &TimeAxis::range_changed, &axis, [&] { ++ranges; });
  QObject::connect(&axis, &TimeAxis::playhead_changed, &axis, [&] { ++playheads; });
  axis.show(20, 30);
  axis.set_playhead(25);
  axis.set_playhead(25);
  EXPECT_EQ(ranges, 1);
  EXPECT_EQ(playheads, 1);
}

}  // namespace
}  // namespace longtake
