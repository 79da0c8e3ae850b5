#include "models/train/features.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <vector>

#include "core/store/half.h"
#include "tests/core/media/media_testing.h"
#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

using testing::HasSubstr;
using testing_media::contents;
using testing_media::make_clip;
using testing_media::TemporaryFolder;
namespace fs = std::filesystem;

const fs::path kEncoder = LONGTAKE_SOURCE_DIR "/assets/models/default/encoder.safetensors";
constexpr std::uintmax_t kHeaderBytes = 40;

// --- a file of features

TEST(Features, FindsTheFrameOfATime) {
  const TempDir dir;
  const auto features = made_features(dir, "a", {500, 540, 600, 1000}, [](std::int64_t, int) { return 0.0F; });
  ASSERT_EQ(features->frames(), 4);
  EXPECT_EQ(features->pts(2), 600);
  EXPECT_DOUBLE_EQ(features->seconds(3), 0.5);
  EXPECT_EQ(features->nearest(-5), 0);
  EXPECT_EQ(features->nearest(0.019), 0);
  EXPECT_EQ(features->nearest(0.021), 1);
  EXPECT_EQ(features->nearest(0.3), 2) << "the earlier one of two";
  EXPECT_EQ(features->nearest(0.301), 3);
  EXPECT_EQ(features->nearest(9), 3);
}

TEST(Features, RefusesAFileThatIsNoneOfIts) {
  const TempDir dir;
  const auto refused = [&](const std::string& words) {
    const auto features = Features::open(dir / "a", "a");
    ASSERT_FALSE(features.ok());
    EXPECT_EQ(features.error().kind, ErrorKind::kModel);
    EXPECT_THAT(features.error().message, HasSubstr(words));
  };
  (void)made_features(dir, "a", {0, 40, 80}, [](std::int64_t, int) { return 0.0F; });
  const std::string whole = contents((dir / "a").string());
  const auto with = [&](std::string bytes) { std::ofstream(dir / "a", std::ios::binary) << bytes; };
  with(whole.substr(0, whole.size() - 1));
  refused("cut short");
  with("");
  refused("cut short");
  for (const std::size_t at : {0, 8, 12, 16}) {
    std::string other = whole;
    ++other[at];
    with(other);
    refused("another format");
  }
  std::string other = whole;
  other[32] = 0;  // the time base's denominator
  other[33] = 0;
  with(other);
  refused("another format");
  other = whole;
  other[40 + (whole.size() - 40) / 3] = 0;  // the second frame's time
  with(other);
  refused("times do not increase");
  fs::remove(dir / "a");
  refused("No such file");
}

// --- the cache, on real video

class FeatureCacheOnVideo : public testing::Test {
 protected:
  void SetUp() override {
    LONGTAKE_NEEDS_FFMPEG();
    auto encoder = Encoder::load(kEncoder);
    if (!encoder) GTEST_SKIP() << encoder.error().message;
    encoder_ = std::make_shared<Encoder>(std::move(*encoder));
    options_.folder = folder_.file("cache");
    options_.on_frame = [this](const StreamInfo&, std::int64_t, double) {
      if (++encoded_ == stop_after_) stop_.request_stop();
    };
    video_ = make_clip(folder_, "a.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.8 -pix_fmt yuv420p");
  }
  Result<std::shared_ptr<const Features>> get(const std::string& video, const std::string& hash = "encoder") {
    encoded_ = 0;
    return FeatureCache(encoder_, hash, options_).get(video, stop_.get_token());
  }
  std::vector<fs::path> files(const std::string& ending = ".features") const {
    std::vector<fs::path> out;
    if (!fs::exists(options_.folder)) return out;
    for (const auto& entry : fs::directory_iterator(options_.folder)) {
      if (entry.path().extension() == ending) out.push_back(entry.path());
    }
    return out;
  }
  // The .part file of the long video, which was stopped after so many frames.
  fs::path stopped_after(int frames) {
    stop_ = std::stop_source();
    stop_after_ = frames;
    const auto features = get(long_video());
    EXPECT_TRUE(!features.ok() && features.error().kind == ErrorKind::kStopped);
    stop_ = std::stop_source();
    stop_after_ = -1;
    const auto parts = files(".part");
    EXPECT_EQ(parts.size(), 1u);
    EXPECT_TRUE(files().empty());
    return parts.at(0);
  }
  // Some frames are on their way already when one asks to stop.
  std::string long_video() {
    if (long_video_.empty()) {
      long_video_ = make_clip(folder_, "long.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=4 -pix_fmt yuv420p");
    }
    return long_video_;
  }
  // The file of the whole of it, made in one go in another folder.
  std::string wanted() {
    const fs::path folder = options_.folder;
    options_.folder = folder_.file("wanted");
    EXPECT_TRUE(get(long_video()).ok());
    const std::string bytes = contents(files().at(0).string());
    options_.folder = folder;
    return bytes;
  }

