// What is set in the dialog counts, and what it clears is gone.
#include "app/studio/preferences_dialog.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSpinBox>
#include <filesystem>
#include <fstream>

#include "app/studio/session_folder.h"
#include "models/model_folder.h"
#include "tests/app/studio/window_fixture.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

class PreferencesOfWindow : public WindowTest {
 protected:
  PreferencesOfWindow() : palette_(QApplication::palette()), config_(qgetenv("XDG_CONFIG_HOME")) {
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString((folder_ / "config").string()));
    start_again();
  }
  ~PreferencesOfWindow() override {
    end();
    qputenv("XDG_CONFIG_HOME", config_);
    QApplication::setPalette(palette_);
  }

  void open_dialog() {
    press(Qt::Key_Comma, Qt::ControlModifier);
    dialog_ = window_->findChild<PreferencesDialog*>();
    ASSERT_NE(dialog_, nullptr);
    ASSERT_TRUE(QTest::qWaitForWindowExposed(dialog_));
  }
  template <class Widget>
  Widget& in_dialog(const char* name) {
    return *dialog_->findChild<Widget*>(QLatin1String(name));
  }
  void type_model(const QString& folder) {
    auto& model = in_dialog<QLineEdit>("model");
    model.selectAll();
    model.del();
    QTest::keyClicks(&model, folder);
    QTest::keyClick(&model, Qt::Key_Return);
  }
  bool says(const char* name, const QString& words) {
    return until([&] { return in_dialog<QLabel>(name).text().contains(words); });
  }
  fs::path put_session(const std::string& name, std::size_t bytes) {
    const fs::path out = fs::path(sessions_folder().toStdString()) / name;
    fs::create_directories(out);
    std::ofstream(out / "result.jsonl") << std::string(bytes, 'x');
    return out;
  }

  const QPalette palette_;
  const QByteArray config_;
  PreferencesDialog* dialog_ = nullptr;
};

TEST_F(PreferencesOfWindow, TheThemeCountsAtOnce) {
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  auto& theme = in_dialog<QComboBox>("theme");
  const auto lightness = [] { return QApplication::palette().color(QPalette::Window).lightness(); };
  QTest::keyClick(&theme, Qt::Key_End);
  EXPECT_LT(lightness(), 128);
  EXPECT_EQ(Preferences().theme(), Theme::kDark);
  QTest::keyClick(&theme, Qt::Key_Up);
  EXPECT_GE(lightness(), 128);
  EXPECT_EQ(Preferences().theme(), Theme::kLight);
}

TEST_F(PreferencesOfWindow, ThreadsAndModelCountFromTheNextStartOn) {
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  QTest::keyClick(&in_dialog<QSpinBox>("threads"), Qt::Key_Up);
  const QString good = QString::fromStdString(default_model_folder()->string());
  type_model(good);
  ASSERT_TRUE(says("about model", QStringLiteral("next start")));
  ASSERT_TRUE(until([&] { return Preferences().model() == good; }));
  type_model(QString::fromStdString(folder_.path().string()));
  ASSERT_TRUE(says("about model", QStringLiteral("config.json")))
      << in_dialog<QLabel>("about model").text().toStdString();
  EXPECT_TRUE(dialog_->isVisible());  // Enter ended the input, and not the dialog
  EXPECT_EQ(Preferences().model(), good);

  const Settings settings = with_preferences({}, Preferences());
  EXPECT_EQ(settings.threads, 1);
  EXPECT_EQ(settings.model, good.toStdString());
  Settings given;
  given.model = "of the command line";
  given.threads = 3;
  EXPECT_EQ(with_preferences(given, Preferences()).model, given.model);
  EXPECT_EQ(with_preferences(given, Preferences()).threads, 3);
  type_model({});
  EXPECT_TRUE(Preferences().model().isEmpty());
}

TEST_F(PreferencesOfWindow, ClearsAllSessionsButThatOfTheOpenVideo) {
  const fs::path other = put_session("other", 2'000'000), stream = put_session("stream-1", 500'000);
  ASSERT_NO_FATAL_FAILURE(open());
  const fs::path own = put_session(fs::path(session_folder(session_->uri()).toStdString()).filename(), 1'000'000);
  ASSERT_NO_FATAL_FAILURE(open_dialog());
  ASSERT_TRUE(says("disk", QStringLiteral("3 sessions, 3.5")));
  const auto answer = [&](const char* button) {
    QTest::mouseClick(&in_dialog<QPushButton>("clear"), Qt::LeftButton);
    auto* box = dialog_->findChild<QMessageBox*>();
    ASSERT_NE(box, nullptr);
    for (QAbstractButton* one : box->buttons()) {
      if (one->text().remove(QLatin1Char('&')) == QLatin1String(button)) QTest::mouseClick(one, Qt::LeftButton);
    }
    QTest::qWait(0);  // it is gone
  };
  ASSERT_NO_FATAL_FAILURE(answer("Cancel"));
  EXPECT_TRUE(fs::exists(other));
  ASSERT_TRUE(until([&] { return dialog_->findChild<QMessageBox*>() == nullptr; }));
  ASSERT_NO_FATAL_FAILURE(answer("Remove"));
  ASSERT_TRUE(says("cleared", QStringLiteral("2.5 MB freed"))) << in_dialog<QLabel>("cleared").text().toStdString();
  EXPECT_FALSE(fs::exists(other));
  EXPECT_FALSE(fs::exists(stream));
  EXPECT_TRUE(fs::exists(own / "result.jsonl"));
  EXPECT_TRUE(says("disk", QStringLiteral("1 sessions, 1.0")));
}

}  // namespace
}  // namespace longtake
