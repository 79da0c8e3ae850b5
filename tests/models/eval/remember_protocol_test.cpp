#include "models/eval/remember_protocol.h"

#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/models/train/made_features.h"

namespace longtake {
namespace {

// What a clip shows at a frame: one of a few scenes, which have nothing in common.
using Scenes = std::function<int(std::int64_t frame)>;

Scenes always(int scene) {
  return [scene](std::int64_t) { return scene; };
}

class RememberProtocolTest : public testing::Test {
 protected:
  // 12.5 frames a second.
  std::shared_ptr<const Features> features(const Scenes& scenes, int frames) {
    std::vector<std::vector<float>> pictures;
    for (std::uint64_t scene = 0; scene < 8; ++scene) {
      Random random{scene, 0x7363656e65ULL};
      auto& picture = pictures.emplace_back();
      for (int i = 0; i < Features::kTokenNumbers; ++i) picture.push_back(static_cast<float>(random.normal()));
    }
    std::vector<std::int64_t> times;
    for (int i = 0; i < frames; ++i) times.push_back(80 * i);
    return made_features(folder_, std::to_string(made_++), times, [&](std::int64_t frame, int i) {
      return pictures.at(static_cast<std::size_t>(scenes(frame))).at(static_cast<std::size_t>(i));
    });
  }
  FiledClip clip(const std::string& path, const Scenes& scenes, int frames = 64) {
    return clip(path, scenes, scenes, frames);
  }
  FiledClip clip(const std::string& path, const Scenes& scenes, const Scenes& degraded, int frames) {
    return {path, whole(features(scenes, frames), features(degraded, frames))};
  }

  RememberFigures run(const std::vector<FiledClip>& clips, const RememberProtocol& protocol = {}) {
    const std::vector<Watcher> watchers{{"learns", &learning_}, {"stands", &standing_}};
    auto out =
        run_remember_protocol(clips, watchers, protocol, [&](const std::string& text) { notes_.push_back(text); }, {});
    EXPECT_TRUE(out) << out.error().message;
    return out ? *out : RememberFigures();
  }

  static StackNet net(double base_rate) {
    ModelConfig config = small_config();
    config.base_rate = base_rate;
    auto out = StackNet::load(config, small_stack(config));
    EXPECT_TRUE(out) << out.error().message;
    return std::move(*out);
  }

