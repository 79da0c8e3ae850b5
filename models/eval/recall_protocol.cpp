#include "models/eval/recall_protocol.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/eval/statistics.h"
#include "models/on_threads.h"
#include "models/train/random.h"

namespace longtake {
namespace {

enum Stage : std::uint64_t { kReturns = 1, kMinutes, kFamiliarity };

// Where in a place a visit begins, the frames of the same scene, those of them that were not shown then (both in order), and
// where a later return begins.
struct Moments {
  std::int64_t visit = 0;
  std::vector<std::int64_t> scene, unshown;
  std::int64_t later = 0;
};

// What a return asks, in the order of the answers.
enum Moment : std::size_t { kInScene, kUnshown, kLater, kMoments };
using Return = std::array<std::int64_t, kMoments>;  // a frame for each

using Memories = std::vector<std::unique_ptr<FrameMemory>>;
using Errors = std::vector<std::vector<double>>;  // of each memory

class Protocol {
 public:
  Protocol(std::span<const Place> places, std::span<const Contestant> contestants, const RecallProtocol& protocol,
           const Note& note, std::stop_token stop)
      : places_(places),
        contestants_(contestants),
        protocol_(protocol),
        note_(note),
        stop_(std::move(stop)),
        variance_(latent_variance(places)) {}

