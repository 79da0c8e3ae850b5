#include "models/eval/recall_protocol.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace longtake {
namespace {

constexpr int kPlaces = 64;
constexpr std::int64_t kLatent = 8;

// Place p shows the bits of p as ±1 at every frame: over all 64 places each of the first six numbers has mean 0 and
// variance 1, and the last two are the same everywhere. With `moving`, one number also tells the frames apart a little.
std::vector<Place> signs(std::int64_t frames, bool moving = false) {
  std::vector<Place> out;
  for (int place = 0; place < kPlaces; ++place) {
    out.push_back({frames, [place, moving](std::int64_t frame) {
                     at::Tensor x = at::zeros({16, kLatent});
                     for (int bit = 0; bit < 6; ++bit) x.select(1, bit).fill_((place >> bit & 1) != 0 ? 1.0 : -1.0);
                     if (moving) x.select(1, 7).fill_(0.01 * static_cast<double>(frame));
                     return x;
                   }});
  }
  return out;
}

// Answers with the frame itself if one within `distance` of it is among the last `capacity` that were written, and with
// zeros otherwise.
class Notebook final : public FrameMemory {
 public:
  Notebook(std::size_t capacity, double distance) : capacity_(capacity), distance_(distance) {}
  at::Tensor read(const at::Tensor& x) const override {
    const bool known = std::any_of(kept_.begin(), kept_.end(), [&](const at::Tensor& old) {
      return (old - x).abs().max().item<double>() <= distance_;
    });
    return known ? x : at::zeros_like(x);
  }
  void write(const at::Tensor& x) override {
    kept_.push_back(x);
    if (kept_.size() > capacity_) kept_.pop_front();
  }
  std::size_t state_bytes() const override { return kept_.size(); }
  std::unique_ptr<FrameMemory> copy() const override { return std::make_unique<Notebook>(*this); }

 private:
  std::size_t capacity_;
  double distance_;
  std::deque<at::Tensor> kept_;
};

std::vector<Contestant> contestants() {
  std::vector<Contestant> out;
  out.push_back({"all", std::make_unique<Notebook>(1000000, 0.5)});
  out.push_back({"nothing", std::make_unique<Notebook>(0, 0.5)});
  out.push_back({"four", std::make_unique<Notebook>(4 * 5, 0.5)});  // places
  return out;
}

RecallProtocol quick() {
  RecallProtocol out;
  out.trials = 20;
  out.streams = 2;
  out.draws = 3;
  return out;
}

RecallCurves run(const std::vector<Place>& places, const std::vector<Contestant>& who, const RecallProtocol& protocol,
                 std::vector<std::string>* notes = nullptr) {
  auto out = run_recall_protocol(places, who, protocol,
                                 [&](const std::string& text) {
                                   if (notes != nullptr) notes->push_back(text);
                                 },
                                 {});
  EXPECT_TRUE(out) << out.error().message;
  return out ? *out : RecallCurves();
}

double of(const Compared& figures, const std::string& name) {
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const auto& one) { return one.first == name; });
  return found == figures.end() ? NAN : found->second;
}

TEST(LatentVariance, IsThatOfEachNumberAboutItsOwnMean) { EXPECT_DOUBLE_EQ(latent_variance(signs(20)), 6.0 / 8); }

TEST(RecallProtocol, PerfectMemoryKnowsWhatItSawAndNoneKnowsNothing) {
  std::vector<std::string> notes;
  const RecallCurves got = run(signs(20), contestants(), quick(), &notes);
  ASSERT_EQ(got.returns.size(), 6U);
  for (const auto& point : got.returns) {
    EXPECT_EQ(point.trials, 20);
    EXPECT_EQ(of(point.error, "all"), 0);
    // Zeros instead of signs cost the whole variance.
    EXPECT_DOUBLE_EQ(of(point.error, "nothing"), 1) << point.n;
    EXPECT_EQ(of(point.standard_error, "nothing"), 0);
  }
  EXPECT_DOUBLE_EQ(of(got.fresh, "all"), 1) << "a place never seen is new to every memory";
  EXPECT_DOUBLE_EQ(of(got.fresh, "nothing"), 1);
  EXPECT_EQ(of(got.familiarity.auroc, "all"), 1);
  EXPECT_EQ(of(got.familiarity.auroc, "nothing"), 0.5);
  EXPECT_EQ(of(got.familiarity.unshown, "all"), 1);
  EXPECT_EQ(of(got.familiarity.later, "all"), 1);
  EXPECT_EQ(got.familiarity.watched, 32);
  EXPECT_EQ(got.familiarity.places, 50);
}

