#include "app/studio/loss_table.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

class LossTableTest : public testing::Test {
 protected:
  LossTableTest() {
    std::vector<Record> records;
    for (int i = 0; i < 1000; ++i) {
      FrameRecord frame;
      frame.frame = i;
      frame.t = 0.04 * i;
      const auto loss = static_cast<float>(i);
      frame.layers = {{loss, loss / 2, 0.25F}, {7, 6, 0.5F}};
      records.emplace_back(std::move(frame));
    }
    findings_.take(std::move(records), {1, 25});
  }
  LossTable between(double from, double to) {
    return loss_table(findings_, layers_, samples_between(findings_, from, to, 100));
  }

  const TempDir folder_;
  Findings findings_;
  TimeAxis axis_;
  LayerModel layers_{findings_, axis_};
};

TEST_F(LossTableTest, HasARowAFrameWhereFewAreDrawn) {
  layers_.set_shown(0, false);
  const auto file = folder_ / "losses.csv";
  ASSERT_TRUE(write_csv(file, between(10, 10.08)));
  EXPECT_EQ(text_of(file),
            "t_s,frame,frames,layer2_before,layer2_after,layer2_mean_1s,layer2_drift\n"
            "10.000000,250,1,7,6,7,0.5\n10.040000,251,1,7,6,7,0.5\n10.080000,252,1,7,6,7,0.5\n");
}

TEST_F(LossTableTest, HasARowAColumnWhereManyAre) {
  const LossTable table = between(0, 40);
  ASSERT_EQ(table.t.size(), 100U);
  EXPECT_EQ(table.frames[50], 10);
  EXPECT_EQ(table.first[50], 500);
  EXPECT_NEAR(table.layers[0].before[50], 504.5, 4);
  EXPECT_EQ(table.layers[1].number, 2);
}

TEST_F(LossTableTest, IsDrawnAsLines) {
  const auto file = folder_ / "losses.svg";
  ASSERT_TRUE(write_curves(file, between(1, 40), false, true));
  const std::string text = text_of(file);
  EXPECT_NE(text.find("<svg"), std::string::npos);
  EXPECT_NE(text.find("layer 2, mean over 1 s"), std::string::npos);
  EXPECT_FALSE(write_curves(folder_ / "losses.txt", between(1, 40), false, true));
  EXPECT_FALSE(write_csv("/no/such/folder/losses.csv", between(1, 40)));
}

}  // namespace
}  // namespace longtake
