#include "app/studio/overlay.h"

#include <QCoreApplication>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace longtake {
namespace {

QString words(const char* text) { return QCoreApplication::translate("longtake::Overlay", text); }

// Never "-0.0".
QString decimal(double value, int digits) {
  const QString out = QString::number(value, 'f', digits);
  return out.startsWith(QLatin1Char('-')) && out.toDouble() == 0 ? out.mid(1) : out;
}

QString percent(double share) { return QStringLiteral("%1 %").arg(std::lround(100 * share)); }

// The best few of them, the best first: "dog 83 %, lawn 9 %".
QString best_of(std::vector<NamedScore> scores) {
  constexpr std::size_t kMost = 3;
  const auto shown = static_cast<std::ptrdiff_t>(std::min(kMost, scores.size()));
  std::ranges::partial_sort(scores, scores.begin() + shown, std::ranges::greater(), &NamedScore::score);
  QStringList out;
  for (auto score = scores.begin(); score != scores.begin() + shown; ++score)
    out.append(QString::fromStdString(score->name) + QLatin1Char(' ') + percent(static_cast<double>(score->score)));
  return out.join(QStringLiteral(", "));
}

}  // namespace

QStringList overlay_lines(const FrameRecord& record, const std::vector<EventRecord>& events,
                          std::optional<std::int64_t> state_bytes) {
  QStringList out;
  for (const EventRecord& event : events) {
    QString name = QString::fromStdString(event.kind);
    name.replace(QLatin1Char('_'), QLatin1Char(' '));
    if (!name.isEmpty()) name[0] = name[0].toUpper();
    out.append(words("%1, %2 sure").arg(name, percent(event.confidence)));
  }
  if (record.labels && !record.labels->empty()) out.append(words("Label: %1").arg(best_of(*record.labels)));
  if (record.scene && !record.scene->empty()) out.append(words("Scene: %1").arg(best_of(*record.scene)));
  QStringList now;  // not finite: not known yet
  if (record.surprise && std::isfinite(*record.surprise))
    now.append(words("Surprise %1 σ").arg(decimal(static_cast<double>(*record.surprise), 1)));
  if (record.novelty && std::isfinite(*record.novelty))
    now.append(words("Novelty %1").arg(static_cast<double>(*record.novelty), 0, 'f', 2));
  if (record.familiarity && std::isfinite(*record.familiarity))
    now.append(words("Familiarity %1").arg(percent(static_cast<double>(*record.familiarity))));
  if (!now.isEmpty()) out.append(now.join(QStringLiteral("   ")));
  if (state_bytes)
    out.append(words("Memory %1 MB, does not grow").arg(static_cast<double>(*state_bytes) / 1e6, 0, 'f', 1));
  return out;
}

void paint_overlay(QPainter& painter, const QRectF& picture, const QStringList& lines) {
  if (lines.isEmpty()) return;
  const QFontMetricsF letters(painter.font());
  constexpr double kRim = 8;
  const double most = picture.width() - 4 * kRim;
  double wide = 0;
  for (const QString& line : lines) wide = std::max(wide, letters.horizontalAdvance(line) + 1);
  wide = std::min(wide, most);
  const double high = letters.lineSpacing() * static_cast<double>(lines.size());
  if (wide < 20 || high + 4 * kRim > picture.height()) return;
  const QRectF box(picture.left() + kRim, picture.bottom() - high - 3 * kRim, wide + 2 * kRim, high + 2 * kRim);
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(0, 0, 0, 175));  // white on it stands out even where the picture is white
  painter.drawRoundedRect(box, 4, 4);
  painter.setPen(Qt::white);
  double y = box.top() + kRim;
  for (const QString& line : lines) {
    painter.drawText(QRectF(box.left() + kRim, y, wide, letters.lineSpacing()), Qt::AlignLeft | Qt::AlignVCenter,
                     letters.elidedText(line, Qt::ElideRight, wide));
    y += letters.lineSpacing();
  }
  painter.restore();
}

}  // namespace longtake
