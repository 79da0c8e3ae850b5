#include "models/train/stack_streams.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/train/random.h"

namespace longtake {
namespace {

// One frame of a stream: where it is from, and the seconds since the one before.
struct Place {
  const Clip* clip = nullptr;
  std::int64_t frame = 0;
  double dt = 0;
};

const Clip& pick(const std::vector<Clip>& clips, const std::vector<double>& ends, Random& random) {
  const double at = random.uniform() * ends.back();
  const auto found = std::upper_bound(ends.begin(), ends.end(), at);
  return clips[static_cast<std::size_t>(std::min<std::ptrdiff_t>(found - ends.begin(), std::ssize(ends) - 1))];
}

// The first `count` frames of a stream.
std::vector<Place> plan(const std::vector<Clip>& clips, const std::vector<double>& ends, double fps, int count,
                        Random& random) {
  std::vector<Place> out;
  const double step = 1 / fps;
  while (std::ssize(out) < count) {
    const Clip& clip = pick(clips, ends, random);
    const double wanted = step * static_cast<double>(count - std::ssize(out) - 1);
    const double start = random.uniform(0, std::max(0.0, clip.duration_s() - wanted));
    std::int64_t last = -1;
    for (double t = start; std::ssize(out) < count && t <= clip.duration_s(); t += step) {
      const std::int64_t frame = std::clamp(clip.features->nearest(clip.start_s() + t), clip.first, clip.end - 1);
      if (frame == last) continue;  // the video is slower than the stream
      const double dt = last < 0 ? step : clip.features->seconds(frame) - clip.features->seconds(last);
      out.push_back({&clip, frame, dt});
      last = frame;
    }
  }
  out.front().dt = 0;
  return out;
}

// Collects frames, so that each is read and projected once.
class Gather {
 public:
  // The row of the frame in all().
  std::int64_t want(const Clip& clip, std::int64_t frame) { return want(*clip.features, frame); }
  std::int64_t want_degraded(const Clip& clip, std::int64_t frame) {
    return want(clip.degraded ? *clip.degraded : *clip.features, frame);
  }
  // [n][tokens][latent]
  at::Tensor all(const StackNet& net) const {
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < wanted_.size();) {
      std::vector<std::int64_t> frames;
      const Features* const from = wanted_[i].first;
      for (; i < wanted_.size() && wanted_[i].first == from; ++i) frames.push_back(wanted_[i].second);
      parts.push_back(frame_tokens(*from, frames));
    }
    return net.latents(at::cat(parts));
  }

 private:
  using Key = std::pair<const Features*, std::int64_t>;
  std::int64_t want(const Features& features, std::int64_t frame) {
    const auto [at, added] = rows_.try_emplace({&features, frame}, std::ssize(wanted_));
    if (added) wanted_.push_back({&features, frame});
    return at->second;
  }

  std::map<Key, std::int64_t> rows_;
  std::vector<Key> wanted_;
};

// What is added to each row, [B][1][tokens][latent]: one frame of `latents` less another; −1: nothing.
at::Tensor shift_of(const at::Tensor& latents, const std::vector<std::int64_t>& plus, const std::vector<std::int64_t>& minus) {
  std::vector<at::Tensor> shifts;
  for (std::size_t i = 0; i < plus.size(); ++i) {
    shifts.push_back(plus[i] < 0 ? at::zeros_like(latents[0]) : latents[plus[i]] - latents[minus[i]]);
  }
  return at::stack(shifts).unsqueeze(1);
}

}  // namespace

std::int64_t frame_after(const Clip& clip, std::int64_t frame, double horizon_s) {
  const Features& features = *clip.features;
  const double now = features.seconds(frame);
  const std::int64_t there = features.nearest(now + horizon_s);
  const double off = std::abs(features.seconds(there) - now - horizon_s);
  return there > frame && there < clip.end && off <= horizon_s / 2 ? there : -1;
}

