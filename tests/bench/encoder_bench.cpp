// How long the encoder takes.
//
//   encoder_bench serve: encodes once for every line on standard input; answers with nanoseconds, by the
//   clock and of CPU time.
//
//   encoder_bench threads: one worker against two at once, in turns.
//
//   encoder_bench raw: pictures [224][224][3] on standard input; for each of them tokens, embedding and
//   probabilities as raw floats on standard output.
//
// Options: --weights FILE, --probabilities, --plain (the plain LibTorch form), --turns N
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <span>
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

double thread_cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

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
    const double cpu_ms = thread_cpu_ms();
    const auto start = Clock::now();
    worker.encode();
    const std::chrono::duration<double, std::nano> clock = Clock::now() - start;
    std::printf("%.0f %.0f\n", clock.count(), (thread_cpu_ms() - cpu_ms) * 1e6);
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

struct Throughput {
  double pictures_per_second = 0;
  double cpu_ms_per_picture = 0;
};

Throughput measure(std::span<Worker> workers) {
  constexpr int kEach = 50;
  std::vector<double> cpu_ms(workers.size());
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      threads.emplace_back([&worker = workers[i], &spent = cpu_ms[i]] {
        const double before = thread_cpu_ms();
        for (int n = 0; n < kEach; ++n) worker.encode();
        spent = thread_cpu_ms() - before;
      });
    }
  }
  const double pictures = static_cast<double>(kEach * workers.size());
  return {pictures / std::chrono::duration<double>(Clock::now() - start).count(),
          std::accumulate(cpu_ms.begin(), cpu_ms.end(), 0.0) / pictures};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// On a machine that does other work too, the wall clock says little about two workers; what each picture
// costs in CPU time still shows whether they stand in each other's way.
int threads(const Encoder& encoder, const Options& options) {
  std::vector<Worker> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back(encoder, options.probabilities);
  measure(workers);
  std::vector<double> rate[2], cpu[2], speed_up, cpu_speed_up;
  for (int turn = 0; turn < options.turns; ++turn) {
    for (std::size_t n = 0; n < 2; ++n) {
      const Throughput got = measure(std::span(workers).first(n + 1));
      rate[n].push_back(got.pictures_per_second);
      cpu[n].push_back(got.cpu_ms_per_picture);
    }
    speed_up.push_back(rate[1].back() / rate[0].back());
    cpu_speed_up.push_back(2 * cpu[0].back() / cpu[1].back());
  }
  for (std::size_t n = 0; n < 2; ++n) {
    std::printf(
        "%zu worker(s): median %.1f pictures a second, best %.1f; median %.2f ms CPU a picture, best %.2f\n",
        n + 1, median(rate[n]), *std::max_element(rate[n].begin(), rate[n].end()), median(cpu[n]),
        *std::min_element(cpu[n].begin(), cpu[n].end()));
  }
  std::printf("two against one, %d turns: median %.2f by the clock, best %.2f; median %.2f by CPU time\n",
              options.turns, median(speed_up), *std::max_element(speed_up.begin(), speed_up.end()),
              median(cpu_speed_up));
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
