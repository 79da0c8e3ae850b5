#include "models/train/recall_streams.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/train/random.h"

namespace longtake {
namespace {

constexpr int kSide = 4;
constexpr int kTokens = kSide * kSide;

struct Visit {
  std::uint64_t scene = 0;  // its number in the stream
  std::int64_t at = 0;      // frame of the stream
  std::int64_t frames = 0;
  double where = 0;         // 0 … 1 of the scene
  bool again = false;
};

// Frames of a scene: as many as it lasts, not more than the clip has.
struct Stretch {
  const Clip* clip = nullptr;
  std::vector<std::int64_t> frames;
};

}  // namespace

at::Tensor turned_grid(std::int64_t which) {
  std::vector<std::int64_t> from;
  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      int r = row, c = (which & 4) != 0 ? kSide - 1 - column : column;
      for (std::int64_t turn = 0; turn < (which & 3); ++turn) {
        const int old = r;
        r = c;
        c = kSide - 1 - old;
      }
      from.push_back(r * kSide + c);
    }
  }
  return at::tensor(from);
}

RecallStreams::RecallStreams(LatentsOf latents, std::vector<Clip> clips, RecallStreamOptions options)
    : latents_(std::move(latents)), clips_(std::move(clips)), options_(options) {
  std::erase_if(clips_, [](const Clip& clip) { return clip.frames() < 2; });
  if (clips_.empty()) throw std::invalid_argument("RecallStreams: no clips");
  std::vector<at::Tensor> parts;
  Random random{options_.seed, 0x7370726561640000ULL};
  for (int i = 0; i < 512; ++i) {
    const Clip& clip = any_clip(random);
    const std::int64_t frame = clip.first + random.below(clip.frames());
    parts.push_back(latents_(*clip.features, std::array{frame}));
  }
  spread_ = at::cat(parts).std(at::IntArrayRef{0, 1}, /*unbiased=*/true);
  variance_ = spread_.square().mean().item<double>();
}

// Places are equally likely, however long their clips.
const Clip& RecallStreams::any_clip(Random& random) const {
  return clips_[static_cast<std::size_t>(random.below(std::ssize(clips_)))];
}

Random RecallStreams::of_scene(std::uint64_t row, std::uint64_t life, std::uint64_t number) const {
  return Random{options_.seed, 0x7363656e65000000ULL, row, life, number};
}

at::Tensor RecallStreams::scene(std::uint64_t row, std::uint64_t life, std::uint64_t number) const {
  Random random = of_scene(row, life, number);
  const auto stretch = [&] {
    Stretch out{&any_clip(random), {}};
    const double wanted = random.uniform(12, 40) / options_.fps;
    const double start = random.uniform(0, std::max(0.0, out.clip->duration_s() - wanted));
    for (double t = start; t <= std::min(start + wanted, out.clip->duration_s()); t += 1 / options_.fps) {
      out.frames.push_back(std::clamp(out.clip->features->nearest(out.clip->start_s() + t), out.clip->first, out.clip->end - 1));
    }
    return out;
  };
  const auto any_frame = [&] {
    const Clip& clip = any_clip(random);
    return latents_(*clip.features, std::array{clip.first + random.below(clip.frames())})[0];
  };
  const auto turned = [&](const at::Tensor& tokens, std::int64_t dim) {
    return tokens.index_select(dim, turned_grid(random.below(8)));
  };
  const Stretch from = stretch();
  at::Tensor z = turned(latents_(*from.clip->features, from.frames), 1);
  // The place itself fades towards another one; what moves in it keeps its own size.
  const double own = random.chance(0.3) ? 1.0 : random.uniform(0.4, 1.0);
  const at::Tensor other = turned(any_frame(), 0);
  const at::Tensor mean = z.mean(0);
  z = (z - mean) * random.uniform(0.6, 1.2) + own * mean + std::sqrt(std::max(0.0, 1 - own * own)) * other;
  if (random.chance(0.5)) {  // rows, or columns, of the grid show another place
    std::vector<float> lines;
    for (int i = 0; i < kSide; ++i) lines.push_back(random.chance(0.5) ? 1.0F : 0.0F);
    const at::Tensor replaced = turned(at::tensor(lines).unsqueeze(0).expand({kSide, kSide}).reshape(kTokens), 0).unsqueeze(-1);
    z = z * (1 - 0.7 * replaced) + 0.9 * replaced * any_frame();
  }
  if (random.chance(0.4)) {
    std::vector<float> signs;
    for (std::int64_t i = 0; i < z.size(2); ++i) signs.push_back(random.chance(0.3) ? -1.0F : 1.0F);
    z = z * at::tensor(signs);
  }
  const double moved = random.uniform(0, 0.3);
  std::vector<float> offset;
  for (std::int64_t i = 0; i < z.size(2); ++i) offset.push_back(static_cast<float>(moved * random.normal()));
  return z + at::tensor(offset) * spread_;
}

