// Every action: its text, its menu, its keys, and that these can be changed.
#include <QAbstractItemModelTester>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QMenuBar>
#include <QPushButton>
#include <QTableView>
#include <QTest>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "app/log.h"
#include "app/studio/about.h"
#include "app/studio/key_model.h"
#include "app/studio/keys_dialog.h"
#include "app/studio/main_window.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

class Keys : public testing::Test {
 protected:
  Keys() : log_(*make_log(-1, {})) {
    qputenv("XDG_STATE_HOME", QByteArray::fromStdString((folder_ / "state").string()));
    qputenv("XDG_CONFIG_HOME", QByteArray::fromStdString((folder_ / "config").string()));
    start();
  }
  ~Keys() override {
    window_.reset();
    session_.reset();
  }
  void start() {
    window_.reset();
    session_ = std::make_unique<SessionController>(Settings{}, log_, signals_);
    window_ = std::make_unique<MainWindow>(*session_);
    window_->show();
  }
  QAction* named(const QString& text) {
    for (const MenuAction& one : menu_actions(*window_->menuBar())) {
      if (plain_text(*one.action) == text) return one.action;
    }
    return nullptr;
  }
  KeyModel& model() { return *window_->findChild<KeyModel*>(); }
  // Chooses a line and presses a key for it.
  static void choose(KeysDialog& dialog, const QString& text, Qt::Key key, Qt::KeyboardModifiers with) {
    auto* table = dialog.findChild<QTableView*>();
    for (int row = 0; row < table->model()->rowCount(); ++row) {
      const QModelIndex at = table->model()->index(row, KeyModel::kAction);
      if (at.data().toString() != text) continue;
      table->setCurrentIndex(at);
      QTest::keyClick(dialog.findChild<QKeySequenceEdit*>(), key, with);
      return;
    }
    FAIL() << "no line " << text.toStdString();
  }

  TempDir folder_;
  const StopSignals signals_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<SessionController> session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(Keys, EveryActionHasATextAndAMenuAndNoTwoShareAKey) {
  std::set<const QAction*> in_menus;
  std::map<QString, QString> owners;
  for (const MenuAction& one : menu_actions(*window_->menuBar())) {
    in_menus.insert(one.action);
    EXPECT_FALSE(plain_text(*one.action).isEmpty()) << one.menu.toStdString();
    for (const QKeySequence& key : one.action->shortcuts()) {
      const auto [other, fresh] = owners.emplace(key.toString(), plain_text(*one.action));
      EXPECT_TRUE(fresh) << key.toString().toStdString() << " is the key of " << other->second.toStdString() << " and "
                         << plain_text(*one.action).toStdString();
    }
  }
  EXPECT_GT(in_menus.size(), 30u);
  for (const QAction* one : window_->actions()) {
    EXPECT_TRUE(in_menus.contains(one)) << one->text().toStdString() << " is in no menu";
  }
}

TEST_F(Keys, AChangedKeyIsTakenFromWhoHadItAndKept) {
  const QAbstractItemModelTester tester(&model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
  QAction* in = named(QStringLiteral("Mark in"));
  ASSERT_NE(in, nullptr);
  const QList<QKeySequence> usual_in = in->shortcuts();
  const QList<QKeySequence> usual_out = named(QStringLiteral("Mark out"))->shortcuts();
  {
    KeysDialog dialog(model());
    dialog.show();
    ASSERT_NO_FATAL_FAILURE(choose(dialog, QStringLiteral("Mark in"), Qt::Key_O, Qt::NoModifier));
    auto* set = dialog.findChild<QPushButton*>(QStringLiteral("set"));
    QTest::mouseClick(set, Qt::LeftButton);  // says first whose it is
    bool said = false;
    for (const QLabel* label : dialog.findChildren<QLabel*>())
      said |= label->text().contains(QStringLiteral("Mark out"));
    EXPECT_TRUE(said);
    EXPECT_EQ(in->shortcuts(), usual_in);
    QTest::mouseClick(set, Qt::LeftButton);
  }
  EXPECT_EQ(in->shortcuts(), QList<QKeySequence>{QKeySequence(Qt::Key_O)});
  EXPECT_FALSE(named(QStringLiteral("Mark out"))->shortcuts().contains(QKeySequence(Qt::Key_O)));
  start();
  EXPECT_EQ(named(QStringLiteral("Mark in"))->shortcuts(), QList<QKeySequence>{QKeySequence(Qt::Key_O)});
  {
    KeysDialog dialog(model());
    dialog.show();
    QTest::mouseClick(dialog.findChild<QPushButton*>(QStringLiteral("all usual")), Qt::LeftButton);
  }
  start();
  EXPECT_EQ(named(QStringLiteral("Mark in"))->shortcuts(), usual_in);
  EXPECT_EQ(named(QStringLiteral("Mark out"))->shortcuts(), usual_out);
}

TEST_F(Keys, AreFoundByTheirNames) {
  KeysDialog dialog(model());
  dialog.show();
  auto* table = dialog.findChild<QTableView*>();
  const int all = table->model()->rowCount();
  QTest::keyClicks(dialog.findChild<QWidget*>(QStringLiteral("filter")), QStringLiteral("mark IN"));
  EXPECT_GE(table->model()->rowCount(), 1);
  EXPECT_LT(table->model()->rowCount(), all);
}

TEST_F(Keys, AQuestionMarkShowsThem) {
  window_->activateWindow();
  ASSERT_TRUE(QTest::qWaitForWindowActive(window_.get()));
  QTest::keyClick(window_.get(), Qt::Key_Question);
  EXPECT_TRUE(QTest::qWaitFor([&] { return window_->findChild<KeysDialog*>() != nullptr; }));
}

TEST(About, SaysTheVersionsItRunsWith) {
  for (const char* part : {"longtake", "ffmpeg", "qt", "Apache-2.0"}) {
    EXPECT_TRUE(about_text().contains(QLatin1String(part))) << part;
  }
  EXPECT_TRUE(about_text().contains(QLatin1String(qVersion())));
}

}  // namespace
}  // namespace longtake
