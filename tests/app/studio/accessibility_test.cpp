// What a screen reader says, and what can be seen in a dark window.
#include <QAccessible>
#include <QCheckBox>
#include <QLabel>
#include <QMessageBox>
#include <QStyle>
#include <QTabBar>
#include <cmath>

#include "app/studio/about.h"
#include "app/studio/colours.h"
#include "app/studio/export_dialog.h"
#include "app/studio/go_to_dialog.h"
#include "app/studio/keys_dialog.h"
#include "app/studio/preferences_dialog.h"
#include "app/studio/style.h"
#include "app/studio/url_dialog.h"
#include "tests/app/studio/window_fixture.h"

namespace longtake {
namespace {

// Those below `root` that take the keyboard but of which a screen reader knows no name.
std::vector<std::string> nameless(const QWidget& root) {
  std::vector<std::string> out;
  for (QWidget* one : root.findChildren<QWidget*>()) {
    // What hands the keyboard on is never what has it.
    if (one->focusPolicy() == Qt::NoFocus || one->focusProxy() || one->window() != root.window()) continue;
    const auto* tabs = qobject_cast<QTabBar*>(one);
    if (tabs && tabs->count() == 0) continue;  // a spare one of the window's
    if (qobject_cast<QLabel*>(one)) continue;  // its name is its text, so there is none while it says nothing
    const QAccessibleInterface* read = QAccessible::queryAccessibleInterface(one);
    if (!read || !read->text(QAccessible::Name).isEmpty()) continue;
    out.push_back(std::string(one->metaObject()->className()) + " \"" + one->objectName().toStdString() + "\" of " +
                  one->parentWidget()->metaObject()->className() + " \"" +
                  one->parentWidget()->objectName().toStdString() + '"');
  }
  return out;
}

class Accessibility : public WindowTest {
 protected:
  // The one that a key opened.
  template <class Dialog>
  const QWidget& dialog(Qt::Key key, Qt::KeyboardModifiers with = {}) {
    press(key, with);
    return *window_->findChild<Dialog*>();
  }
};

TEST_F(Accessibility, EverythingThatTakesTheKeyboardHasAName) {
  const std::vector<std::string> none;
  EXPECT_EQ(nameless(*window_), none);
  EXPECT_EQ(nameless(dialog<PreferencesDialog>(Qt::Key_Comma, Qt::ControlModifier)), none);
  window_->findChild<PreferencesDialog*>()->close();
  EXPECT_EQ(nameless(dialog<KeysDialog>(Qt::Key_F1)), none);
  window_->findChild<KeysDialog*>()->close();
  show_about(window_.get());
  EXPECT_EQ(nameless(*window_->findChild<QMessageBox*>()), none);
  EXPECT_EQ(nameless(ExportDialog({})), none);
  EXPECT_EQ(nameless(GoToDialog(0)), none);
  EXPECT_EQ(nameless(UrlDialog({})), none);
}

double brightness(QRgb colour) {
  const auto linear = [](int c) { return std::pow(c / 255.0, 2.2); };
  return 0.2126 * linear(qRed(colour)) + 0.7152 * linear(qGreen(colour)) + 0.0722 * linear(qBlue(colour));
}

// 3:1 is what the Web Content Accessibility Guidelines ask of the parts of a control (2.1, 1.4.11).
TEST(Style, ABoxThatIsNotTickedIsSeenInLightAndDark) {
  const std::unique_ptr<QStyle> style(make_style());
  for (const bool dark : {false, true}) {
    QCheckBox box;
    box.setStyle(style.get());
    box.setPalette(theme_palette(dark));
    box.resize(box.sizeHint());
    const QImage drawn = box.grab().toImage();
    const double around = brightness(theme_palette(dark).color(QPalette::Window).rgb());
    double most = 1;
    for (int x = 0; x < drawn.width(); ++x) {
      const double here = brightness(drawn.pixel(x, drawn.height() / 2));
      most = std::max(most, (std::max(here, around) + 0.05) / (std::min(here, around) + 0.05));
    }
    EXPECT_GE(most, 3) << (dark ? "dark" : "light");
  }
}

}  // namespace
}  // namespace longtake
