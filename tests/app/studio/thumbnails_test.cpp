#include "app/studio/thumbnails.h"

#include <QTest>

#include <gtest/gtest.h>

#include "core/media/glance.h"
#include "tests/app/studio/clip.h"

namespace longtake {
namespace {

class ThumbnailsTest : public testing::Test {
 protected:
  ThumbnailsTest() { thumbnails_.open(QString::fromStdString(clip())); }

  // The picture of a moment once it is as it will stay: the frame at that moment, made here.
  bool becomes_frame(double moment) {
    auto glance = Glance::open(clip(), {});
    const auto seen = (*glance)->frame(moment, {});
    RgbImage rgb;
    PictureConverter converter;
    EXPECT_TRUE(converter.to_rgb(*seen->picture, 160, 90, rgb));
    const QImage want(rgb.pixels.data(), 160, 90, 3 * 160, QImage::Format_RGB888);
    return QTest::qWaitFor([&] { return thumbnails_.at(moment) == want; }, 20'000);
  }

  Thumbnails thumbnails_;
};

TEST_F(ThumbnailsTest, AreTheFramesOfTheirMoments) {
  thumbnails_.want({0.5, 1.5, 4.5}, 0.1);
  for (const double moment : {0.5, 1.5, 4.5}) EXPECT_TRUE(becomes_frame(moment)) << moment;
  EXPECT_EQ(thumbnails_.count(), 3U);
  thumbnails_.want_first(6.3, 0.01);
  EXPECT_TRUE(becomes_frame(6.3));
  EXPECT_EQ(thumbnails_.at(5), thumbnails_.at(4.5));  // until there is one of its own
}

// A key frame that was near enough in a wide view is not, seen from nearer.
TEST_F(ThumbnailsTest, AreMadeBetterWhenSeenFromNearer) {
  thumbnails_.want({1.0}, 100);
  ASSERT_TRUE(QTest::qWaitFor([&] { return thumbnails_.count() == 1; }, 20'000));
  thumbnails_.want({1.0}, 0.01);
  EXPECT_TRUE(becomes_frame(1.0));
}

TEST_F(ThumbnailsTest, KeepNoMoreThanTheyMay) {
  for (int turn = 0; turn < 4; ++turn) {
    std::vector<double> moments;
    for (int i = 0; i < 140; ++i) moments.push_back(0.01 * (i + 140 * turn));
    const double last = moments.back();
    thumbnails_.want(std::move(moments), 100);
    EXPECT_TRUE(QTest::qWaitFor(
        [&] { return thumbnails_.count() >= std::min<std::size_t>(Thumbnails::kMost, 140U * (turn + 1)); }, 60'000));
    EXPECT_FALSE(thumbnails_.at(last).isNull());
    EXPECT_LE(thumbnails_.count(), Thumbnails::kMost);
  }
}

TEST_F(ThumbnailsTest, AreNoneOfWhatIsNoFile) {
  thumbnails_.open(QStringLiteral("rtsp://127.0.0.1:1/nobody"));
  thumbnails_.want({0.5}, 1);
  QTest::qWait(100);
  EXPECT_EQ(thumbnails_.count(), 0U);
  EXPECT_TRUE(thumbnails_.at(0.5).isNull());
}

TEST(Glance, SeesKeyFramesBeforeAndFramesAt) {
  auto glance = Glance::open(clip(), {});
  ASSERT_TRUE(glance);
  const auto pts = clip_pts();
  const double tick = static_cast<double>((*glance)->time_base().num) / static_cast<double>((*glance)->time_base().den);
  for (const std::size_t frame : {0, 1, 45, 100, 101, 199, 3}) {
    const double t = static_cast<double>(pts[frame]) * tick;
    const auto exact = (*glance)->frame(t, {});
    ASSERT_TRUE(exact && exact->picture);
    EXPECT_EQ(exact->pts, pts[frame]);
    const auto key = (*glance)->key_frame(t, {});
    ASSERT_TRUE(key && key->picture);
    EXPECT_LE(key->pts, pts[frame]);
  }
  EXPECT_EQ((*glance)->frame(1000, {})->pts, pts.back());
  EXPECT_FALSE(Glance::open("/no/such/video.mp4", {}));
}

}  // namespace
}  // namespace longtake
