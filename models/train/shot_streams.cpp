#include "models/train/shot_streams.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/media/source.h"
#include "models/frame_encoder.h"
#include "models/on_threads.h"
#include "models/train/made_pictures.h"
#include "models/train/random.h"

namespace longtake {
namespace {

constexpr int kSide = Encoder::kInputSide;
constexpr int kSourceSide = 288;  // of a video's frames, so that a camera can come closer

// Times in seconds since the film began.
struct Moments {
  double from = 0, to = 0;
  bool hold(double t) const { return t >= from && t < to; }
};

double log_uniform(Random& random, double from, double to) { return from * std::pow(to / from, random.uniform()); }

// The frames of one video from some moment on, by time.
class Footage {
 public:
  static Result<Footage> open(const std::string& video, double share, double seconds, std::stop_token stop) {
    Footage out;
    SourceSpec spec;
    spec.uri = video;
    spec.decoder_threads = 1;
    auto source = open_source(spec, stop);
    if (!source) return std::move(source).error();
    const double latest = (*source)->info().duration_s.value_or(0) - seconds;
    if (const double from = share * latest; from > 0.5) {
      spec.from = TimePoint{Rational{static_cast<std::int64_t>(from * 1000), 1000}};
      if (auto later = open_source(spec, stop)) source = std::move(later);
    }
    out.source_ = std::move(*source);
    out.stop_ = std::move(stop);
    if (auto first = out.at(0); !first) return std::move(first).error();
    return out;
  }

  // The last frame that is shown at `t` ≥ all earlier ones, in seconds since the first one. After its end the video stays.
  Result<const RgbImage*> at(double t) {
    while (!over_ && (!next_ || next_t_ <= t + 1e-6)) {
      if (next_) {
        if (auto done = converter_->to_rgb(*next_, kSourceSide, kSourceSide, image_); !done) return std::move(done).error();
      }
      auto item = source_->next(stop_);
      if (!item) return std::move(item).error();
      if (auto* frame = std::get_if<Frame>(&*item)) {
        const Rational base = source_->info().time_base;
        if (!first_pts_) first_pts_ = frame->pts;
        next_t_ = static_cast<double>(frame->pts - *first_pts_) * static_cast<double>(base.num) / static_cast<double>(base.den);
        next_ = frame->picture;
      } else if (std::holds_alternative<EndOfStream>(*item)) {
        over_ = true;
      }
    }
    return &image_;
  }
  bool over() const { return over_; }

 private:
  std::unique_ptr<FrameSource> source_;
  std::stop_token stop_;
  std::unique_ptr<PictureConverter> converter_ = std::make_unique<PictureConverter>();
  std::optional<std::int64_t> first_pts_;
  std::shared_ptr<const Picture> next_;  // decoded, not yet shown
  double next_t_ = 0;
  bool over_ = false;
  RgbImage image_;
};

// How somebody holds a camera.
struct Camera {
  View view;
  double drift_x = 0, drift_y = 0, zoom = 0, turn = 0;  // a second
  double shake = 0;
  std::array<double, 6> phases{};