TEST(RecallProtocol, CountsThePlacesInBetween) {
  const RecallCurves got = run(signs(20), contestants(), quick());
  for (const auto& point : got.returns) {
    // Four places fit: the one to return to and three others.
    EXPECT_DOUBLE_EQ(of(point.error, "four"), point.n <= 3 ? 0 : 1) << point.n;
  }
  EXPECT_EQ(of(got.state_bytes, "all"), 33 * 5);
  EXPECT_EQ(of(got.state_bytes, "four"), 20);
}

TEST(RecallProtocol, ReturnsToTheSceneToFramesNotShownAndLater) {
  std::vector<Contestant> exact;
  exact.push_back({"nothing", std::make_unique<Notebook>(0, 0)});
  exact.push_back({"exact", std::make_unique<Notebook>(1000000, 0)});
  exact.push_back({"next", std::make_unique<Notebook>(1000000, 0.015)});
  exact.push_back({"in the scene", std::make_unique<Notebook>(1000000, 0.345)});
  // 3 s are 22 frames at 7.5 a second: a memory that takes frames up to 22 apart for the same must still not know them.
  exact.push_back({"within 3 s", std::make_unique<Notebook>(1000000, 0.225)});
  exact.push_back({"within 12 s", std::make_unique<Notebook>(1000000, 0.905)});
  RecallProtocol protocol = quick();
  protocol.minutes = {1};
  const RecallCurves got = run(signs(200, /*moving=*/true), exact, protocol);
  for (const auto& point : got.returns) {
    // Five of a scene's 12 to 39 frames were shown, and some returns are to those.
    EXPECT_LT(of(point.error, "exact"), 0.95 * of(point.error, "nothing"));
    EXPECT_GT(of(point.error, "exact"), 0.3 * of(point.error, "nothing"));
    EXPECT_EQ(of(point.unshown, "exact"), of(point.unshown, "nothing"));
    EXPECT_GT(of(point.unshown, "next"), 0.05);
    EXPECT_EQ(of(point.error, "in the scene"), 0) << "39 frames at most, of which the visit shows some";
    EXPECT_EQ(of(point.unshown, "in the scene"), 0);
    EXPECT_GT(of(point.later, "within 3 s"), 0.5);
    EXPECT_EQ(of(point.later, "within 12 s"), 0) << "nor are returns later than 10 s";
  }
}

// 56 places of 20 frames are 149 s: enough for one minute, not for three.
TEST(RecallProtocol, MinutesOfOtherVideoWithoutRepeats) {
  std::vector<std::string> notes;
  const RecallCurves got = run(signs(20), contestants(), quick(), &notes);
  ASSERT_EQ(got.minutes.size(), 1U);
  EXPECT_EQ(got.minutes[0].minutes, 1);
  EXPECT_EQ(got.minutes[0].trials, 2 * 8);
  EXPECT_EQ(of(got.minutes[0].error, "all"), 0);
  EXPECT_DOUBLE_EQ(of(got.minutes[0].error, "four"), 1);
  EXPECT_EQ(of(got.minutes[0].state_bytes, "all"), 8 * 5 + 450);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("3 minutes"), std::string::npos);
}

TEST(RecallProtocol, FewPlacesMakeFewerPointsAndItSaysSo) {
  std::vector<std::string> notes;
  auto places = signs(20);
  places.resize(7);
  const RecallCurves got = run(places, contestants(), quick(), &notes);
  ASSERT_EQ(got.returns.size(), 3U);
  EXPECT_EQ(got.returns.back().n, 4);
  EXPECT_EQ(got.familiarity.places, 7);
  EXPECT_EQ(got.familiarity.watched, 4);
  EXPECT_EQ(notes.size(), 3U);
  places.resize(2);
  EXPECT_FALSE(run_recall_protocol(places, contestants(), quick(), [](const std::string&) {}, {}));
}

TEST(RecallProtocol, OneSeedOneAnswer) {
  RecallProtocol one = quick();
  one.minutes = {1};
  RecallProtocol other = one, together = one;
  other.seed = 2;
  together.threads = 3;
  const auto places = signs(200, true);
  std::vector<Contestant> who;
  who.push_back({"next", std::make_unique<Notebook>(1000000, 0.1)});
  const RecallCurves a = run(places, who, one), b = run(places, who, together), c = run(places, who, other);
  EXPECT_EQ(a.returns[0].error, b.returns[0].error) << "whatever the number of threads";
  EXPECT_EQ(a.familiarity.auroc, b.familiarity.auroc);
  EXPECT_NE(a.returns[0].error, c.returns[0].error);
}

}  // namespace
}  // namespace longtake