  TemporaryFolder folder_;
  std::shared_ptr<const Encoder> encoder_;
  FeatureCacheOptions options_;
  std::string video_, long_video_;
  std::stop_source stop_;
  int encoded_ = 0, stop_after_ = -1;
};

TEST_F(FeatureCacheOnVideo, EncodesAVideoOnce) {
  const auto first = get(video_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(encoded_, 10) << "of 20 frames, at 12.5 a second";
  EXPECT_EQ((*first)->frames(), 10);
  EXPECT_EQ((*first)->name(), "a.mp4");
  EXPECT_NEAR((*first)->seconds(9), 0.72, 1e-9);
  // They are the encoder's numbers: something of everything, nothing that is not finite.
  for (const auto part : {(*first)->tokens(3), (*first)->embedding(3)}) {
    double size = 0;
    for (const std::uint16_t half : part) size += std::abs(half_to_float(half));
    EXPECT_TRUE(std::isfinite(size) && size > 1) << size;
  }
  EXPECT_THAT((*first)->thumbnail(3), testing::Contains(testing::Gt(200)));
  const auto second = get(video_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(encoded_, 0);
  EXPECT_EQ(files().size(), 1u);
  EXPECT_TRUE(files(".part").empty());
}

TEST_F(FeatureCacheOnVideo, KnowsAVideoByWhatIsInIt) {
  ASSERT_TRUE(get(video_).ok());
  fs::copy_file(video_, folder_.file("copy.mp4"));
  ASSERT_TRUE(get(folder_.file("copy.mp4")).ok());
  EXPECT_EQ(encoded_, 0) << "another name";
  ASSERT_TRUE(get(video_, "another encoder").ok());
  EXPECT_EQ(encoded_, 10);
  options_.fps = {0, 1};
  ASSERT_TRUE(get(video_).ok());
  EXPECT_EQ(encoded_, 20) << "every frame";
  options_.fps = {25, 2};
  const std::string other = make_clip(folder_, "b.mp4", "-f lavfi -i mandelbrot=s=64x48:r=25 -t 0.4 -pix_fmt yuv420p");
  fs::rename(other, video_);
  ASSERT_TRUE(get(video_).ok());
  EXPECT_EQ(encoded_, 5) << "other contents under the old name";
  EXPECT_EQ(files().size(), 4u);
}

TEST_F(FeatureCacheOnVideo, StoppedItGoesOnToTheSameBytes) {
  const std::string whole = wanted();
  for (const int after : {1, 10, 25}) {
    const auto kept = (fs::file_size(stopped_after(after)) - kHeaderBytes) / ((whole.size() - kHeaderBytes) / 50);
    EXPECT_GE(kept, static_cast<std::uintmax_t>(after));
    ASSERT_TRUE(get(long_video()).ok());
    EXPECT_EQ(encoded_, 50 - static_cast<int>(kept)) << "what is there is not done again";
    ASSERT_EQ(files().size(), 1u);
    EXPECT_TRUE(contents(files()[0].string()) == whole) << after;
    fs::remove(files()[0]);
  }
}

TEST_F(FeatureCacheOnVideo, ATornOrForeignPartIsNoHarm) {
  const std::string whole = wanted();
  const fs::path part = stopped_after(4);
  const std::string begun = contents(part.string());
  for (const std::string& bytes : {begun.substr(0, begun.size() - 100), begun.substr(0, 20), std::string(),
                                   std::string(begun.size(), 'x')}) {
    std::ofstream(part, std::ios::binary) << bytes;
    const auto features = get(long_video());
    ASSERT_TRUE(features.ok()) << features.error().message;
    ASSERT_EQ(files().size(), 1u);
    EXPECT_TRUE(contents(files()[0].string()) == whole) << bytes.size();
    fs::remove(files()[0]);
  }
}

TEST_F(FeatureCacheOnVideo, ADamagedFileIsMadeAnew) {
  ASSERT_TRUE(get(video_).ok());
  const fs::path file = files().at(0);
  const std::string whole = contents(file.string());
  for (const std::string& bytes : {whole.substr(0, whole.size() / 2), std::string("hello"), std::string(whole.size(), 'x')}) {
    std::ofstream(file, std::ios::binary) << bytes;
    const auto damaged = get(video_);
    EXPECT_FALSE(damaged.ok());
    EXPECT_EQ(damaged.error().kind, ErrorKind::kModel);
    ASSERT_TRUE(get(video_).ok());
    EXPECT_TRUE(contents(file.string()) == whole);
  }
}

TEST_F(FeatureCacheOnVideo, MakesRoomByWhatWasUsedLongestAgo) {
  const std::string b = make_clip(folder_, "b.mp4", "-f lavfi -i testsrc=s=64x48:r=25:d=0.8 -pix_fmt yuv420p");
  const std::string c = make_clip(folder_, "c.mp4", "-f lavfi -i smptebars=s=64x48:r=25:d=0.8 -pix_fmt yuv420p");
  const auto in_use = get(video_);
  ASSERT_TRUE(in_use.ok());
  const auto size = fs::file_size(files().at(0));
  options_.limit_bytes = 2 * size + size / 2;
  ASSERT_TRUE(get(b).ok());
  ASSERT_TRUE(get(video_).ok());  // now b is the older one
  ASSERT_TRUE(get(c).ok());
  EXPECT_EQ(files().size(), 2u);
  ASSERT_TRUE(get(video_).ok());
  EXPECT_EQ(encoded_, 0) << "used since";
  ASSERT_TRUE(get(b).ok());
  EXPECT_EQ(encoded_, 10) << "it had to go";
  // Room for one: the newest stays, and what is in use can still be read.
  options_.limit_bytes = size + size / 2;
  ASSERT_TRUE(get(c).ok());
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(contents(files()[0].string()).size(), size);
  double sum = 0;
  for (const std::uint16_t half : (*in_use)->tokens(9)) sum += std::abs(half_to_float(half));
  EXPECT_GT(sum, 1);
}

TEST_F(FeatureCacheOnVideo, AVideoThatWillNotFitIsRefusedAtOnce) {
  options_.limit_bytes = 20000;
  const auto features = get(video_);
  ASSERT_FALSE(features.ok());
  EXPECT_EQ(features.error().kind, ErrorKind::kUsage);
  EXPECT_THAT(features.error().message, HasSubstr("more than the limit"));
  EXPECT_EQ(encoded_, 0);
}

TEST_F(FeatureCacheOnVideo, TwoDoNotWriteAtOnce) {
  const fs::path part = stopped_after(4);
  const int other = ::open(part.c_str(), O_RDWR);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  const auto features = get(long_video());
  ASSERT_FALSE(features.ok());
  EXPECT_EQ(features.error().kind, ErrorKind::kUnexpected);
  EXPECT_THAT(features.error().message, HasSubstr("another program is encoding the same video"));
  ::close(other);
  EXPECT_TRUE(get(long_video()).ok());
}

TEST_F(FeatureCacheOnVideo, SaysWhatCannotBeRead) {
  const auto kind = [&](const std::string& video) {
    const auto features = get(video);
    return features ? std::optional<ErrorKind>() : features.error().kind;
  };
  EXPECT_EQ(kind(folder_.file("none.mp4")), ErrorKind::kInput);
  EXPECT_EQ(kind(folder_.file("")), ErrorKind::kInput) << "a folder";
  std::ofstream(folder_.file("text.mp4")) << "no video";
  EXPECT_EQ(kind(folder_.file("text.mp4")), ErrorKind::kInput);
  std::ofstream(folder_.file("plain")) << "";
  options_.folder = fs::path(folder_.file("plain")) / "cache";
  EXPECT_EQ(kind(video_), ErrorKind::kUnexpected);
}

}  // namespace
}  // namespace longtake
