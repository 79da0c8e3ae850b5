// How long a training step of the default stack takes, on random frames: forwards, backwards, AdamW.
//
//   train_bench THREADS: a step for every line on standard input; answers with nanoseconds by the clock.
#include <malloc.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "models/fresh_weights.h"
#include "models/net/rows.h"
#include "models/net/stack_net.h"
#include "models/train/trainer.h"

namespace longtake {
namespace {

constexpr int kRows = 8, kFrames = 28, kShards = 4;

class RandomFrames final : public Trainee {
 public:
  explicit RandomFrames(StackNet net) : net_(std::move(net)), states_(kShards) {
    const ModelConfig& config = net_.config();
    x_ = at::randn({kRows, kFrames, config.tokens, config.latent});
    dt_ = at::full({kRows, kFrames}, 0.08);
  }
  definition::Parameters& parameters() override { return net_.parameters(); }
  bool learns(std::string_view) const override { return true; }
  bool decays(std::string_view) const override { return false; }
  int shards() const override { return kShards; }
  at::Tensor loss(std::int64_t, int shard, const definition::Parameters& parameters, Figures&) override {
    constexpr int kEach = kRows / kShards;
    StackNet net = net_;
    net.parameters() = parameters;
    NetState& state = states_[static_cast<std::size_t>(shard)];
    const at::Tensor x = x_.narrow(0, shard * kEach, kEach);
    const NetOutputs out = net.forward(x, dt_.narrow(0, shard * kEach, kEach), state);
    state = detached(out.state);
    return fast_mean_square(out.predictions, x.expand_as(out.predictions)).mean();
  }
  std::string describe(std::int64_t) const override { return "random frames"; }
  Figures judge(int) override { return {{"score", 0}}; }
  void save(TensorFile&) const override {}
  Result<void> load(const TensorFile&) override { return {}; }

 private:
  StackNet net_;
  std::vector<NetState> states_;
  at::Tensor x_, dt_;
};

int run(int threads) {
  const ModelConfig config;
  const std::vector<float> mean(static_cast<std::size_t>(config.token_channels), 0.0F);
  const std::vector<float> scale(static_cast<std::size_t>(config.token_channels), 1.0F);
  auto net = StackNet::load(config, fresh_stack(config, 1, mean, scale));
  if (!net) {
    std::cerr << net.error().message << '\n';
    return 1;
  }
  prepare_for_training();
  RandomFrames frames(std::move(*net));
  TrainerOptions options;
  options.steps = 1 << 30;
  options.judge_every = options.steps;
  options.threads = threads;
  std::string line;
  std::stop_source stop;
  if (!std::getline(std::cin, line)) return 0;
  auto start = std::chrono::steady_clock::now();
  (void)train(frames, options, [&](const TrainerStep& step) {
    if (step.step == 0) return;
    std::cout << std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count() << std::endl;
    if (!std::getline(std::cin, line)) stop.request_stop();
    start = std::chrono::steady_clock::now();
  }, stop.get_token());
  return 0;
}

}  // namespace
}  // namespace longtake

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: train_bench THREADS\n";
    return 2;
  }
  return longtake::run(std::atoi(argv[1]));
}