  TempDir folder_;
  int made_ = 0;
  StackNet learning_ = net(1), standing_ = net(0);
  std::vector<std::string> notes_;
};

double of(const Compared& figures, const std::string& name) {
  for (const auto& [known, value] : figures) {
    if (known == name) return value;
  }
  return NAN;
}

TEST(Kinship, IsToldByFolders) {
  EXPECT_EQ(kinship("offices/a/1.mp4", "offices/a/2.mp4"), Kinship::kSameRoom);
  EXPECT_EQ(kinship("offices/a/1.mp4", "offices/b/1.mp4"), Kinship::kSameKind);
  EXPECT_EQ(kinship("offices/a/1.mp4", "streets/a/1.mp4"), Kinship::kOtherKind);
  EXPECT_EQ(kinship("offices/a/1.mp4", "offices/1.mp4"), Kinship::kOtherKind);
  EXPECT_EQ(kinship("1.mp4", "2.mp4"), Kinship::kSameRoom);
  EXPECT_EQ(kinship("1.mp4", "./x/../2.mp4"), Kinship::kSameRoom) << "the same folder in other words";
  EXPECT_EQ(kinship("a/1.mp4", "b/../c/2.mp4"), Kinship::kSameKind);
  EXPECT_EQ(kinship("a/1.mp4", std::filesystem::current_path() / "a" / "2.mp4"), Kinship::kSameRoom);
}

TEST_F(RememberProtocolTest, WhatWasWatchedIsFamiliarToANetThatLearnsAndToNoOther) {
  const RememberFigures got =
      run({clip("a/a/1", always(0)), clip("a/a/2", always(1)), clip("a/b/3", always(2)), clip("b/b/4", always(3))});
  EXPECT_EQ(got.clips, 4);
  EXPECT_EQ(got.stretches, 4);
  ASSERT_EQ(got.groups.size(), 3U);
  const struct {
    std::string against;
    std::int64_t clips;
  } expected[] = {{"other_kind", 4}, {"same_kind", 3}, {"same_room", 2}};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& group = got.groups[i];
    EXPECT_EQ(group.against, expected[i].against);
    EXPECT_EQ(group.clips, expected[i].clips);
    EXPECT_EQ(group.seen, 4 * expected[i].clips) << "of those clips alone that have such others";
    EXPECT_EQ(group.asked, 4 * expected[i].clips);
    EXPECT_EQ(of(group.auroc, "learns"), 1) << group.against;
    EXPECT_EQ(of(group.auroc, "mean_frame"), 1);
    EXPECT_EQ(of(group.auroc, "stands"), 0.5) << "at rate 0 nothing is learned, and all questions tie";
  }
  EXPECT_TRUE(notes_.empty());
}

TEST_F(RememberProtocolTest, OthersThatShowTheSameTie) {
  const RememberFigures got = run({clip("1", always(0)), clip("2", always(0)), clip("3", always(0))});
  ASSERT_EQ(got.groups.size(), 1U);
  EXPECT_EQ(got.groups[0].against, "same_room");
  EXPECT_EQ(of(got.groups[0].auroc, "learns"), 0.5);
  EXPECT_EQ(of(got.groups[0].auroc, "mean_frame"), 0.5);
}

TEST_F(RememberProtocolTest, DegradedFramesAreAskedAbout) {
  // Each clip's degraded frames show what the other one was watched for.
  const RememberFigures got = run({clip("1", always(0), always(1), 64), clip("2", always(1), always(0), 64)});
  EXPECT_EQ(of(got.groups.at(0).auroc, "learns"), 0);
  EXPECT_EQ(of(got.groups.at(0).auroc, "mean_frame"), 0);
}

TEST_F(RememberProtocolTest, QuestionsStayWithinTheStretch) {
  // Four stretches a clip, each of a scene of its own: had a question left its stretch, it would be about another scene,
  // which is no better known than scene 7.
  const auto quarters = [](std::int64_t frame) { return static_cast<int>(frame / 64); };
  const RememberFigures got = run({clip("1", quarters, 256), clip("2", always(7), 256)});
  EXPECT_EQ(got.stretches, 8);
  EXPECT_EQ(got.groups.at(0).seen, 32);
  EXPECT_EQ(of(got.groups.at(0).auroc, "learns"), 1);
}

TEST_F(RememberProtocolTest, ShortClipsAreWatchedWholeOrLeftOut) {
  const RememberFigures got = run({clip("1", always(0), 32), clip("2", always(1), 127), clip("3", always(2), 31)});
  EXPECT_EQ(got.clips, 2);
  EXPECT_EQ(got.stretches, 2) << "127 frames hold one stretch of 64";
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("\"3\" has 31 frames"), std::string::npos) << notes_[0];

  const std::vector<FiledClip> one{clip("1", always(0)), clip("2", always(1), 31)};
  const std::vector<Watcher> watchers{{"learns", &learning_}};
  const auto none = run_remember_protocol(one, watchers, {}, [](const std::string&) {}, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kInput);
}

TEST_F(RememberProtocolTest, OneSeedOneAnswer) {
  // Scenes come and go, so that it matters which moments are asked about.
  std::vector<FiledClip> clips;
  for (int i = 0; i < 3; ++i) {
    clips.push_back(clip(
        std::to_string(i), [i](std::int64_t frame) { return static_cast<int>((frame / (7 + i)) % (3 + i)); }, 130));
  }
  RememberProtocol one;
  one.looks = 2;
  RememberProtocol together = one, other = one;
  together.threads = 3;
  other.seed = 2;
  const double got = of(run(clips, one).groups.at(0).auroc, "learns");
  EXPECT_EQ(got, of(run(clips, together).groups.at(0).auroc, "learns")) << "whatever the number of threads";
  EXPECT_NE(got, of(run(clips, other).groups.at(0).auroc, "learns"));
}

}  // namespace
}  // namespace longtake