  Result<RecallCurves> run() const {
    RecallCurves out;
    out.places = static_cast<int>(places_.size());
    returns(out);
    minutes(out);
    familiarity(out);
    if (stop_.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
    return out;
  }

 private:
  // Runs trial(i, answers) for each i on several threads; `answers` has so many questions. All answers, in order of trials.
  template <class Trial>
  std::vector<Errors> trials(int count, std::size_t questions, Trial trial) const {
    std::vector<std::vector<Errors>> answers(static_cast<std::size_t>(count),
                                             std::vector<Errors>(questions, Errors(contestants_.size())));
    on_threads(count, protocol_.threads, [&](const auto& next) {
      at::init_num_threads();
      const at::NoGradGuard no_grad;
      for (std::int64_t i = next(); i >= 0; i = next())
        trial(static_cast<std::uint64_t>(i), answers[static_cast<std::size_t>(i)]);
    });
    std::vector<Errors> out(questions, Errors(contestants_.size()));
    for (const auto& one : answers) {
      for (std::size_t q = 0; q < questions; ++q) {
        for (std::size_t m = 0; m < contestants_.size(); ++m)
          out[q][m].insert(out[q][m].end(), one[q][m].begin(), one[q][m].end());
      }
    }
    return out;
  }

  Memories fresh() const {
    Memories out;
    for (const Contestant& one : contestants_) out.push_back(one.fresh->copy());
    return out;
  }

  std::vector<std::size_t> shuffled(Random& random) const {
    std::vector<std::size_t> order(places_.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
    }
    return order;
  }

  Moments moments(const Place& place, Random& random) const {
    const auto frames_in = [](double seconds) { return static_cast<std::int64_t>(seconds * RecallProtocol::kFps); };
    const std::int64_t visit = protocol_.visit;
    // A clip that is too short for the distance wanted gives as much as it has.
    const std::int64_t spare = place.frames - visit - 1;
    const std::int64_t least = std::min(spare, frames_in(protocol_.least_later_s));
    Moments out;
    out.visit = random.below(spare - least + 1);
    const std::int64_t first = out.visit + visit + least;
    const std::int64_t last = std::min(place.frames - 1, out.visit + visit + frames_in(protocol_.most_later_s));
    out.later = first + random.below(last - first + 1);

    const std::int64_t wanted = protocol_.shortest_scene + random.below(protocol_.longest_scene - protocol_.shortest_scene + 1);
    const std::int64_t scene = std::min(place.frames, wanted);
    const std::int64_t earliest = std::max<std::int64_t>(0, out.visit + visit - scene);
    const std::int64_t begin = earliest + random.below(std::min(out.visit, place.frames - scene) - earliest + 1);
    for (std::int64_t frame = begin; frame < begin + scene; ++frame) {
      out.scene.push_back(frame);
      if (frame < out.visit || frame >= out.visit + visit) out.unshown.push_back(frame);
    }
    return out;
  }

  static Return any_return(const Moments& at, Random& random) {
    const auto any = [&](const std::vector<std::int64_t>& frames) {
      return frames[static_cast<std::size_t>(random.below(std::ssize(frames)))];
    };
    return {any(at.scene), any(at.unshown), at.later};
  }

  void show(Memories& memories, const Place& place, std::int64_t first, std::int64_t frames) const {
    for (std::int64_t frame = first; frame < first + frames; ++frame) {
      const at::Tensor x = place.latents(frame);
      for (auto& memory : memories) memory->write(x);
    }
  }

  // Three answers, from the first of `to` on.
  void ask_all(const Memories& memories, const Place& place, const Return& frames, std::span<Errors> to) const {
    for (std::size_t moment = 0; moment < kMoments; ++moment) ask(memories, place, frames[moment], to[moment]);
  }

  void ask(const Memories& memories, const Place& place, std::int64_t frame, Errors& answers) const {
    const at::Tensor x = place.latents(frame);
    for (std::size_t m = 0; m < memories.size(); ++m) {
      answers[m].push_back((memories[m]->read(x) - x).square().mean().item<double>() / variance_);
    }
  }

  Compared means(const Errors& errors) const {
    return compared([&](std::size_t m) { return mean_and_error(errors[m]).mean; });
  }
  Compared standard_errors(const Errors& errors) const {
    return compared([&](std::size_t m) { return mean_and_error(errors[m]).standard_error; });
  }
  Compared bytes(const Memories& memories) const {
    return compared([&](std::size_t m) { return static_cast<double>(memories[m]->state_bytes()); });
  }
  template <class Of>
  Compared compared(Of of) const {
    Compared out;
    for (std::size_t m = 0; m < contestants_.size(); ++m) out.emplace_back(contestants_[m].name, of(m));
    return out;
  }

  // Each trial: one place, then others; reading changes nothing, so the returns are tried after each count of others. The last
  // question is a place never seen.
  void returns(RecallCurves& out) const {
    std::vector<int> between = protocol_.between;
    std::erase_if(between, [&](int n) { return static_cast<std::size_t>(n) + 2 > places_.size(); });
    if (between.size() < protocol_.between.size()) {
      note_(
          fmt::format("{} places are too few for a return after {} others", places_.size(), protocol_.between.back()));
    }
    const auto answers =
        trials(protocol_.trials, kMoments * between.size() + 1, [&](std::uint64_t trial, std::vector<Errors>& to) {
          if (stop_.stop_requested()) return;
          Random random{protocol_.seed, kReturns, trial};
          const auto order = shuffled(random);
          const Place& home = places_[order.front()];
          const Moments at = moments(home, random);
          const Return back = any_return(at, random);
          Memories memories = fresh();
          show(memories, home, at.visit, protocol_.visit);
          int others = 0;
          for (std::size_t i = 0; i < between.size(); ++i) {
            for (; others < between[i]; ++others) {
              const Place& other = places_[order[static_cast<std::size_t>(others) + 1]];
              show(memories, other, moments(other, random).visit, protocol_.visit);
            }
            ask_all(memories, home, back, std::span(to).subspan(kMoments * i));
          }
          const Place& unseen = places_[order[static_cast<std::size_t>(others) + 1]];
          ask(memories, unseen, moments(unseen, random).visit, to.back());
          if (trial == 0) out.state_bytes = bytes(memories);
        });
    for (std::size_t i = 0; i < between.size(); ++i) {
      const auto at = std::span(answers).subspan(kMoments * i);
      out.returns.push_back({between[i], protocol_.trials, means(at[kInScene]), standard_errors(at[kInScene]),
                             means(at[kUnshown]), means(at[kLater])});
    }
    out.fresh = means(answers.back());
    out.fresh_standard_error = standard_errors(answers.back());
  }

  // Each stream: a few places, then minutes of others, whole and none of them twice.
  void minutes(RecallCurves& out) const {
    const auto homes =
        std::clamp<std::size_t>(places_.size() / 4, 1, static_cast<std::size_t>(protocol_.stream_places));
    std::vector<Compared> sizes(protocol_.minutes.size());
    const auto answers = trials(protocol_.streams, kMoments * sizes.size(), [&](std::uint64_t stream, std::vector<Errors>& to) {
      Random random{protocol_.seed, kMinutes, stream};
      const auto order = shuffled(random);
      Memories memories = fresh();
      std::vector<Return> back;
      for (std::size_t i = 0; i < homes; ++i) {
        const Moments at = moments(places_[order[i]], random);
        back.push_back(any_return(at, random));
        show(memories, places_[order[i]], at.visit, protocol_.visit);
      }
      std::int64_t passed = 0;  // frames
      std::size_t mark = 0;
      for (std::size_t i = homes; i < order.size(); ++i) {
        const Place& other = places_[order[i]];
        for (std::int64_t frame = 0; frame < other.frames; ++frame) {
          if (stop_.stop_requested() || mark == sizes.size()) return;
          show(memories, other, frame, 1);
          ++passed;
          if (static_cast<double>(passed) < protocol_.minutes[mark] * 60 * RecallProtocol::kFps) continue;
          for (std::size_t home = 0; home < homes; ++home) {
            ask_all(memories, places_[order[home]], back[home], std::span(to).subspan(kMoments * mark));
          }
          if (stream == 0) sizes[mark] = bytes(memories);
          ++mark;
        }
      }
    });
    const auto wanted = homes * static_cast<std::size_t>(protocol_.streams);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto at = std::span(answers).subspan(kMoments * i);
      // A stream that returns to long clips has less left to show: a mark counts only where all streams reach it.
      if (at[kInScene].front().size() < wanted) {
        note_(fmt::format("the videos are too short for a return after {:g} minutes of other video",
                          protocol_.minutes[i]));
        return;
      }
      out.minutes.push_back({protocol_.minutes[i], static_cast<std::int64_t>(wanted), means(at[kInScene]),
                             standard_errors(at[kInScene]), means(at[kUnshown]), means(at[kLater]), sizes[i]});
    }
  }

