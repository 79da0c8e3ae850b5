#include "models/encoder/bands.h"

#include <gtest/gtest.h>

namespace longtake {
namespace {

// Chains as they occur: a depthwise filter of every kind, with a pointwise convolution on either side.
std::vector<std::vector<ConvShape>> chains() {
  std::vector<std::vector<ConvShape>> out;
  for (const int kernel : {3, 5}) {
    for (const int stride : {1, 2}) {
      const int side = 56;
      ConvShape widen{.side = side, .in_channels = 4, .out_channels = 24};
      ConvShape filter{.side = side,
                       .in_channels = 24,
                       .out_channels = 24,
                       .kernel = kernel,
                       .stride = stride,
                       .depthwise = true};
      ConvShape narrow{.side = side / stride, .in_channels = 24, .out_channels = 6};
      out.push_back({widen, filter, narrow});
    }
  }
  return out;
}

// The row of the input that tap `tap` of the kernel reads for a row of the output, by the definition of
// padding.
int row_read(const ConvShape& conv, int out_row, int tap) {
  return out_row * conv.stride - conv.pad_before() + tap;
}

TEST(Need, CoversExactlyTheRowsThatTheKernelReads) {
  for (const auto& chain : chains()) {
    const ConvShape& conv = chain[1];
    for (int first = 0; first < conv.side_out(); ++first) {
      for (int end = first + 1; end <= conv.side_out(); ++end) {
        const Need need = need_for(conv, {first, end});
        const int top = row_read(conv, first, 0);
        const int bottom = row_read(conv, end - 1, conv.kernel - 1);
        EXPECT_EQ(need.rows.first - need.pad_top, top);
        EXPECT_EQ(need.rows.end - 1 + need.pad_bottom, bottom);
        EXPECT_TRUE(need.rows.first >= 0 && need.rows.end <= conv.side && need.rows.count() > 0);
        EXPECT_TRUE(need.pad_top == 0 || need.rows.first == 0);
        EXPECT_TRUE(need.pad_bottom == 0 || need.rows.end == conv.side);
      }
    }
  }
}

TEST(Need, OfAllRowsIsTheWholeMapWithItsPadding) {
  for (const auto& chain : chains()) {
    const ConvShape& conv = chain[1];
    const Need need = need_for(conv, {0, conv.side_out()});
    EXPECT_EQ(need.rows.count(), conv.side);
    EXPECT_EQ(need.pad_top, conv.pad_before());
    EXPECT_EQ(need.pad_bottom, conv.pad_after());
  }
}

TEST(Bands, CoverTheResultOnceInOrderAndKeepTheLimit) {
  for (const auto& chain : chains()) {
    for (const std::size_t limit : {std::size_t{1} << 30, std::size_t{40000}, std::size_t{12000}}) {
      const auto bands = bands_of(chain, limit);
      int next = 0;
      for (const Rows band : bands) {
        EXPECT_EQ(band.first, next);
        EXPECT_GT(band.count(), 0);
        next = band.end;
        const auto rows = rows_of_chain(chain, band);
        EXPECT_EQ(rows.back().first, band.first);
        EXPECT_EQ(rows.back().end, band.end);
        for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
          const int floats = rows[i].count() * chain[i].side_out() * chain[i].out_channels;
          EXPECT_LE(static_cast<std::size_t>(floats), limit);
        }
      }
      EXPECT_EQ(next, chain.back().side_out());
    }
  }
}

TEST(Bands, AreOneIfThatFitsAndNoMoreThanNeeded) {
  const auto chain = chains().front();  // 56 rows, its widest map 56 * 24 floats a row
  EXPECT_EQ(bands_of(chain, 56 * 56 * 24).size(), 1U);
  EXPECT_EQ(bands_of(chain, 56 * 56 * 24 - 1).size(), 2U);
  EXPECT_EQ(bands_of(chain, 29 * 56 * 24).size(), 2U);      // 28 rows and one more for the filter
  EXPECT_EQ(bands_of(chain, 29 * 56 * 24 - 1).size(), 4U);  // 3 does not divide 56
}

TEST(Bands, AreSingleRowsIfNothingFits) { EXPECT_EQ(bands_of(chains().front(), 1).size(), 56U); }

}  // namespace
}  // namespace longtake