  static Camera of(Random& random) {
    Camera out;
    out.view.mirrored = random.chance(0.5);
    out.view.size = random.chance(0.3) ? 1 : random.uniform(0.5, 1);
    const double room = (1 - out.view.size) / 2;
    out.view.x = 0.5 + random.uniform(-room, room);
    out.view.y = 0.5 + random.uniform(-room, room);
    if (random.chance(0.35)) {  // pans, in some cases quickly, and zooms
      const double speed = log_uniform(random, 0.02, 0.6), to = random.uniform(0, 2 * std::numbers::pi);
      out.drift_x = speed * std::cos(to);
      out.drift_y = speed * std::sin(to);
      if (random.chance(0.4)) out.zoom = random.uniform(-0.25, 0.25);
    }
    if (random.chance(0.35)) out.shake = log_uniform(random, 0.002, 0.05);
    if (out.shake > 0) out.turn = random.uniform(-0.05, 0.05);
    for (double& phase : out.phases) phase = random.uniform(0, 2 * std::numbers::pi);
    return out;
  }
  View at(double t) const {
    View now = view;
    const auto wave = [&](std::size_t i) {
      return std::sin(2 * std::numbers::pi * (1.7 + 0.9 * static_cast<double>(i)) * t + phases[i]);
    };
    // A pan turns back at the edge of the picture.
    const auto inside = [](double x) {
      const double around = std::fmod(std::abs(x), 2.0);
      return around > 1 ? 2 - around : around;
    };
    now.x = inside(view.x + drift_x * t + shake * (wave(0) + 0.6 * wave(3)));
    now.y = inside(view.y + drift_y * t + shake * (wave(1) + 0.6 * wave(4)));
    now.size = std::clamp(view.size * std::exp(zoom * std::min(t, 3.0)), 0.35, 1.15);
    now.turn = shake * wave(2) + turn * std::min(t, 2.0);
    return now;
  }
};

// One shot: footage, a camera, a look.
class Shot {
 public:
  static Result<Shot> open(const std::vector<std::string>& videos, double seconds, Random& random, std::stop_token stop) {
    const std::string& video = videos[static_cast<std::size_t>(random.below(std::ssize(videos)))];
    const double speed = random.chance(0.25) ? log_uniform(random, 0.4, 3) : 1;
    auto footage = Footage::open(video, random.uniform(), seconds * speed, stop);
    if (!footage) return std::move(footage).error();
    Shot out(std::move(*footage));
    out.speed_ = random.chance(0.08) ? 0 : speed;  // a still picture
    out.camera_ = Camera::of(random);
    const auto tint = [&] { return random.uniform(0.85, 1.15); };
    out.grade_ = Grade::of(random.uniform(0.6, 1.25), std::exp(0.3 * random.normal()), random.uniform(-10, 15),
                           {tint(), tint(), tint()}, random.chance(0.08));
    return out;
  }

  Result<void> draw(double t, RgbImage& out) {
    auto image = footage_.at(t * speed_);
    if (!image) return std::move(image).error();
    look(**image, camera_.at(t), kSide, out);
    apply(grade_, out);
    return {};
  }

 private:
  explicit Shot(Footage footage) : footage_(std::move(footage)) {}

  Footage footage_;
  double speed_ = 1;
  Camera camera_;
  Grade grade_;
};

struct Transition {
  bool cut = true;
  Moments when;  // of a cut both are the same
  BlendStyle style;

  static Transition of(double at, Random& random) {
    Transition out;
    out.when = {at, at};
    const double kind = random.uniform();
    if (kind < 0.45) return out;
    out.cut = false;
    double length = log_uniform(random, 0.12, 1.8);
    if (kind < 0.67) {
      out.style.kind = Blend::kDissolve;
    } else if (kind < 0.84) {
      out.style.kind = Blend::kFade;
      length = log_uniform(random, 0.25, 2.4);
      out.style.hold = random.chance(0.5) ? random.uniform(0, 0.5) : 0;
      const double colour = random.uniform();
      const auto grey = static_cast<std::uint8_t>(colour < 0.7 ? random.below(20) : 235 + random.below(20));
      out.style.colour = {grey, grey, grey};
      if (colour > 0.92) {
        for (auto& channel : out.style.colour) channel = static_cast<std::uint8_t>(random.below(256));
      }
    } else {
      out.style.kind = kind < 0.92 ? Blend::kWipe : kind < 0.95 ? Blend::kPush : kind < 0.98 ? Blend::kIris : Blend::kZoom;
      length = log_uniform(random, 0.2, 1.2);
      out.style.angle = random.uniform(0, 2 * std::numbers::pi);
      out.style.soft = random.chance(0.5) ? random.uniform(0.02, 0.3) : 0;
    }
    out.when.to = at + length;
    return out;
  }
};

// What is no transition.
struct Disturbance {
  enum class Kind { kFlash, kStrobe, kExposure, kCaption, kPasser, kFreeze };
  Kind kind = Kind::kFlash;
  Moments when;
  double strength = 0;
  double rate = 0;  // kStrobe: a second
  Caption caption;
  Passer passer;
  double from_x = 0, to_x = 0;

