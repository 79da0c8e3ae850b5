#include "models/eval/context_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include "models/eval/evaluated.h"
#include "models/fresh_weights.h"
#include "models/inner/inner_config.h"
#include "models/recall/recall_memory.h"
#include "models/recall/recall_net.h"
#include "models/stack.h"
#include "models/train/random.h"
#include "models/train/trainer.h"

namespace longtake {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWindow = 64;
constexpr float kSecondsBetween = 0.08F;

std::int64_t bytes_of(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.numel() * static_cast<std::int64_t>(tensor.element_size()) : 0;
}

// Something in the middle of a stream.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual std::unique_ptr<Watcher> copy() const = 0;
  virtual std::int64_t state_bytes() const = 0;
  virtual void frame() = 0;                      // one more
  virtual void window(std::int64_t frames) = 0;  // so many more, in one go where there is a way
  // Whether the state has grown; if so, it can be made longer without running.
  virtual bool grows() const { return false; }
  virtual void fill(std::int64_t) {}
};

// Frames to show again and again: scenes of some frames each.
class Scenes {
 public:
  // [frames][tokens][numbers], of mean 0 and variance 1.
  Scenes(std::int64_t tokens, std::int64_t numbers) {
    constexpr std::int64_t kScenes = 16;
    constexpr std::int64_t kEach = 16;
    auto generator = at::make_generator<at::CPUGeneratorImpl>(7);
    const at::Tensor scenes = at::randn({kScenes, 1, tokens, numbers}, generator, at::kFloat);
    const at::Tensor noise = at::randn({kScenes, kEach, tokens, numbers}, generator, at::kFloat);
    frames_ = (std::sqrt(0.9) * scenes + std::sqrt(0.1) * noise).flatten(0, 1);
  }
  // `count` of them from any place on, no more than a window.
  at::Tensor from(std::int64_t place, std::int64_t count) const {
    return frames_.narrow(0, place % (frames_.size(0) - kWindow), count);
  }

 private:
  at::Tensor frames_;
};

class NetWatcher final : public Watcher {
 public:
  NetWatcher(const StackNet& net, const Scenes& scenes) : net_(&net), scenes_(&scenes) {}

  std::unique_ptr<Watcher> copy() const override { return std::make_unique<NetWatcher>(*this); }
  std::int64_t state_bytes() const override {
    std::int64_t out = bytes_of(state_.means);
    for (const MixerState& layer : state_.layers) {
      for (const at::Tensor& tensor : layer.tensors) out += bytes_of(tensor);
    }
    return out;
  }
  void frame() override { window(1); }
  void window(std::int64_t frames) override {
    const at::Tensor dt = at::full({1, frames}, kSecondsBetween);
    state_ = net_->forward(scenes_->from(seen_, frames).unsqueeze(0), dt, state_).state;
    seen_ += frames;
  }
  bool grows() const override {
    NetWatcher longer(*this);
    longer.window(kWindow);
    return longer.state_bytes() > state_bytes();
  }
  // Whichever extent of a tensor a window makes longer holds frames: its rows are repeated.
  void fill(std::int64_t frames) override {
    NetWatcher longer(*this);
    longer.window(kWindow);
    for (std::size_t i = 0; i < state_.layers.size(); ++i) {
      for (std::size_t j = 0; j < state_.layers[i].tensors.size(); ++j) {
        at::Tensor& tensor = state_.layers[i].tensors[j];
        const at::Tensor& after = longer.state_.layers[i].tensors[j];
        for (std::int64_t d = 0; d < tensor.dim(); ++d) {
          const std::int64_t rows_per_frame = (after.size(d) - tensor.size(d)) / kWindow;
          if (rows_per_frame <= 0) continue;
          const std::int64_t wanted = tensor.size(d) + rows_per_frame * (frames - seen_);
          tensor = tensor.index_select(d, at::arange(wanted).remainder(tensor.size(d)));
          break;
        }
      }
    }
    state_.counts.front() += frames - seen_;
    seen_ = frames;
  }

 private:
  const StackNet* net_;
  const Scenes* scenes_;
  NetState state_;
  std::int64_t seen_ = 0;
};

