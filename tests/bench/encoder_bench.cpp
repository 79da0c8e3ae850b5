// How long the encoder takes.
//
//   encoder_bench serve   [options]   encodes once for every line on standard input, answers with the
//   nanoseconds encoder_bench threads [options]   one worker against two at once, in turns: pictures a second
//   and their ratio
//
//   encoder_bench raw     [options]   pictures [224][224][3] on standard input; for each the tokens, the
//   embedding and
//                                     the probabilities as raw floats on standard output
//
// Options: --weights FILE, --probabilities, --plain (the plain LibTorch form), --turns N
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "models/encoder/encoder.h"
#include "tests/models/encoder/test_picture.h"

namespace longtake {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string verb;
  std::string weights = LONGTAKE_SOURCE_DIR "/assets/models/default/encoder.safetensors";
  bool probabilities = false;
  Encoder::Form form = Encoder::Form::kFastest;
  int turns = 20;
};

class Worker {
 public:
  Worker(const Encoder& encoder, bool probabilities) : encoder_(encoder), workspace_(encoder) {
    out_.wants_probabilities = probabilities;
  }
  void encode() { encoder_.encode(picture_, workspace_, out_); }

 private:
  const Encoder& encoder_;
  Encoder::Workspace workspace_;
  EncoderOutput out_;
  std::vector<std::uint8_t> picture_ = test_picture();
};

int serve(const Encoder& encoder, const Options& options) {
  Worker worker(encoder, options.probabilities);
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = Clock::now();
    worker.encode();
    std::printf("%lld\n", static_cast<long long>(std::chrono::nanoseconds(Clock::now() - start).count()));
    std::fflush(stdout);
  }
  return 0;
}

int raw(const Encoder& encoder) {
  Encoder::Workspace workspace(encoder);
  EncoderOutput out;
  std::vector<std::uint8_t> picture(std::size_t{Encoder::kInputSide} * Encoder::kInputSide * 3);
  while (std::fread(picture.data(), 1, picture.size(), stdin) == picture.size()) {
    encoder.encode(picture, workspace, out);
    for (const auto* values : {&out.tokens, &out.embedding, &out.probabilities}) {
      std::fwrite(values->data(), sizeof(float), values->size(), stdout);
    }
  }
  return 0;
}

double pictures_per_second(std::vector<Worker>& workers, std::size_t used) {
  constexpr int kEach = 50;
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < used; ++i) {
      threads.emplace_back([&worker = workers[i]] {
        for (int n = 0; n < kEach; ++n) worker.encode();
      });
    }
  }
  return static_cast<double>(kEach * used) / std::chrono::duration<double>(Clock::now() - start).count();
}

int threads(const Encoder& encoder, const Options& options) {
  std::vector<Worker> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back(encoder, options.probabilities);
  pictures_per_second(workers, 2);
  std::vector<double> one, two, ratio;
  for (int turn = 0; turn < options.turns; ++turn) {
    one.push_back(pictures_per_second(workers, 1));
    two.push_back(pictures_per_second(workers, 2));
    ratio.push_back(two.back() / one.back());
  }
  for (auto* values : {&one, &two, &ratio}) std::sort(values->begin(), values->end());
  const std::size_t middle = ratio.size() / 2;
  std::printf(
      "pictures a second, median (best) of %d turns: one worker %.1f (%.1f), two %.1f (%.1f), ratio %.2f "
      "(%.2f)\n",
      options.turns, one[middle], one.back(), two[middle], two.back(), ratio[middle],
      two.back() / one.back());
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--probabilities") {
      options.probabilities = true;
    } else if (argument == "--plain") {
      options.form = Encoder::Form::kPlain;
    } else if (argument == "--weights" && i + 1 < argc) {
      options.weights = argv[++i];
    } else if (argument == "--turns" && i + 1 < argc) {
      options.turns = std::max(1, std::stoi(argv[++i]));
    } else {
      options.verb = argument;
    }
  }
  const auto encoder = Encoder::load(options.weights, options.form);
  if (!encoder) {
    std::fprintf(stderr, "encoder_bench: %s\n", encoder.error().message.c_str());
    return 5;
  }
  if (options.verb == "serve") return serve(*encoder, options);
  if (options.verb == "raw") return raw(*encoder);
  if (options.verb == "threads") return threads(*encoder, options);
  std::fprintf(stderr, "encoder_bench: say serve, raw or threads\n");
  return 2;
}

}  // namespace
}  // namespace longtake

int main(int argc, char** argv) { return longtake::run(argc, argv); }