  static Disturbance of(double at, Random& random) {
    Disturbance out;
    out.when.from = at;
    const double kind = random.uniform();
    double length = 0;
    if (kind < 0.25) {
      out.kind = Kind::kFlash;
      length = random.uniform(0.03, 0.16);
      out.strength = random.uniform(0.3, 0.95);
    } else if (kind < 0.33) {
      out.kind = Kind::kStrobe;
      length = random.uniform(0.4, 2);
      out.strength = random.uniform(0.2, 0.9);
      out.rate = random.uniform(3, 12);
    } else if (kind < 0.52) {
      out.kind = Kind::kExposure;
      length = log_uniform(random, 0.3, 6);
      out.strength = std::exp(random.uniform(-0.7, 0.7));
    } else if (kind < 0.74) {
      out.kind = Kind::kCaption;
      length = log_uniform(random, 0.5, 5);
      out.strength = random.chance(0.6) ? 1 : random.uniform(0.3, 1);
      out.caption.plate = random.chance(0.4);
      out.caption.height = random.uniform(0.05, 0.25);
      out.caption.top = random.chance(0.75) ? random.uniform(0.65, 0.95 - out.caption.height) : random.uniform(0.03, 0.6);
      out.caption.width = random.uniform(0.25, 0.95);
      out.caption.left = random.uniform(0, 1 - out.caption.width);
      out.caption.seed = random.bits();
    } else if (kind < 0.92) {
      out.kind = Kind::kPasser;
      length = log_uniform(random, 0.25, 2.5);
      out.passer.width = random.uniform(0.15, 0.6);
      out.passer.height = random.uniform(0.5, 1.6);
      out.passer.y = random.uniform(0.4, 0.8);
      out.from_x = -0.4;
      out.to_x = 1.4;
      if (random.chance(0.5)) std::swap(out.from_x, out.to_x);
    } else {
      out.kind = Kind::kFreeze;
      length = log_uniform(random, 0.1, 1);
    }
    out.when.to = at + length;
    return out;
  }
};

class Film {
 public:
  Film(const Encoder& encoder, const std::vector<std::string>& videos, const ShotStreamOptions& options, int number,
       std::stop_token stop)
      : encoder_(encoder),
        workspace_(encoder),
        videos_(videos),
        options_(options),
        random_({options.seed, static_cast<std::uint64_t>(number)}),
        stop_(std::move(stop)) {
    output_.wants_probabilities = false;
  }

