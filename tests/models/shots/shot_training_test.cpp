#include "models/train/shot_training.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/shots/shot_head.h"
#include "models/train/made_pictures.h"
#include "models/train/shot_streams.h"
#include "tests/core/media/media_testing.h"

namespace longtake {
namespace {

RgbImage plain(std::uint8_t r, std::uint8_t g, std::uint8_t b, int side = 16) {
  RgbImage out{side, side, {}};
  for (int i = 0; i < side * side; ++i) out.pixels.insert(out.pixels.end(), {r, g, b});
  return out;
}
// Every pixel tells where it is.
RgbImage map_of(int side = 16) {
  RgbImage out{side, side, {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      out.pixels.insert(out.pixels.end(), {static_cast<std::uint8_t>(10 * x), static_cast<std::uint8_t>(10 * y), 7});
    }
  }
  return out;
}

TEST(MadePictures, EveryBlendGoesFromOnePictureToTheOther) {
  const RgbImage a = map_of(), b = plain(200, 10, 60);
  for (const Blend kind : {Blend::kDissolve, Blend::kFade, Blend::kWipe, Blend::kPush, Blend::kIris, Blend::kZoom}) {
    for (const double angle : {0.0, 1.0, 2.5, 4.0}) {
      const BlendStyle style{kind, {0, 0, 0}, 0.2, angle, 0.1};
      RgbImage out;
      blend(a, b, style, 0, out);
      EXPECT_EQ(out.pixels, a.pixels) << static_cast<int>(kind) << " at " << angle;
      blend(a, b, style, 1, out);
      EXPECT_EQ(out.pixels, b.pixels) << static_cast<int>(kind) << " at " << angle;
      blend(a, b, style, 0.5, out);
      EXPECT_NE(out.pixels, a.pixels);
      EXPECT_NE(out.pixels, b.pixels);
    }
  }
}

TEST(MadePictures, AFadeHoldsItsColour) {
  RgbImage out;
  for (const double at : {0.36, 0.5, 0.64}) {
    blend(map_of(), plain(9, 9, 9), {Blend::kFade, {250, 0, 120}, 0.3, 0, 0}, at, out);
    EXPECT_EQ(out.pixels, plain(250, 0, 120).pixels) << at;
  }
}

TEST(MadePictures, ACameraSeesWhatItLooksAt) {
  const RgbImage from = map_of();
  RgbImage out;
  look(from, {}, 16, out);
  EXPECT_EQ(out.pixels, from.pixels);
  look(from, {0.5, 0.5, 1, 0, true}, 16, out);
  EXPECT_EQ(out.pixels[0], 150) << "mirrored";
  look(from, {0.25, 0.75, 0.5, 0, false}, 8, out);
  EXPECT_EQ(out.pixels[0], 0);
  EXPECT_EQ(out.pixels[1], 80) << "the lower left quarter";
}

class Films : public testing::Test {
 protected:
  Films() {
    for (const char* source : {"testsrc2=size=160x120:rate=25:duration=6", "mandelbrot=size=160x120:rate=25,trim=duration=6"}) {
      videos_.push_back(testing_media::make_clip(folder_, std::to_string(videos_.size()) + ".mp4",
                                                 "-f lavfi -i " + std::string(source) + " -pix_fmt yuv420p"));
    }
    options_.films = 3;
    options_.seconds = 12;
    options_.seed = 4;
  }
  std::vector<ShotStream> made(int threads) const {
    ShotStreamOptions options = options_;
    options.threads = threads;
    const auto encoder = Encoder::load(LONGTAKE_SOURCE_DIR "/assets/models/default/encoder.safetensors");
    if (!encoder) throw std::runtime_error(encoder.error().message);
    auto streams = make_shot_streams(*encoder, videos_, options, {}, {});
    if (!streams) throw std::runtime_error(streams.error().message);
    return std::move(*streams);
  }

