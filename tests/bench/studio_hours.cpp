// What the window occupies while a camera is watched for hours, which pass as fast as the window can take them.
//
//   studio_hours [HOURS]        (default 8; at 25 frames a second, with an event every 20 s and a segment every minute)
//
// Prints a line an hour, and how much more is resident at the end than after the first one.
#include <QApplication>
#include <QImage>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/log.h"
#include "app/machine.h"
#include "app/studio/main_window.h"
#include "app/studio/session_controller.h"

namespace longtake {
namespace {

constexpr std::int64_t kRate = 25;

std::vector<Record> second_of(std::int64_t second) {
  std::vector<Record> out;
  for (std::int64_t i = second * kRate; i < (second + 1) * kRate; ++i) {
    FrameRecord frame;
    frame.frame = frame.pts = i;
    frame.t = static_cast<double>(i) / kRate;
    const auto noise = static_cast<float>(i * 7919 % 1000) / 1000;
    const float loss = std::exp(-static_cast<float>(i % 1500) / 200) + 0.1F + 0.05F * noise;
    frame.surprise = i % 500 == 0 ? 12 : 2 * noise;
    frame.novelty = 0.1F + 0.1F * noise;
    frame.layers = {{loss, loss / 2, 0.1F}, {1.3F * loss, loss / 3, 0.1F}};
    frame.scene = {{"street", 0.3F}};
    out.emplace_back(std::move(frame));
  }
  const std::int64_t first = second * kRate;
  if (second % 20 == 0)
    out.emplace_back(EventRecord{"cut", first, first, static_cast<double>(second), 9, 1, {first, first}});
  if (second % 60 == 59) {
    const double end = static_cast<double>(second + 1);
    out.emplace_back(SegmentRecord{.first = first - 59 * kRate,
                                   .last = first + kRate - 1,
                                   .pts = {first - 59 * kRate, first + kRate - 1},
                                   .t = {end - 60, end - 0.04}});
  }
  return out;
}

int watch(std::int64_t hours) {
  const StopSignals signals;
  auto log = make_log(-1, {});
  SessionController session(Settings{}, *log, signals);
  MainWindow window(session);
  window.resize(1600, 1000);
  window.show();
  std::int64_t after_first = 0, now = 0;
  fmt::print("hour  resident MB\n");
  for (std::int64_t second = 0; second < hours * 3600; ++second) {
    session.findings().take(second_of(second), {1, kRate});
    session.axis().set_whole(0, static_cast<double>(second + 1));
    if (second % 60 == 0) {
      QApplication::processEvents();
      window.grab();
    }
    if ((second + 1) % 3600 == 0) {
      now = resident_bytes();
      if (after_first == 0) after_first = now;
      fmt::print("{:>4}  {:.1f}\n", (second + 1) / 3600, static_cast<double>(now) / 1e6);
      std::fflush(stdout);
    }
  }
  fmt::print("{:+.1f} % since the first hour\n",
             100 * (static_cast<double>(now) / static_cast<double>(after_first) - 1));
  return 0;
}

}  // namespace
}  // namespace longtake

int main(int argc, char** argv) {
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  const QApplication gui(argc, argv);
  const long hours = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 8;
  if (hours < 1 || hours > 1000) {
    fmt::print(stderr, "studio_hours: error: HOURS is a number from 1 to 1000\n");
    return 2;
  }
  return longtake::watch(hours);
}
