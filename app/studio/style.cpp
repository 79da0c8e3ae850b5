#include "app/studio/style.h"

#include <QProxyStyle>
#include <QStyleFactory>
#include <QStyleOption>

namespace longtake {
namespace {

class Style : public QProxyStyle {
 public:
  Style() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
    const auto* box = qstyleoption_cast<const QStyleOptionButton*>(option);
    if (!box || (element != PE_IndicatorCheckBox && element != PE_IndicatorRadioButton))
      return QProxyStyle::drawPrimitive(element, option, painter, widget);
    // Fusion outlines it with this colour, made 1.27 times darker.
    constexpr int kLighterPercent = 127;
    QStyleOptionButton outlined = *box;
    outlined.palette.setColor(QPalette::Window, box->palette.color(QPalette::PlaceholderText).lighter(kLighterPercent));
    QProxyStyle::drawPrimitive(element, &outlined, painter, widget);
  }
};

}  // namespace

QStyle* make_style() { return new Style; }

}  // namespace longtake