// As the program watches: frame by frame.
class StackWatcher final : public Watcher {
 public:
  StackWatcher(const StackWeights& weights, const at::Tensor& tokens)
      : weights_(&weights), tokens_(tokens), stack_(weights) {}

  std::unique_ptr<Watcher> copy() const override {
    auto out = std::make_unique<StackWatcher>(*weights_, tokens_);
    out->stack_.state() = stack_.state();
    out->seen_ = seen_;
    return out;
  }
  std::int64_t state_bytes() const override {
    TensorFile file;
    save_state(*weights_, stack_.state(), file);
    std::int64_t out = 0;
    for (const auto& [name, tensor] : file.tensors) out += std::ssize(tensor.bytes);
    return out;
  }
  void frame() override {
    const std::int64_t size = tokens_.size(1) * tokens_.size(2);
    const float* frame = tokens_.data_ptr<float>() + seen_++ % tokens_.size(0) * size;
    stack_.step({frame, static_cast<std::size_t>(size)}, kSecondsBetween);
  }
  void window(std::int64_t frames) override {
    for (std::int64_t i = 0; i < frames; ++i) frame();
  }

 private:
  const StackWeights* weights_;
  at::Tensor tokens_;  // [frames][tokens][channels]
  Stack stack_;
  std::int64_t seen_ = 0;
};

class RecallStreamWatcher final : public Watcher {
 public:
  RecallStreamWatcher(const RecallWeights& weights, const Scenes& scenes)
      : weights_(&weights), scenes_(&scenes), memory_(weights) {}

  std::unique_ptr<Watcher> copy() const override {
    auto out = std::make_unique<RecallStreamWatcher>(*weights_, *scenes_);
    out->memory_.state() = memory_.state();
    out->seen_ = seen_;
    return out;
  }
  std::int64_t state_bytes() const override {
    std::int64_t out = 0;
    for (const auto& half : memory_.state().halves) out += std::ssize(half) * static_cast<std::int64_t>(sizeof(float));
    return out;
  }
  void frame() override {
    const at::Tensor x = scenes_->from(seen_++, 1);
    memory_.step({x.data_ptr<float>(), static_cast<std::size_t>(x.numel())});
  }
  void window(std::int64_t frames) override {
    for (std::int64_t i = 0; i < frames; ++i) frame();
  }

 private:
  const RecallWeights* weights_;
  const Scenes* scenes_;
  RecallMemory memory_;
  std::int64_t seen_ = 0;
};

class RecallWatcher final : public Watcher {
 public:
  RecallWatcher(const RecallNet& net, const Scenes& scenes) : net_(&net), scenes_(&scenes), state_(net.start(1)) {}

  std::unique_ptr<Watcher> copy() const override { return std::make_unique<RecallWatcher>(*this); }
  std::int64_t state_bytes() const override { return bytes_of(state_); }
  void frame() override { window(1); }
  void window(std::int64_t frames) override {
    state_ = net_->forward(scenes_->from(seen_, frames).unsqueeze(0), state_, at::ones({1, frames})).state;
    seen_ += frames;
  }

 private:
  const RecallNet* net_;
  const Scenes* scenes_;
  at::Tensor state_;
  std::int64_t seen_ = 0;
};

std::vector<std::int64_t> marks(std::int64_t last) {
  std::vector<std::int64_t> out;
  for (std::int64_t ten = 100; ten <= last; ten *= 10) {
    for (const std::int64_t mark : {ten, 3 * ten}) {
      if (mark < last) out.push_back(mark);
    }
  }
  out.push_back(last);
  return out;
}

enum class Modes { kSingle, kForward, kBoth };

struct Snapshots {
  std::vector<std::int64_t> frames;
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::string cut_short;
};

class Bench {
 public:
  Bench(const ContextBenchRequest& request, std::stop_token stop) : request_(request), stop_(std::move(stop)) {}

