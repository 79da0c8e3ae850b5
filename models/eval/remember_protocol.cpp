#include "models/eval/remember_protocol.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/eval/statistics.h"
#include "models/on_threads.h"
#include "models/train/random.h"

namespace longtake {
namespace {

constexpr std::array<const char*, 3> kNames{"other_kind", "same_kind", "same_room"};  // by Kinship

// The folder that a video lies in, whatever way it was named.
std::filesystem::path room_of(const std::filesystem::path& video) {
  std::error_code ec;
  const auto whole = std::filesystem::absolute(video, ec);
  return (ec ? video : whole).lexically_normal().parent_path();
}

// A clip that is long enough, and its frames at RememberProtocol::kFps.
struct Shown {
  const FiledClip* filed = nullptr;
  std::vector<std::int64_t> frames;
  std::array<std::vector<std::size_t>, kNames.size()> others;  // clips, by their kinship
};

// Frames of a clip one after the other, as numbers of Shown::frames.
struct Stretch {
  std::size_t clip = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// What a stretch leaves behind.
struct Watched {
  std::vector<std::vector<MixerState>> memories;  // of each watcher
  at::Tensor mean;                                // [1][1][tokens][latent] of its frames
};

using Scores = std::vector<std::vector<double>>;  // of each watcher, then of the mean: the larger the more familiar

void append(Scores& to, const Scores& from) {
  for (std::size_t w = 0; w < to.size(); ++w) to[w].insert(to[w].end(), from[w].begin(), from[w].end());
}

class Protocol {
 public:
  Protocol(std::vector<Shown> clips, std::span<const Watcher> watchers, const RememberProtocol& protocol,
           std::stop_token stop)
      : clips_(std::move(clips)), watchers_(watchers), protocol_(protocol), stop_(std::move(stop)) {}

  Result<RememberFigures> run() const {
    const auto stretches = this->stretches();
    std::vector<Answers> answers(stretches.size());
    on_threads(std::ssize(stretches), protocol_.threads, [&](const auto& next) {
      at::init_num_threads();
      const at::NoGradGuard no_grad;
      for (std::int64_t i = next(); i >= 0 && !stop_.stop_requested(); i = next()) {
        answers[static_cast<std::size_t>(i)] = answers_about(stretches[static_cast<std::size_t>(i)]);
      }
    });
    if (stop_.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};

    RememberFigures out;
    out.clips = std::ssize(clips_);
    out.stretches = std::ssize(stretches);
    for (std::size_t kin = 0; kin < kNames.size(); ++kin) {
      RememberFigures::Group group;
      group.against = kNames[kin];
      group.clips =
          std::count_if(clips_.begin(), clips_.end(), [&](const Shown& clip) { return !clip.others[kin].empty(); });
      if (group.clips == 0) continue;
      Scores seen(scored()), other(scored());
      for (std::size_t i = 0; i < stretches.size(); ++i) {
        if (clips_[stretches[i].clip].others[kin].empty()) continue;
        append(seen, answers[i].seen);
        append(other, answers[i].others[kin]);
      }
      group.seen = std::ssize(seen.front());
      group.asked = std::ssize(other.front());
      for (std::size_t w = 0; w < scored(); ++w) {
        group.auroc.emplace_back(w < watchers_.size() ? watchers_[w].name : "mean_frame", auroc(seen[w], other[w]));
      }
      out.groups.push_back(std::move(group));
    }
    return out;
  }

 private:
  struct Answers {
    Scores seen;
    std::array<Scores, kNames.size()> others;
  };

  std::size_t scored() const { return watchers_.size() + 1; }

  // Every clip is cut into equal parts, each with a stretch somewhere in it.
  std::vector<Stretch> stretches() const {
    std::vector<Stretch> out;
    for (std::size_t clip = 0; clip < clips_.size(); ++clip) {
      const std::int64_t frames = std::ssize(clips_[clip].frames);
      const std::int64_t count = std::min<std::int64_t>(protocol_.stretch, frames);
      const std::int64_t parts = std::min<std::int64_t>(protocol_.stretches, frames / count);
      Random random{protocol_.seed, clip};
      for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t begin = part * frames / parts, end = (part + 1) * frames / parts;
        out.push_back({clip, begin + random.below(end - begin - count + 1), count});
      }
    }
    return out;
  }

