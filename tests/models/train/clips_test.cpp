#include "models/train/clips.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

std::shared_ptr<const Features> blank(const TempDir& dir, const std::string& name, int frames) {
  std::vector<std::int64_t> times;
  for (int i = 0; i < frames; ++i) times.push_back(40 * i);
  return made_features(dir, name, times, [](std::int64_t, int) { return 0.0F; });
}

TEST(HoldOut, TakesEveryEighthVideo) {
  const TempDir dir;
  std::vector<Clip> clips;
  for (int i = 0; i < 17; ++i) clips.push_back(whole(blank(dir, std::to_string(i), 2)));
  const Split split = hold_out(clips);
  std::vector<std::string> held_out;
  for (const Clip& clip : split.held_out) held_out.push_back(clip.features->name());
  EXPECT_THAT(held_out, testing::ElementsAre("7", "15"));
  EXPECT_EQ(split.train.size(), 15u);
}

TEST(HoldOut, OfFewVideosTakesTheLastEighthOfEach) {
  const TempDir dir;
  const Split split = hold_out({whole(blank(dir, "a", 80)), whole(blank(dir, "b", 17)), whole(blank(dir, "c", 5))});
  std::vector<std::array<std::int64_t, 2>> train, held_out;
  for (const Clip& clip : split.train) train.push_back({clip.first, clip.end});
  for (const Clip& clip : split.held_out) held_out.push_back({clip.first, clip.end});
  EXPECT_THAT(train, testing::ElementsAre(std::array<std::int64_t, 2>{0, 70}, std::array<std::int64_t, 2>{0, 15},
                                          std::array<std::int64_t, 2>{0, 5}));
  EXPECT_THAT(held_out, testing::ElementsAre(std::array<std::int64_t, 2>{70, 80}, std::array<std::int64_t, 2>{15, 17}));
}

TEST(FrameTokens, AreThoseOfTheFramesAskedFor) {
  const TempDir dir;
  const auto features = made_features(dir, "a", {0, 40, 80}, [](std::int64_t frame, int i) {
    return static_cast<float>(frame) + static_cast<float>(i) / 8192;  // a 16-bit float holds it
  });
  const at::Tensor tokens = frame_tokens(*features, std::array<std::int64_t, 2>{2, 0});
  ASSERT_EQ(tokens.sizes(), (at::IntArrayRef{2, 16, 320}));
  EXPECT_NEAR(tokens[0][3][7].item<float>(), 2 + (3 * 320 + 7) / 8192.0, 1e-3);
  EXPECT_NEAR(tokens[1][15][319].item<float>(), 5119 / 8192.0, 1e-3);
  EXPECT_THROW((void)frame_tokens(*features, std::array<std::int64_t, 1>{3}), std::invalid_argument);
}

TEST(FitProjection, IsTheEigenvectorsOfTheCorrelation) {
  const TempDir dir;
  constexpr int kLatent = 6, kFrames = 24;
  // Eight directions of falling size behind all channels, some noise, one channel that never varies, one far away.
  Random random{3};
  std::vector<std::vector<double>> mix(320, std::vector<double>(8));
  for (auto& row : mix) {
    for (double& value : row) value = random.normal();
  }
  std::vector<double> hidden(8);
  std::vector<std::int64_t> times;
  for (int i = 0; i < kFrames; ++i) times.push_back(40 * i);
  const auto features = made_features(dir, "a", times, [&](std::int64_t, int i) {
    if (i % 320 == 0) {
      for (std::size_t d = 0; d < 8; ++d) hidden[d] = random.normal() * std::pow(0.7, static_cast<double>(d));
    }
    if (i % 320 == 11) return 3.0F;
    double value = 0.1 * random.normal() + (i % 320 == 12 ? 50 : 0);
    for (std::size_t d = 0; d < 8; ++d) value += mix[static_cast<std::size_t>(i % 320)][d] * hidden[d];
    return static_cast<float>(value);
  });
  const std::vector<Clip> clips{{features, 0, 10}, {features, 12, kFrames}};

  // The oracle: sums in plain loops, then LibTorch's eigenvectors in doubles.
  std::vector<std::array<double, 320>> rows;
  for (const Clip& clip : clips) {
    for (std::int64_t frame = clip.first; frame < clip.end; ++frame) {
      const auto tokens = features->tokens(frame);
      for (std::size_t token = 0; token < 16; ++token) {
        auto& row = rows.emplace_back();
        for (std::size_t c = 0; c < 320; ++c) row[c] = half_to_float(tokens[token * 320 + c]);
      }
    }
  }
  const auto count = static_cast<double>(rows.size());
  std::array<double, 320> mean{}, scale{};
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < 320; ++c) mean[c] += row[c] / count;
  }
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < 320; ++c) scale[c] += (row[c] - mean[c]) * (row[c] - mean[c]) / count;
  }
  for (double& s : scale) s = std::max(std::sqrt(s), 1e-3);
  at::Tensor normed = at::zeros({static_cast<std::int64_t>(rows.size()), 320}, at::kDouble);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < 320; ++c) normed.data_ptr<double>()[r * 320 + c] = (rows[r][c] - mean[c]) / scale[c];
  }
  at::Tensor correlation = at::zeros({320, 320}, at::kDouble);
  double* to = correlation.data_ptr<double>();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double* from = normed.data_ptr<double>() + r * 320;
    for (std::size_t i = 0; i < 320; ++i) {
      for (std::size_t j = 0; j < 320; ++j) to[i * 320 + j] += from[i] * from[j] / count;
    }
  }
  const auto [values, vectors] = at::linalg_eigh(correlation);

  const TokenProjection got = fit_projection(clips, kLatent);
  for (std::size_t c = 0; c < 320; ++c) {
    const auto at = static_cast<std::int64_t>(c);
    EXPECT_NEAR(got.mean[at].item<double>(), mean[c], 1e-5 * (1 + std::abs(mean[c]))) << c;
    // Squares of 50 are summed in floats: eps · 50² / (2 · scale).
    EXPECT_NEAR(got.scale[at].item<double>(), scale[c], c == 12 ? 1e-3 : 1e-4 * scale[c] + 1e-6) << c;
  }
  const at::Tensor rows_of_it = got.projection.to(at::kDouble);
  const at::Tensor gram = at::matmul(rows_of_it, rows_of_it.t());
  const double length = gram[0][0].item<double>();
  EXPECT_LE((gram - length * at::eye(kLatent, at::kDouble)).abs().max().item<double>(), 1e-5 * length) << "orthogonal rows of one length";
  const at::Tensor latents = at::matmul(normed, rows_of_it.t());
  EXPECT_NEAR(latents.square().mean().item<double>(), 1, 1e-3) << "mean variance";
  for (std::int64_t i = 0; i < kLatent; ++i) {
    const at::Tensor wanted = vectors.select(1, 319 - i), found = rows_of_it[i] / std::sqrt(length);
    EXPECT_NEAR(std::abs(at::dot(wanted, found).item<double>()), 1, 1e-4) << i;
    EXPECT_GT(found[found.abs().argmax().item<std::int64_t>()].item<double>(), 0) << "the sign is settled";
  }
  EXPECT_NEAR(got.kept, (values.narrow(0, 320 - kLatent, kLatent).sum() / values.sum()).item<double>(), 1e-4);
}

}  // namespace
}  // namespace longtake
