// How a video plays in the window's video view: frames shown a second, how late they are, and how many came too late.
//
//   player_bench VIDEO [WIDTHxHEIGHT [SECONDS]]
//
// The view paints every frame, without a screen. A video of 1080p60:
//   ffmpeg -f lavfi -i testsrc2=s=1920x1080:r=60:d=12 -pix_fmt yuv420p 1080p60.mp4
#include <QApplication>
#include <QTimer>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "app/log.h"
#include "app/studio/session_controller.h"
#include "app/studio/video_view.h"

namespace longtake {
namespace {

using Clock = std::chrono::steady_clock;

int play(const char* video, int width, int height, double seconds) {
  const StopSignals signals;
  SessionController session(Settings{}, *make_log(-1, {}), signals);
  VideoView view(session);
  view.resize(width, height);
  view.show();
  std::optional<Clock::time_point> start;
  double first_t = 0;
  std::vector<double> late_ms;
  std::int64_t last = -1;
  const auto painted = [&] {
    if (!session.playing() || session.shown_pts() == last) return;
    last = session.shown_pts();
    view.repaint();
    const auto now = Clock::now();
    if (!start) {
      start = now;
      first_t = session.axis().playhead();
    }
    late_ms.push_back(1e3 *
                      (std::chrono::duration<double>(now - *start).count() - (session.axis().playhead() - first_t)));
    if (now - *start > std::chrono::duration<double>(seconds)) session.play(0);
  };
  QObject::connect(&session, &SessionController::image_changed, &view, [&] {
    painted();
    if (session.state() == SessionController::State::kReady && !start && !session.playing()) session.play(1);
    if (start && !session.playing()) QApplication::quit();
  });
  QObject::connect(&session, &SessionController::failed, &view, [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    QApplication::exit(1);
  });
  session.open(QString::fromUtf8(video));
  const int code = QApplication::exec();
  if (code != 0 || late_ms.size() < 2) return 1;
  const double took = std::chrono::duration<double>(Clock::now() - *start).count();
  const double played = session.axis().playhead() - first_t;
  std::ranges::sort(late_ms);
  const auto share = [&](double part) {
    return late_ms[static_cast<std::size_t>(part * static_cast<double>(late_ms.size() - 1))];
  };
  std::printf(
      "%dx%d: %zu frames in %.2f s (%.1f a second) of %.2f s of video; late: median %.1f ms, 95 %% %.1f ms, worst %.1f "
      "ms\n",
      width, height, late_ms.size(), took, static_cast<double>(late_ms.size()) / took, played, share(0.5), share(0.95),
      late_ms.back());
  return 0;
}

}  // namespace
}  // namespace longtake

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const QApplication application(argc, argv);
  int width = 960, height = 540;
  if (argc < 2 || (argc > 2 && std::sscanf(argv[2], "%dx%d", &width, &height) != 2)) {
    std::fprintf(stderr, "player_bench VIDEO [WIDTHxHEIGHT [SECONDS]]\n");
    return 2;
  }
  return longtake::play(argv[1], width, height, argc > 3 ? std::atof(argv[3]) : 10);
}