StackStreams::StackStreams(const StackNet& net, std::vector<Clip> clips, StackStreamOptions options)
    : net_(net), clips_(std::move(clips)), options_(std::move(options)) {
  std::erase_if(clips_, [](const Clip& clip) { return clip.frames() < 2; });
  if (clips_.empty()) throw std::invalid_argument("StackStreams: no clips");
  double total = 0;
  for (const Clip& clip : clips_) ends_.push_back(total += static_cast<double>(clip.frames()));

  constexpr int kSamples = 1024;
  for (std::size_t h = 0; h < net.config().horizons_s.size(); ++h) {
    Random random{options_.seed, 0x7065727369737400ULL, h};
    Gather gather;
    std::vector<std::int64_t> now, then;
    for (int i = 0; i < kSamples; ++i) {
      const Clip& clip = pick(clips_, ends_, random);
      const std::int64_t frame = clip.first + random.below(clip.frames());
      const std::int64_t after = frame_after(clip, frame, net.config().horizons_s[h]);
      if (after < 0) continue;
      now.push_back(gather.want(clip, frame));
      then.push_back(gather.want(clip, after));
    }
    if (now.empty()) {
      persistence_.push_back(1);  // never used: no frame has a target at this horizon
      continue;
    }
    const at::Tensor latents = gather.all(net_);
    const auto rows = [&](const std::vector<std::int64_t>& of) { return latents.index_select(0, at::tensor(of)); };
    persistence_.push_back(std::max(1e-6, (rows(then) - rows(now)).square().mean().item<double>()));
  }
}

// One row of a window.
struct StackStreams::Row {
  bool fresh = false;
  std::vector<Place> places;             // of its frames
  const Clip* plus = nullptr;            // what is added to everything: this frame less that one; null: nothing
  const Clip* minus = nullptr;
  std::int64_t plus_frame = 0, minus_frame = 0;
};

StackStreams::Row StackStreams::row(std::int64_t step, std::int64_t number) const {
  // Rows begin their streams at different steps.
  const std::int64_t moment = step + number % options_.windows;
  const std::int64_t window = moment % options_.windows;
  Random random{options_.seed, static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(moment / options_.windows)};
  Row out;
  out.fresh = window == 0;
  const double fps = options_.fps[static_cast<std::size_t>(random.below(std::ssize(options_.fps)))];
  const bool shifted = random.chance(options_.scene_shift);
  const Clip& here = pick(clips_, ends_, random);
  const Clip& there = pick(clips_, ends_, random);
  out.plus_frame = here.first + random.below(here.frames());
  out.minus_frame = there.first + random.below(there.frames());
  if (shifted) out.plus = &here, out.minus = &there;
  // The whole stream: where its stretches lie depends on how long it is.
  const auto places = plan(clips_, ends_, fps, options_.windows * options_.frames, random);
  const auto begin = places.begin() + window * options_.frames;
  out.places.assign(begin, begin + options_.frames);
  return out;
}

std::string StackStreams::describe(std::int64_t step) const {
  std::string out;
  for (std::int64_t number = 0; number < options_.rows; ++number) {
    const Row row = this->row(step, number);
    const Place& first = row.places.front();
    out += fmt::format("{}\"{}\" from {:.1f} s", number == 0 ? "" : ", ", first.clip->features->name(),
                       first.clip->features->seconds(first.frame));
  }
  return out;
}

