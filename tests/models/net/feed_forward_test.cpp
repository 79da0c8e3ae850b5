#include "models/net/feed_forward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace longtake {
namespace {

// Fewer rows than a block has, a block, and some blocks and a part of one; against LibTorch in doubles.
TEST(FeedForward, IsWhatItSaysInEveryBlock) {
  at::manual_seed(9);
  for (const std::int64_t rows : {1, 7, 224, 500}) {
    const std::vector<at::Tensor> given{at::randn({2, rows / 2 + 1, 24}, at::kDouble), at::randn({2, rows / 2 + 1, 24}, at::kDouble),
                                        at::randn({40, 24}, at::kDouble) / 5, at::randn({40, 24}, at::kDouble) / 5,
                                        at::randn({24, 40}, at::kDouble) / 6};
    const at::Tensor weight = at::randn_like(given[0]);
    const auto leaves = [&](at::ScalarType type) {
      std::vector<at::Tensor> out;
      for (const at::Tensor& tensor : given) out.push_back(tensor.to(type, false, true).set_requires_grad(true));
      return out;
    };
    const std::vector<at::Tensor> plain = leaves(at::kDouble);
    const at::Tensor wanted = plain[0] + at::matmul(at::silu(at::matmul(plain[1], plain[2].t())) * at::matmul(plain[1], plain[3].t()),
                                                    plain[4].t());
    (wanted * weight).sum().backward();
    for (const auto& [type, limit] : {std::pair(at::kDouble, 1e-13), std::pair(at::kFloat, 1e-5)}) {
      const std::vector<at::Tensor> own = leaves(type);
      const at::Tensor got = feed_forward(own[0], own[1], own[2], own[3], own[4]);
      (got * weight.to(type)).sum().backward();
      const auto worst = [&](const at::Tensor& a, const at::Tensor& b) {
        return ((a.to(at::kDouble) - b).abs().max() / b.abs().max()).item<double>();
      };
      EXPECT_LE(worst(got, wanted), limit) << rows;
      for (std::size_t i = 0; i < own.size(); ++i) EXPECT_LE(worst(own[i].grad(), plain[i].grad()), limit) << rows << " " << i;
    }
  }
}

}  // namespace
}  // namespace longtake
