#include "app/studio/layer_model.h"

#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

namespace longtake {
namespace {

FrameRecord frame_at(int i) {
  FrameRecord out;
  out.frame = i;
  out.t = 0.04 * i;
  out.layers = {{static_cast<float>(i), static_cast<float>(i) / 2, 0.25F}, {7, 6, 0.5F}};
  return out;
}

class LayerModelTest : public testing::Test {
 protected:
  void take(int first, int last) {
    std::vector<Record> records;
    for (int i = first; i < last; ++i) records.emplace_back(frame_at(i));
    findings_.take(std::move(records), {1, 25});
  }
  QString text(int row, int column) { return model_.data(model_.index(row, column)).toString(); }

  Findings findings_;
  TimeAxis axis_;
  LayerModel model_{findings_, axis_};
  const QAbstractItemModelTester tester_{&model_, QAbstractItemModelTester::FailureReportingMode::Fatal};
};

TEST_F(LayerModelTest, SaysWhatEveryLayerSaysAtTheMouseOrThePlayhead) {
  EXPECT_EQ(model_.rowCount(), 0);
  take(0, 100);
  ASSERT_EQ(model_.rowCount(), 2);
  axis_.set_playhead(0.4);
  EXPECT_EQ(text(0, LayerModel::kBefore), QStringLiteral("10.0000"));
  EXPECT_EQ(text(0, LayerModel::kAfter), QStringLiteral("5.0000"));
  EXPECT_EQ(text(0, LayerModel::kDrift), QStringLiteral("0.2500"));
  EXPECT_EQ(text(1, LayerModel::kMean), QStringLiteral("7.0000"));
  axis_.set_hover(0.8);
  EXPECT_EQ(text(0, LayerModel::kBefore), QStringLiteral("20.0000"));
  axis_.set_hover(std::nullopt);
  EXPECT_EQ(text(0, LayerModel::kBefore), QStringLiteral("10.0000"));
  axis_.set_hover(50);
  EXPECT_EQ(text(0, LayerModel::kBefore), QStringLiteral("–"));
  take(100, 1300);
  EXPECT_EQ(text(0, LayerModel::kBefore), QStringLiteral("1250.0000"));
  findings_.clear();
  EXPECT_EQ(model_.rowCount(), 0);
}

TEST_F(LayerModelTest, HidesAndShowsByItsBoxes) {
  take(0, 10);
  int changes = 0;
  QObject::connect(&model_, &LayerModel::drawing_changed, &model_, [&] { ++changes; });
  EXPECT_TRUE(model_.shows(1));
  EXPECT_TRUE(model_.setData(model_.index(1, LayerModel::kLayer), Qt::Unchecked, Qt::CheckStateRole));
  EXPECT_FALSE(model_.shows(1));
  EXPECT_TRUE(model_.shows(0));
  EXPECT_FALSE(model_.setData(model_.index(0, LayerModel::kBefore), Qt::Unchecked, Qt::CheckStateRole));
  EXPECT_EQ(model_.data(model_.index(1, LayerModel::kLayer), Qt::CheckStateRole).toInt(), Qt::Unchecked);
  EXPECT_EQ(changes, 1);
  model_.set_mean_seconds(5);
  model_.set_mean_seconds(5);
  EXPECT_EQ(changes, 2);
}

}  // namespace
}  // namespace longtake