StackBatch StackStreams::batch(std::int64_t step, std::int64_t first, std::int64_t rows) const {
  const auto& horizons = net_.config().horizons_s;
  const std::int64_t frames = options_.frames;
  Gather gather;
  std::vector<std::int64_t> x, targets(horizons.size() * static_cast<std::size_t>(rows * frames));
  std::vector<float> dt, has(targets.size());
  std::vector<std::int64_t> plus, minus;  // per row, −1: no shift
  StackBatch out;
  out.fresh = at::zeros({rows}, at::kBool);
  for (std::int64_t number = 0; number < rows; ++number) {
    const Row row = this->row(step, first + number);
    out.fresh[number] = row.fresh;
    plus.push_back(row.plus != nullptr ? gather.want(*row.plus, row.plus_frame) : -1);
    minus.push_back(row.plus != nullptr ? gather.want(*row.minus, row.minus_frame) : -1);
    for (std::int64_t t = 0; t < frames; ++t) {
      const Place& place = row.places[static_cast<std::size_t>(t)];
      x.push_back(gather.want(*place.clip, place.frame));
      dt.push_back(static_cast<float>(place.dt));
      for (std::size_t h = 0; h < horizons.size(); ++h) {
        const std::int64_t after = frame_after(*place.clip, place.frame, horizons[h]);
        const std::size_t at = (h * static_cast<std::size_t>(rows) + static_cast<std::size_t>(number)) *
                                   static_cast<std::size_t>(frames) + static_cast<std::size_t>(t);
        targets[at] = after < 0 ? x.back() : gather.want(*place.clip, after);
        has[at] = after < 0 ? 0.0F : 1.0F;
      }
    }
  }
  const at::Tensor latents = gather.all(net_);
  const std::int64_t tokens = latents.size(1), latent = latents.size(2);
  const at::Tensor shift = shift_of(latents, plus, minus);
  const auto count = static_cast<std::int64_t>(horizons.size());
  out.x = latents.index_select(0, at::tensor(x)).view({rows, frames, tokens, latent}) + shift;
  out.targets = latents.index_select(0, at::tensor(targets)).view({count, rows, frames, tokens, latent}) + shift;
  out.dt = at::tensor(dt).view({rows, frames});
  out.has_target = at::tensor(has).view({count, rows, frames});
  return out;
}

ProbeBatch StackStreams::probes(std::int64_t step, std::int64_t first, std::int64_t rows, std::int64_t frames) const {
  constexpr int kTries = 8;
  Gather gather;
  std::vector<std::int64_t> seen, other, plus, minus;
  std::vector<float> dt, has;
  for (std::int64_t number = 0; number < rows; ++number) {
    const Row row = this->row(step, first + number);
    Random random{options_.seed, 0x70726f6265000000ULL, static_cast<std::uint64_t>(first + number), static_cast<std::uint64_t>(step)};
    const std::int64_t from = random.below(options_.frames - frames + 1);
    const Clip* elsewhere = nullptr;
    for (int i = 0; i < kTries && elsewhere == nullptr; ++i) {
      const Clip& clip = pick(clips_, ends_, random);
      const bool shown = std::any_of(row.places.begin(), row.places.end(),
                                     [&](const Place& place) { return place.clip->features == clip.features; });
      if (!shown && clip.frames() >= frames) elsewhere = &clip;
    }
    const std::int64_t there = elsewhere == nullptr ? 0 : elsewhere->first + random.below(elsewhere->frames() - frames + 1);
    has.push_back(elsewhere == nullptr ? 0.0F : 1.0F);
    plus.push_back(row.plus != nullptr ? gather.want(*row.plus, row.plus_frame) : -1);
    minus.push_back(row.plus != nullptr ? gather.want(*row.minus, row.minus_frame) : -1);
    for (std::int64_t t = 0; t < frames; ++t) {
      const Place& place = row.places[static_cast<std::size_t>(from + t)];
      seen.push_back(gather.want_degraded(*place.clip, place.frame));
      other.push_back(elsewhere == nullptr ? seen.back() : gather.want_degraded(*elsewhere, there + t));
      dt.push_back(t == 0 ? 0.0F : static_cast<float>(place.dt));
    }
  }
  const at::Tensor latents = gather.all(net_);
  const at::Tensor shift = shift_of(latents, plus, minus);
  const auto look = [&](const std::vector<std::int64_t>& which) {
    return latents.index_select(0, at::tensor(which)).view({rows, frames, latents.size(1), latents.size(2)}) + shift;
  };
  return {look(seen), look(other), at::tensor(dt).view({rows, frames}), at::tensor(has)};
}

}  // namespace longtake