  Answers answers_about(const Stretch& stretch) const {
    const Shown& shown = clips_[stretch.clip];
    const auto [x, dt] = frames_of(stretch, shown.filed->clip.features.get());
    Watched watched;
    for (const Watcher& watcher : watchers_) watched.memories.push_back(watcher.net->forward(x, dt, {}).state.layers);
    watched.mean = x.mean(1, /*keepdim=*/true);

    Answers out;
    out.seen.resize(scored());
    for (std::int64_t i = 0; i < protocol_.looks; ++i) {
      const std::int64_t at = i * (stretch.count - protocol_.look) / std::max(1, protocol_.looks - 1);
      ask(watched, {stretch.clip, stretch.first + at, protocol_.look}, out.seen);
    }
    Random random{protocol_.seed, stretch.clip, static_cast<std::uint64_t>(stretch.first)};
    for (std::size_t kin = 0; kin < kNames.size(); ++kin) {
      const auto& others = shown.others[kin];
      out.others[kin].resize(scored());
      for (int i = 0; i < protocol_.looks && !others.empty(); ++i) {
        const std::size_t other = others[static_cast<std::size_t>(random.below(std::ssize(others)))];
        const std::int64_t at = random.below(std::ssize(clips_[other].frames) - protocol_.look + 1);
        ask(watched, {other, at, protocol_.look}, out.others[kin]);
      }
    }
    return out;
  }

  void ask(const Watched& watched, const Stretch& about, Scores& scores) const {
    const auto [x, dt] = frames_of(about, clips_[about.clip].filed->clip.degraded.get());
    for (std::size_t w = 0; w < watchers_.size(); ++w) {
      scores[w].push_back(watchers_[w].net->familiarity(x, dt, watched.memories[w]).mean().item<double>());
    }
    scores.back().push_back(-(x - watched.mean).square().mean().item<double>());
  }

  // As the beginning of a stream: x [1][T][tokens][latent], dt [1][T].
  std::pair<at::Tensor, at::Tensor> frames_of(const Stretch& stretch, const Features* features) const {
    const Shown& shown = clips_[stretch.clip];
    const auto frames = std::span(shown.frames)
                            .subspan(static_cast<std::size_t>(stretch.first), static_cast<std::size_t>(stretch.count));
    return {watchers_.front().net->latents(frame_tokens(*features, frames)).unsqueeze(0),
            gaps(shown.filed->clip, frames, 0, frames.size()).unsqueeze(0)};
  }

  std::vector<Shown> clips_;
  std::span<const Watcher> watchers_;
  const RememberProtocol& protocol_;
  std::stop_token stop_;
};

}  // namespace

Kinship kinship(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto room = room_of(a), other = room_of(b);
  if (room == other) return Kinship::kSameRoom;
  return room.parent_path() == other.parent_path() ? Kinship::kSameKind : Kinship::kOtherKind;
}

Result<RememberFigures> run_remember_protocol(std::span<const FiledClip> clips, std::span<const Watcher> watchers,
                                              const RememberProtocol& protocol, const Note& note,
                                              std::stop_token stop) {
  std::vector<Shown> shown;
  for (const FiledClip& filed : clips) {
    auto frames = frames_at(filed.clip, RememberProtocol::kFps);
    if (std::ssize(frames) < protocol.shortest) {
      note(fmt::format("left out: \"{}\" has {} frames at {:g} a second, and {} are the fewest to remember",
                       filed.path.string(), frames.size(), RememberProtocol::kFps, protocol.shortest));
      continue;
    }
    shown.push_back({&filed, std::move(frames), {}});
  }
  if (shown.size() < 2) {
    return Error{ErrorKind::kInput,
                 fmt::format("it takes two videos of {} frames at {:g} a second: one to watch and another "
                             "one to tell it from",
                             protocol.shortest, RememberProtocol::kFps)};
  }
  for (std::size_t i = 0; i < shown.size(); ++i) {
    for (std::size_t j = 0; j < shown.size(); ++j) {
      if (i == j) continue;
      shown[i].others[static_cast<std::size_t>(kinship(shown[i].filed->path, shown[j].filed->path))].push_back(j);
    }
  }
  return Protocol(std::move(shown), watchers, protocol, std::move(stop)).run();
}

}  // namespace longtake