  // Pieces and transitions.
  Result<ShotStream> make() {
    choose_times();
    double at = 0;
    std::vector<Transition> transitions;
    std::vector<Moments> pieces;  // with the transitions at both ends
    while (at < options_.seconds) {
      const double from = transitions.empty() ? 0 : transitions.back().when.from;
      at += log_uniform(random_, 0.5, 9);
      transitions.push_back(Transition::of(at, random_));
      at = transitions.back().when.to;
      pieces.push_back({from, at});
    }
    std::vector<Disturbance> disturbances;
    for (double t = random_.uniform(0, 4); t < options_.seconds; t += log_uniform(random_, 0.6, 12)) {
      disturbances.push_back(Disturbance::of(t, random_));
    }

    stream_.what = "a made-up film";
    std::optional<Shot> now, next;
    std::size_t piece = 0;
    const auto open = [&](std::optional<Shot>& shot, std::size_t i) -> Result<void> {
      auto opened = Shot::open(videos_, pieces[i].to - pieces[i].from, random_, stop_);
      if (!opened) return std::move(opened).error();
      shot = std::move(*opened);
      return {};
    };
    if (auto done = open(now, 0); !done) return std::move(done).error();
    std::vector<double> shares;  // of the new shot, where frames lie in a transition; NaN: they do not
    RgbImage picture, other, mixed, skin;
    double frozen_until = -1;
    for (const double t : times_) {
      while (piece < transitions.size() && t >= transitions[piece].when.to) {
        if (!next) {
          if (auto done = open(next, piece + 1 < pieces.size() ? piece + 1 : piece); !done) return std::move(done).error();
        }
        now = std::move(next);
        next.reset();
        ++piece;
      }
      if (piece >= transitions.size() || piece >= pieces.size()) break;
      const Transition& coming = transitions[piece];
      const bool between = !coming.cut && coming.when.hold(t);
      const double share = between ? (t - coming.when.from) / (coming.when.to - coming.when.from) : 0;
      // A picture that stands still hides nothing that counts.
      const Disturbance* freeze = find(disturbances, t, Disturbance::Kind::kFreeze);
      if (freeze != nullptr && coming.when.from < freeze->when.to) freeze = nullptr;
      if (freeze == nullptr || t > frozen_until) {
        if (auto done = now->draw(t - pieces[piece].from, picture); !done) return std::move(done).error();
        if (between) {
          if (!next) {
            if (auto done = open(next, piece + 1 < pieces.size() ? piece + 1 : piece); !done) return std::move(done).error();
          }
          if (auto done = next->draw(t - coming.when.from, other); !done) return std::move(done).error();
          blend(picture, other, coming.style, share, mixed);
          std::swap(picture, mixed);
        }
        if (freeze != nullptr) frozen_until = freeze->when.to;
      }
      if (skin.pixels.empty() || random_.chance(0.02)) {
        look(picture, {0.5, 0.5, 0.3, 1, true}, 128, skin);
        brighten(skin, random_.uniform(0.3, 1.2), 0);
      }
      RgbImage seen = picture;
      disturb(disturbances, t, skin, seen);
      add(t, seen, piece, between ? share : std::nan(""));
    }
    label(transitions);
    return std::move(stream_);
  }

  // A video as it is, at one of the rates.
  Result<ShotStream> make_plain(const std::string& video) {
    choose_times();
    stream_.what = fmt::format("\"{}\" as it is", video);
    auto footage = Footage::open(video, random_.uniform(), options_.seconds, stop_);
    if (!footage) return std::move(footage).error();
    RgbImage picture;
    for (const double t : times_) {
      auto image = footage->at(t);
      if (!image) return std::move(image).error();
      if (footage->over()) break;
      look(**image, {}, kSide, picture);
      add(t, picture, 0, std::nan(""));
    }
    label({});
    return std::move(stream_);
  }

 private:
  // When frames are shown: rates from slow cameras to what slots are cut to, steady or with frames missing.
  void choose_times() {
    constexpr std::array kRates{10.0, 12.5, 15.0, 20.0, 24.0, 25.0, 25.0, 29.97, 30.0};
    const double rate = kRates[static_cast<std::size_t>(random_.below(kRates.size()))];
    const double missing = random_.chance(0.2) ? random_.uniform(0.05, 0.4) : 0;
    repeat_ = random_.chance(0.1) ? random_.below(3) + 2 : 0;
    noise_ = random_.chance(0.5) ? random_.uniform(0, 7) : 0;
    patches_ = random_.chance(0.4) ? random_.uniform(0, 3) : 0;
    group_ = random_.uniform(0.4, 4);
    for (std::int64_t i = 0; static_cast<double>(i) / rate < options_.seconds; ++i) {
      if (!random_.chance(missing)) times_.push_back(static_cast<double>(i) / rate);
    }
  }

  static const Disturbance* find(const std::vector<Disturbance>& all, double t, Disturbance::Kind kind) {
    for (const Disturbance& one : all) {
      if (one.kind == kind && one.when.hold(t)) return &one;
    }
    return nullptr;
  }

