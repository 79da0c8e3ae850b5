// longtake-studio.
#include <QApplication>
#include <QScreen>
#include <QStyle>
#include <QTimer>
#include <cstdio>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/exit_code.h"
#include "app/log.h"
#include "app/studio/icon.h"
#include "app/studio/main_window.h"
#include "app/studio/style.h"
#include "app/version.h"

namespace {

using namespace longtake;

struct Options {
  std::vector<std::string> inputs;
  std::string screenshot, when = "started", size, theme;
};

// Renders the window once it stands as wanted, and quits.
class Screenshot : public QObject {
 public:
  Screenshot(MainWindow& window, SessionController& session, const Options& options)
      : window_(window), options_(options) {
    using State = SessionController::State;
    const auto look = [this, &session] {
      const bool analyzed = options_.when == "analyzed";
      if (analyzed && session.state() == State::kReady && !session.image().isNull()) session.analyze();
      const bool there = options_.inputs.empty() || (session.state() >= (analyzed ? State::kAnalyzed : State::kReady) &&
                                                     !session.image().isNull());
      if (there && !taken_) QTimer::singleShot(200, this, [this] { take(); });
      taken_ = taken_ || there;
    };
    connect(&session, &SessionController::state_changed, this, look);
    connect(&session, &SessionController::image_changed, this, look);
    connect(&session, &SessionController::failed, this, [](const Error& error) {
      std::fprintf(stderr, "longtake-studio: error: %s\n", error.message.c_str());
      QApplication::exit(exit_code(error.kind));
    });
    QTimer::singleShot(0, this, look);
  }

 private:
  void take() {
    const QString file = QString::fromStdString(options_.screenshot);
    if (!window_.grab().save(file)) {
      std::fprintf(stderr, "longtake-studio: error: cannot write \"%s\"\n", qPrintable(file));
      QApplication::exit(kExitUnexpected);
      return;
    }
    QApplication::exit(kExitDone);
  }

  MainWindow& window_;
  const Options& options_;
  bool taken_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Shows a video, what Longtake sees in it, and how much each layer learns of every frame.",
               "longtake-studio"};
  app.set_version_flag("--version", std::string("longtake-studio ") + kVersion);
  Settings settings;
  app.add_option("INPUT", options.inputs, "Videos or URLs");
  app.add_option("--memory", settings.memory, "Start from this memory")->type_name("FILE");
  app.add_option("--model", settings.model, "Model folder (default: as it is set, or the model called default)")->type_name("DIR");
  auto* screenshot = app.add_option("--screenshot", options.screenshot, "Write a picture of the window and quit")
                         ->type_name("FILE.png");
  app.add_option("--when", options.when, "When: started or analyzed")
      ->check(CLI::IsMember({"started", "analyzed"}))
      ->needs(screenshot);
  app.add_option("--size", options.size, "Of the window, as 1280x720 (default: as it was; at first 1600x1000)");
  app.add_option("--theme", options.theme, "light or dark (default: as it is set, or as the desktop is)")
      ->check(CLI::IsMember({"light", "dark"}));
  app.footer("Example: longtake-studio holiday.mp4");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  int width = 1600, height = 1000;
  if (!options.size.empty() && (std::sscanf(options.size.c_str(), "%dx%d", &width, &height) != 2 || width < 320 ||
                                height < 240 || width > 16384 || height > 16384)) {
    std::fprintf(stderr, "longtake-studio: error: --size takes WIDTHxHEIGHT, from 320x240 on, not \"%s\"\n",
                 options.size.c_str());
    return kExitUsage;
  }

  const StopSignals signals;
  QApplication gui(argc, argv);
  QApplication::setApplicationName(QStringLiteral("longtake-studio"));
  QApplication::setWindowIcon(window_icon());
  QApplication::setDesktopFileName(QStringLiteral("longtake-studio"));  // by which Wayland finds the icon
  QApplication::setStyle(make_style());
  auto log = make_log(0, {});
  if (!log) {
    std::fprintf(stderr, "longtake-studio: error: %s\n", log.error().message.c_str());
    return kExitUnexpected;
  }
  // A picture is the same whatever was set here before, and leaves no traces.
  const bool picture_wanted = !options.screenshot.empty();
  const auto kept = picture_wanted ? Preferences::Kept::kNowhere : Preferences::Kept::kOnDisk;
  settings = with_preferences(std::move(settings), Preferences(kept));
  SessionController session(settings, *log, signals);
  session.set_remembers_position(!picture_wanted);
  MainWindow window(session, kept);
  if (!options.theme.empty()) {
    apply_theme(options.theme == "dark" ? Theme::kDark : Theme::kLight);
  } else {
    apply_theme(window.preferences().theme());
  }
  if (picture_wanted || !options.size.empty()) {
    window.resize(width, height);
  } else if (!window.restore_layout()) {
    const int frame = window.style()->pixelMetric(QStyle::PM_TitleBarHeight);  // of which the window does not know yet
    window.resize(QSize(width, height).boundedTo(window.screen()->availableSize() - QSize(0, frame)));
  }
  window.show();
  const Screenshot* picture = picture_wanted ? new Screenshot(window, session, options) : nullptr;
  QStringList inputs;
  for (const std::string& input : options.inputs) inputs << QString::fromStdString(input);
  window.open_all(inputs);
  QTimer::singleShot(0, &window, [&session] { session.model().prefetch(); });  // behind the first picture
  const std::stop_callback quit(signals.token(),
                                [] { QMetaObject::invokeMethod(qApp, &QApplication::quit, Qt::QueuedConnection); });
  const int code = QApplication::exec();
  delete picture;
  return signals.exit_code() != 0 ? signals.exit_code() : code;
}