  Result<void> run(const std::string& name, std::unique_ptr<Watcher> watcher, Modes modes = Modes::kBoth) {
    Snapshots snapshots;
    const bool grows = watcher->grows();
    std::int64_t seen = 0;
    for (const std::int64_t mark : marks(request_.frames)) {
      while (seen < mark) {
        if (stop_.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
        if (grows && seen >= kWindow) {
          const auto bytes =
              static_cast<double>(watcher->state_bytes()) * static_cast<double>(mark) / static_cast<double>(seen);
          if (bytes > static_cast<double>(request_.limit_bytes)) {
            snapshots.cut_short =
                fmt::format("{} frames would take {:.1f} GB, more than --limit-bytes", mark, bytes / 1e9);
            break;
          }
          watcher->fill(mark);
          seen = mark;
        } else {
          const std::int64_t step = std::min(kWindow, mark - seen);
          watcher->window(step);
          seen += step;
        }
      }
      if (!snapshots.cut_short.empty()) break;
      snapshots.frames.push_back(mark);
      snapshots.watchers.push_back(watcher->copy());
    }
    watcher.reset();
    if (snapshots.frames.size() < 2) {
      return Error{ErrorKind::kUsage, fmt::format("{}: {}", name, snapshots.cut_short)};
    }
    for (const bool single : {true, false}) {
      if (modes == (single ? Modes::kForward : Modes::kSingle)) continue;
      auto curve = measure(name, single, snapshots);
      if (!curve) return std::move(curve).error();
      if (request_.on_curve) request_.on_curve(*curve);
      curves.push_back(std::move(*curve));
    }
    return {};
  }

  std::vector<ContextCurve> curves;

 private:
  // Seconds a frame.
  static double time(const Watcher& from, bool single) {
    constexpr std::int64_t kFrames = 16;  // single ones, at most
    constexpr double kEnoughSeconds = 0.05;
    const auto watcher = from.copy();
    std::int64_t frames = 0;
    const Clock::time_point start = Clock::now();
    const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    while (frames < (single ? kFrames : kWindow) && passed() < kEnoughSeconds) {
      if (single) {
        watcher->frame();
        ++frames;
      } else {
        watcher->window(kWindow);
        frames += kWindow;
      }
    }
    return passed() / static_cast<double>(frames);
  }

  Result<ContextCurve> measure(const std::string& name, bool single, const Snapshots& snapshots) const {
    constexpr int kMostRounds = 25, kLeastRounds = 3;
    constexpr double kEnoughSeconds = 20;  // for one curve
    constexpr double kLongestStep = 60;    // seconds: nobody waits longer for a point
    ContextCurve out;
    out.name = name;
    out.mode = single ? "single" : "forward";
    out.cut_short = snapshots.cut_short;
    // Once to warm up, from the smallest on; what takes too long is not measured.
    std::size_t points = 0;
    for (; points < snapshots.frames.size(); ++points) {
      if (stop_.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
      const double step = time(*snapshots.watchers[points], single) * static_cast<double>(single ? 1 : kWindow);
      if (step > kLongestStep && points >= 2) {
        out.cut_short = fmt::format("after {} frames a step takes {:.0f} s", snapshots.frames[points], step);
        break;
      }
    }
    const Clock::time_point start = Clock::now();
    std::vector<std::vector<double>> rounds;
    for (int round = 0; round < kMostRounds; ++round) {
      const double passed = std::chrono::duration<double>(Clock::now() - start).count();
      if (round >= kLeastRounds && passed > kEnoughSeconds) break;
      Random random{11, static_cast<std::uint64_t>(round)};
      std::vector<std::size_t> order(points);
      std::iota(order.begin(), order.end(), 0);
      for (std::size_t i = points; i > 1; --i) {
        std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
      }
      auto& ns = rounds.emplace_back(points);
      for (const std::size_t point : order) {
        if (stop_.stop_requested()) return Error{ErrorKind::kStopped, "stopped"};
        ns[point] = 1e9 * time(*snapshots.watchers[point], single);
      }
    }
    std::vector<double> x;
    std::vector<double> bytes;
    for (std::size_t i = 0; i < points; ++i) {
      std::vector<double> ns;
      for (const auto& round : rounds) ns.push_back(round[i]);
      const std::int64_t state = snapshots.watchers[i]->state_bytes();
      out.points.push_back({snapshots.frames[i], median(std::move(ns)), state});
      x.push_back(static_cast<double>(snapshots.frames[i]));
      bytes.push_back(static_cast<double>(state));
    }
    out.ns = theil_sen(x, rounds);
    out.bytes_slope = theil_sen(x, {bytes}).slope;
    return out;
  }

  const ContextBenchRequest& request_;
  std::stop_token stop_;
};

Result<void> run_stack(Bench& bench, const std::string& name, const StackNet& net, const TensorFile& file) {
  const ModelConfig& config = net.config();
  const Scenes scenes(config.tokens, config.latent);
  if (!has_ttt_layers(config)) return bench.run(name, std::make_unique<NetWatcher>(net, scenes));
  auto weights = load_stack(config, file);
  if (!weights) return std::move(weights).error();
  // Tokens as this model's own z-score makes latents of.
  const Scenes channels(config.tokens, config.token_channels);
  const at::Tensor tokens =
      (channels.from(0, kWindow) * net.fixed().at("tokens.scale") + net.fixed().at("tokens.mean")).contiguous();
  auto done = bench.run(name, std::make_unique<StackWatcher>(*weights, tokens), Modes::kSingle);
  return done ? bench.run(name, std::make_unique<NetWatcher>(net, scenes), Modes::kForward) : done;
}

Result<void> run_recall(Bench& bench, const ModelConfig& config, const TensorFile& file) {
  auto net = RecallNet::load(*config.recall, config.latent, file);
  if (!net) return std::move(net).error();
  const Scenes scenes(config.tokens, config.latent);
  const std::string name = "recall:" + config.recall->rule;
  if (recall_rule_is_rival(config.recall->rule)) return bench.run(name, std::make_unique<RecallWatcher>(*net, scenes));
  auto weights = load_recall(*config.recall, config.latent, file);
  if (!weights) return std::move(weights).error();
  auto done = bench.run(name, std::make_unique<RecallStreamWatcher>(*weights, scenes), Modes::kSingle);
  return done ? bench.run(name, std::make_unique<RecallWatcher>(*net, scenes), Modes::kForward) : done;
}

}  // namespace

Result<std::vector<ContextCurve>> bench_context(const ContextBenchRequest& request, std::stop_token stop) {
  if (request.frames <= 100) return Error{ErrorKind::kUsage, "a curve takes more than 100 frames"};
  const at::NoGradGuard no_grad;
  prepare_for_training();
  auto models = load_models(request.models);
  if (!models) return std::move(models).error();
  Bench bench(request, std::move(stop));
  const auto names = distinct_names(*models, learner_name);
  for (std::size_t i = 0; i < models->size(); ++i) {
    const ModelFolder& folder = (*models)[i].folder;
    auto file = read_tensors(folder.stack());
    if (!file) return std::move(file).error();
    if (auto done = run_stack(bench, names[i], (*models)[i].net, *file); !done) return std::move(done).error();
    if (!folder.config.recall) continue;
    auto recall_file = read_tensors(folder.path / folder.config.recall->file);
    if (!recall_file) return std::move(recall_file).error();
    if (auto done = run_recall(bench, folder.config, *recall_file); !done) return std::move(done).error();
  }
  for (const std::string& inner : inner_names()) {
    const bool given = std::any_of(models->begin(), models->end(),
                                   [&](const EvaluatedModel& model) { return model.folder.config.inner == inner; });
    ModelConfig config = models->front().folder.config;
    config.inner = inner;
    // Those by LibTorch's gradients are there to be exact, and too slow for this.
    if (given || inner::takes_general_loop(config)) continue;
    const std::vector<float> mean(static_cast<std::size_t>(config.token_channels)), scale(mean.size(), 1.0F);
    const TensorFile file = fresh_stack(config, 1, mean, scale);
    auto net = StackNet::load(config, file);
    if (!net) return std::move(net).error();
    if (auto done = run_stack(bench, learner_name(config), *net, file); !done) return std::move(done).error();
  }
  return std::move(bench.curves);
}

}  // namespace longtake