  void disturb(const std::vector<Disturbance>& all, double t, const RgbImage& skin, RgbImage& image) const {
    using Kind = Disturbance::Kind;
    for (const Disturbance& one : all) {
      if (!one.when.hold(t)) continue;
      const double passed = t - one.when.from, along = passed / (one.when.to - one.when.from);
      switch (one.kind) {
        case Kind::kFlash: brighten(image, 1 + one.strength, one.strength * (1 - 0.5 * along)); break;
        case Kind::kStrobe:
          if (std::fmod(passed * one.rate, 1.0) < 0.4) brighten(image, 1 + one.strength, one.strength * 0.7);
          break;
        case Kind::kExposure: brighten(image, one.strength, 0); break;
        case Kind::kCaption: write_caption(image, one.caption, one.strength); break;
        case Kind::kPasser: {
          Passer passer = one.passer;
          passer.x = one.from_x + (one.to_x - one.from_x) * along;
          draw_passer(image, passer, skin);
          break;
        }
        case Kind::kFreeze: break;
      }
    }
  }

  void add(double t, RgbImage& image, std::size_t piece, double share) {
    const auto n = static_cast<std::uint64_t>(stream_.slots());
    const bool again = repeat_ > 0 && n % static_cast<std::uint64_t>(repeat_) == 1 && !last_.pixels.empty();
    if (!again) {
      // A codec's patches stay from one whole picture to the next.
      add_noise(image, noise_, patches_, random_.bits(), static_cast<std::uint64_t>(t / group_));
      last_ = image;
      encoder_.encode(last_.pixels, workspace_, output_);
      encoded_.tokens = output_.tokens;
      encoded_.embedding = output_.embedding;
      encoded_.thumbnail = thumbnail_of(last_);
      shown_ = {piece, share};
    }
    const ShotSignals::Values values = signals_.step(encoded_, seen_.empty() ? 0 : t - seen_.back().t);
    stream_.signals.insert(stream_.signals.end(), values.begin(), values.end());
    stream_.weights.insert(stream_.weights.end(), {1, 1});
    stream_.targets.insert(stream_.targets.end(), {0, 0});
    seen_.push_back({t, shown_.first, shown_.second});
  }

  // From what was shown to what is true.
  void label(const std::vector<Transition>& transitions) {
    const std::int64_t slots = stream_.slots();
    const auto target = [&](std::int64_t i, std::size_t which) -> float& {
      return stream_.targets[static_cast<std::size_t>(i) * 2 + which];
    };
    const auto doubtful = [&](std::int64_t i) {
      if (i < 0 || i >= slots) return;
      for (std::size_t which = 0; which < 2; ++which) stream_.weights[static_cast<std::size_t>(i) * 2 + which] = 0.3F;
    };
    constexpr double kTolerance = 2;
    for (std::size_t piece = 0; piece < transitions.size(); ++piece) {
      std::int64_t first = slots, last = -1, begin = slots;  // frames in between, and the first of the new shot
      for (std::int64_t i = 0; i < slots; ++i) {
        const Seen& seen = seen_[static_cast<std::size_t>(i)];
        if (seen.piece == piece && !std::isnan(seen.share)) {
          first = std::min(first, i);
          last = i;
        }
        if (seen.piece > piece) begin = std::min(begin, i);
      }
      if (begin == 0 || (begin == slots && last < 0)) continue;
      // One frame in between is a cut to most eyes.
      if (last - first < 1) {
        if (begin == slots) continue;
        const std::int64_t cut = last < 0 || seen_[static_cast<std::size_t>(last)].share < 0.5 ? begin : last;
        target(cut, 0) = target(cut, 1) = 1;
        if (cut > 0) target(cut - 1, 0) = 1;
        doubtful(cut - 2);
        doubtful(cut + 1);
        stream_.truths.push_back({double(cut) - kTolerance, double(cut) + kTolerance});
        continue;
      }
      for (std::int64_t i = first; i <= last; ++i) target(i, 0) = 1;
      for (const std::int64_t edge : {first - 1, first, last, last + 1}) doubtful(edge);
      stream_.truths.push_back({double(first) - kTolerance, double(last) + 1 + kTolerance});
    }
  }

