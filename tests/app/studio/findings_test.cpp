#include "app/studio/findings.h"

#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

namespace longtake {
namespace {

FrameRecord frame_at(std::int64_t i) {
  FrameRecord out;
  out.frame = i;
  out.t = 0.04 * static_cast<double>(i);
  out.layers = {{1, 0.5F, 0.1F}};
  return out;
}

TEST(Findings, TakeWhatTheyAreGiven) {
  Findings findings;
  const QAbstractItemModelTester tester(&findings.events(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  int changes = 0;
  QObject::connect(&findings, &Findings::changed, &findings, [&] { ++changes; });
  findings.take({frame_at(0), frame_at(1), EventRecord{"cut", 1, 90, 0.04, 5, 0.9, {0, 1}}}, {1, 2250});
  findings.take({SegmentRecord{.first = 0, .last = 1}, DiscontinuityRecord{"gap", 2, 22'500, 8}, frame_at(250)},
                {1, 2250});
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(findings.curves().frames(), 3);
  EXPECT_DOUBLE_EQ(findings.last_t(), 10);
  ASSERT_EQ(findings.events().rowCount(), 1);
  EXPECT_EQ(findings.events().data(findings.events().index(0, EventModel::kTime)).toString(),
            QStringLiteral("00:00.040"));
  EXPECT_EQ(findings.events().data(findings.events().index(0, EventModel::kKind)).toString(), QStringLiteral("cut"));
  EXPECT_EQ(findings.events().data(findings.events().index(0, EventModel::kConfidence)).toString(),
            QStringLiteral("90 %"));
  EXPECT_EQ(findings.segments().size(), 1U);
  ASSERT_EQ(findings.gaps().size(), 1U);
  EXPECT_DOUBLE_EQ(findings.gaps().front().from, 2);
  EXPECT_DOUBLE_EQ(findings.gaps().front().to, 10);
  findings.clear();
  EXPECT_EQ(findings.events().rowCount(), 0);
  EXPECT_EQ(findings.curves().frames(), 0);
}

TEST(ClockText, IsCutOffAndNotRounded) {
  EXPECT_EQ(clock_text(0), QStringLiteral("00:00.000"));
  EXPECT_EQ(clock_text(59.9999), QStringLiteral("00:59.999"));
  EXPECT_EQ(clock_text(3723.25), QStringLiteral("1:02:03.250"));
  EXPECT_EQ(clock_text(0.07), QStringLiteral("00:00.070"));
  EXPECT_EQ(clock_text(-1.5), QStringLiteral("-00:01.500"));
}

}  // namespace
}  // namespace longtake