  void familiarity(RecallCurves& out) const {
    auto shown = static_cast<std::size_t>(protocol_.shown), watched = static_cast<std::size_t>(protocol_.familiar);
    if (shown > places_.size()) {
      watched = std::max<std::size_t>(1, watched * places_.size() / shown);
      shown = places_.size();
      note_(fmt::format("familiarity: {} places, of which {} are watched, instead of {} and {}", shown, watched,
                        protocol_.shown, protocol_.familiar));
    }
    const auto areas = trials(protocol_.draws, kMoments, [&](std::uint64_t draw, std::vector<Errors>& to) {
      if (stop_.stop_requested()) return;
      Random random{protocol_.seed, kFamiliarity, draw};
      const auto order = shuffled(random);
      Memories memories = fresh();
      std::vector<Moments> at;
      for (std::size_t i = 0; i < shown; ++i) {
        at.push_back(moments(places_[order[i]], random));
        if (i < watched) show(memories, places_[order[i]], at[i].visit, protocol_.visit);
      }
      const auto area = [&](const auto& frames_of, Errors& answer) {
        Errors known(contestants_.size()), strange(contestants_.size());  // scores: the larger the more familiar
        for (std::size_t i = 0; i < shown; ++i) {
          Errors seen(contestants_.size());
          for (const std::int64_t frame : frames_of(i)) ask(memories, places_[order[i]], frame, seen);
          for (std::size_t m = 0; m < seen.size(); ++m)
            (i < watched ? known : strange)[m].push_back(-mean_and_error(seen[m]).mean);
        }
        for (std::size_t m = 0; m < known.size(); ++m) answer[m].push_back(auroc(known[m], strange[m]));
      };
      const auto look = [&](std::size_t has) { return std::min(static_cast<std::size_t>(protocol_.look), has); };
      std::vector<std::span<const std::int64_t>> anywhere;
      for (const Moments& one : at) {
        const std::size_t frames = look(one.scene.size());
        const auto first = random.below(static_cast<std::int64_t>(one.scene.size() - frames) + 1);
        anywhere.push_back(std::span(one.scene).subspan(static_cast<std::size_t>(first), frames));
      }
      area([&](std::size_t i) { return anywhere[i]; }, to[kInScene]);
      area([&](std::size_t i) { return std::span(at[i].unshown).first(look(at[i].unshown.size())); }, to[kUnshown]);
      area(
          [&](std::size_t i) {
            std::vector<std::int64_t> frames(look(static_cast<std::size_t>(places_[order[i]].frames - at[i].later)));
            std::iota(frames.begin(), frames.end(), at[i].later);
            return frames;
          },
          to[kLater]);
    });
    out.familiarity = {static_cast<int>(watched),         static_cast<int>(shown), means(areas[kInScene]),
                       standard_errors(areas[kInScene]), means(areas[kUnshown]),  means(areas[kLater])};
  }