  struct Seen {
    double t = 0;
    std::size_t piece = 0;
    double share = 0;
  };

  const Encoder& encoder_;
  Encoder::Workspace workspace_;
  EncoderOutput output_;
  const std::vector<std::string>& videos_;
  const ShotStreamOptions& options_;
  Random random_;
  std::stop_token stop_;
  std::vector<double> times_;
  std::int64_t repeat_ = 0;  // every so many frames one is shown again; 0: none
  double noise_ = 0, patches_ = 0, group_ = 1;
  RgbImage last_;
  Encoded encoded_;
  std::pair<std::size_t, double> shown_;
  ShotSignals signals_;
  std::vector<Seen> seen_;
  ShotStream stream_;
};

}  // namespace

Result<std::vector<ShotStream>> make_shot_streams(const Encoder& encoder, const std::vector<std::string>& videos,
                                                  const ShotStreamOptions& options, std::stop_token stop,
                                                  const std::function<void(int done, int of)>& on_film) {
  const int count = options.films + static_cast<int>(videos.size());
  std::vector<ShotStream> streams(static_cast<std::size_t>(count));
  std::optional<Error> failure;
  std::mutex mutex;
  int done = 0;
  on_threads(count, options.threads, [&](const auto& next) {
    for (std::int64_t i = next(); i >= 0; i = next()) {
      Film film(encoder, videos, options, static_cast<int>(i), stop);
      auto stream = i < options.films ? film.make() : film.make_plain(videos[static_cast<std::size_t>(i - options.films)]);
      const std::lock_guard lock(mutex);
      if (!stream) {
        if (!failure) failure = std::move(stream).error();
        return;
      }
      streams[static_cast<std::size_t>(i)] = std::move(*stream);
      if (on_film) on_film(++done, count);
    }
  });
  if (failure) return *failure;
  return streams;
}

TensorFile stored_streams(const std::vector<ShotStream>& streams) {
  TensorFile file;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const ShotStream& stream = streams[i];
    const std::string name = fmt::format("{:05}.", i);
    const auto put = [&](const char* part, const std::vector<float>& values) {
      file.tensors[name + part] = Tensor::of(values, {std::ssize(values)});
    };
    put("signals", stream.signals);
    put("targets", stream.targets);
    put("weights", stream.weights);
    std::vector<double> truths;
    for (const TimeSpan& truth : stream.truths) truths.insert(truths.end(), {truth.from, truth.to});
    file.tensors[name + "truths"] = Tensor::of(truths, {std::ssize(truths)});
    file.metadata[name + "what"] = stream.what;
  }
  return file;
}

Result<std::vector<ShotStream>> load_streams(const TensorFile& file) {
  std::vector<ShotStream> streams;
  for (std::size_t i = 0; i < file.metadata.size(); ++i) {
    const std::string name = fmt::format("{:05}.", i);
    const auto what = file.metadata.find(name + "what");
    auto signals = file.floats(name + "signals", {-1}), targets = file.floats(name + "targets", {-1}),
         weights = file.floats(name + "weights", {-1});
    auto truths = file.doubles(name + "truths", {-1});
    const auto damaged = [] { return Error{ErrorKind::kModel, "made-up films on disk are damaged"}; };
    if (what == file.metadata.end() || !signals || !targets || !weights || !truths) return damaged();
    if (signals->size() != weights->size() / 2 * ShotSignals::kCount || targets->size() != weights->size() ||
        weights->empty() || truths->size() % 2 != 0) {
      return damaged();
    }
    ShotStream stream{what->second, std::move(*signals), std::move(*targets), std::move(*weights), {}};
    for (std::size_t t = 0; t < truths->size(); t += 2) stream.truths.push_back({(*truths)[t], (*truths)[t + 1]});
    streams.push_back(std::move(stream));
  }
  return streams;
}

}  // namespace longtake