// The visits of a window of a row.
struct RecallStreams::Row {
  bool fresh = false;
  std::uint64_t life = 0;  // which of the row's streams
  std::int64_t first = 0;  // frame of the stream that the window begins with
  std::vector<Visit> visits;
};

RecallStreams::Row RecallStreams::row(std::int64_t step, std::int64_t number) const {
  // Rows begin their streams at different steps.
  const std::int64_t moment = step + number * options_.windows / options_.rows;
  const std::int64_t window = moment % options_.windows;
  Row out;
  out.fresh = window == 0;
  out.life = static_cast<std::uint64_t>(moment / options_.windows);
  out.first = window * options_.frames;
  Random random{options_.seed, 0x7669736974730000ULL, static_cast<std::uint64_t>(number), out.life};
  std::vector<std::uint64_t> seen;  // scenes, the one visited last at the end
  std::uint64_t scenes = 0;
  for (std::int64_t at = 0; at < out.first + options_.frames;) {
    Visit visit;
    visit.at = at;
    if (seen.size() > 1 && random.chance(options_.returns)) {
      const auto back = std::min<std::int64_t>(std::ssize(seen) - 1,
                                               static_cast<std::int64_t>(std::exp2(random.uniform(0, options_.longest_gap))));
      const auto place = seen.end() - 1 - back;
      visit.scene = *place;
      visit.again = true;
      seen.erase(place);
    } else {
      visit.scene = scenes++;
    }
    seen.push_back(visit.scene);
    visit.frames = options_.shortest_visit + random.below(options_.longest_visit - options_.shortest_visit + 1);
    visit.where = random.uniform();
    at += visit.frames;
    if (at > out.first) out.visits.push_back(visit);
  }
  return out;
}

std::string RecallStreams::describe(std::int64_t step) const {
  std::set<std::string> names;
  for (std::int64_t number = 0; number < options_.rows; ++number) {
    const Row row = this->row(step, number);
    for (const Visit& visit : row.visits) {
      Random random = of_scene(static_cast<std::uint64_t>(number), row.life, visit.scene);
      names.insert(any_clip(random).features->name());
    }
  }
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

RecallBatch RecallStreams::batch(std::int64_t step, std::int64_t first, std::int64_t rows) const {
  const std::int64_t frames = options_.frames;
  RecallBatch out;
  out.fresh = at::zeros({rows}, at::kBool);
  out.is_return = at::zeros({rows, frames});
  out.is_new = at::zeros({rows, frames});
  std::vector<at::Tensor> x;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto number = static_cast<std::uint64_t>(first + i);
    const Row row = this->row(step, first + i);
    out.fresh[i] = row.fresh;
    std::map<std::uint64_t, at::Tensor> shown;
    std::vector<at::Tensor> parts;
    for (const Visit& visit : row.visits) {
      auto scene = shown.find(visit.scene);
      if (scene == shown.end()) scene = shown.emplace(visit.scene, this->scene(number, row.life, visit.scene)).first;
      const std::int64_t has = scene->second.size(0);
      const auto start = static_cast<std::int64_t>(visit.where * static_cast<double>(std::max<std::int64_t>(1, has - visit.frames + 1)));
      const std::int64_t to = std::min(visit.at + visit.frames, row.first + frames);
      for (std::int64_t t = std::max(visit.at, row.first); t < to; ++t) {
        parts.push_back(scene->second[std::min(start + t - visit.at, has - 1)]);
      }
      if (visit.at >= row.first) (visit.again ? out.is_return : out.is_new)[i][visit.at - row.first] = 1;
    }
    auto noise = at::make_generator<at::CPUGeneratorImpl>(
        Random{options_.seed, 0x6e6f697365000000ULL, number, static_cast<std::uint64_t>(step)}.bits());
    const at::Tensor frames_of_row = at::stack(parts);
    x.push_back(frames_of_row + options_.noise * at::randn(frames_of_row.sizes(), noise, frames_of_row.options()));
  }
  out.x = at::stack(x);
  return out;
}

}  // namespace longtake