  std::span<const Place> places_;
  std::span<const Contestant> contestants_;
  const RecallProtocol& protocol_;
  const Note& note_;
  std::stop_token stop_;
  double variance_;
};

}  // namespace

std::vector<Place> places_of(const std::vector<Clip>& clips, int views, const LatentsOf& latents, const Note& note) {
  constexpr std::int64_t kFewest = 10;  // frames: a visit, and a little time until the return
  std::vector<Place> out;
  for (const Clip& clip : clips) {
    auto frames = std::make_shared<std::vector<std::int64_t>>(frames_at(clip, RecallProtocol::kFps));
    if (std::ssize(*frames) < kFewest) {
      note(fmt::format("left out: \"{}\" is too short for a visit and a return", clip.features->name()));
      continue;
    }
    for (int view = 0; view < views; ++view) {
      out.push_back({std::ssize(*frames), [frames, latents, clip, grid = turned_grid(view)](std::int64_t frame) {
                       const auto which = (*frames)[static_cast<std::size_t>(frame)];
                       return latents(*clip.features, std::array{which})[0].index_select(0, grid);
                     }});
    }
  }
  return out;
}

double latent_variance(std::span<const Place> places) {
  at::Tensor sum, squares;
  double count = 0;
  for (const Place& place : places) {
    constexpr std::int64_t kSamples = 16;  // of each place, so that long ones count no more than others
    for (std::int64_t i = 0; i < kSamples; ++i) {
      const at::Tensor x = place.latents(i * (place.frames - 1) / (kSamples - 1)).to(at::kDouble);
      sum = sum.defined() ? sum + x.mean(0) : x.mean(0);
      squares = squares.defined() ? squares + x.square().mean(0) : x.square().mean(0);
      ++count;
    }
  }
  return (squares / count - (sum / count).square()).mean().item<double>();
}

Result<RecallCurves> run_recall_protocol(std::span<const Place> places, std::span<const Contestant> contestants,
                                         const RecallProtocol& protocol, const Note& note, std::stop_token stop) {
  const at::NoGradGuard no_grad;
  if (places.size() < 3) {
    return Error{ErrorKind::kInput,
                 fmt::format("{} places are too few: it takes one to return to, one in between and a new "
                             "one",
                             places.size())};
  }
  return Protocol(places, contestants, protocol, note, std::move(stop)).run();
}

}  // namespace longtake