  testing_media::TemporaryFolder folder_;
  std::vector<std::string> videos_;
  ShotStreamOptions options_;
};

TEST_F(Films, SaysWhatIsTrueOfThem) {
  const auto streams = made(2);
  ASSERT_EQ(streams.size(), 5U) << "three of pieces, and each video as it is";
  std::size_t truths = 0;
  for (const ShotStream& stream : streams) {
    const std::int64_t slots = stream.slots();
    ASSERT_GT(slots, 30) << stream.what;
    ASSERT_EQ(std::ssize(stream.signals), slots * ShotSignals::kCount);
    for (const float value : stream.signals) ASSERT_TRUE(std::isfinite(value));
    truths += stream.truths.size();
    for (std::int64_t i = 0; i < slots; ++i) {
      const bool transition = stream.targets[static_cast<std::size_t>(2 * i)] > 0;
      const bool cut = stream.targets[static_cast<std::size_t>(2 * i + 1)] > 0;
      const bool near = std::any_of(stream.truths.begin(), stream.truths.end(), [&](const TimeSpan& truth) {
        return truth.from <= double(i) && double(i) <= truth.to;
      });
      EXPECT_TRUE(!cut || transition);
      EXPECT_TRUE(!transition || near) << stream.what << ", slot " << i;
    }
    for (const TimeSpan& truth : stream.truths) {
      bool any = false;
      for (auto i = static_cast<std::int64_t>(truth.from + 2); i <= static_cast<std::int64_t>(truth.to - 2); ++i) {
        any = any || (i >= 0 && i < slots && stream.targets[static_cast<std::size_t>(2 * i)] > 0);
      }
      EXPECT_TRUE(any);
    }
  }
  EXPECT_GE(truths, 6U);
  EXPECT_TRUE(streams[3].truths.empty() && streams[4].truths.empty());
}

TEST_F(Films, AreTheSameWithAnyNumberOfThreadsAndOnDisk) {
  const auto one = made(1), three = made(3);
  ASSERT_EQ(one.size(), three.size());
  const auto kept = load_streams(stored_streams(one));
  ASSERT_TRUE(kept) << kept.error().message;
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (const ShotStream* other : {&three[i], &(*kept)[i]}) {
      EXPECT_EQ(one[i].signals, other->signals);
      EXPECT_EQ(one[i].targets, other->targets);
      EXPECT_EQ(one[i].weights, other->weights);
      EXPECT_EQ(one[i].truths.size(), other->truths.size());
      EXPECT_EQ(one[i].what, other->what);
    }
  }
  TensorFile damaged = stored_streams(one);
  damaged.tensors.erase("00001.targets");
  EXPECT_FALSE(load_streams(damaged));
}

// A film in which a cut is a slot whose first signal stands out.
ShotStream easy_film(std::uint64_t seed) {
  ShotStream stream;
  Random random({seed});
  for (int i = 0; i < 630; ++i) {
    const bool cut = i % 60 == 59;
    for (int s = 0; s < ShotSignals::kCount; ++s) {
      stream.signals.push_back(static_cast<float>((cut && s == 0 ? 8 : 0) + random.normal()));
    }
    const bool before = i % 60 == 58;
    stream.targets.insert(stream.targets.end(), {cut || before ? 1.0F : 0.0F, cut ? 1.0F : 0.0F});
    stream.weights.insert(stream.weights.end(), {1, 1});
    if (cut) stream.truths.push_back({double(i) - 2, double(i) + 2});
  }
  return stream;
}

TEST(ShotTraining, LearnsWhatCanBeLearned) {
  prepare_for_training();
  std::vector<ShotStream> films;
  for (std::uint64_t seed = 10; seed < 20; ++seed) films.push_back(easy_film(seed));
  ShotTraining training(films, {easy_film(3), easy_film(4), easy_film(5)}, {});
  TrainerOptions how;
  how.steps = 300;
  const auto outcome = train(training, how, {}, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_GT(outcome->best.at("f1"), 0.95);
  EXPECT_LT(outcome->best.at("loss"), 0.1);
  const auto weights = load_shots(training.weights());
  ASSERT_TRUE(weights) << weights.error().message;

  // What was trained is what runs.
  ShotHead head(*weights);
  const ShotStream film = easy_film(6);
  int right = 0;
  for (std::int64_t i = 0; i < film.slots(); ++i) {
    ShotSignals::Values values;
    std::copy_n(film.signals.begin() + std::ptrdiff_t(i * ShotSignals::kCount), ShotSignals::kCount, values.begin());
    const auto logits = head.step(values);
    if (logits) right += (logits->cut > 0) == (film.targets[static_cast<std::size_t>(2 * (i - kShotDelay) + 1)] > 0) ? 1 : 0;
  }
  EXPECT_GE(right, 615);
}

}  // namespace
}  // namespace longtake
