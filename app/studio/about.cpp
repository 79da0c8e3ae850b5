#include "app/studio/about.h"

#include <QCoreApplication>
#include <QMessageBox>

#include <nlohmann/json.hpp>

#include "app/machine.h"
#include "app/studio/icon.h"

namespace longtake {

QString about_text() {
  const auto tr = [](const char* text) { return QCoreApplication::translate("about", text); };
  QString out =
      tr("<h3>Longtake</h3><p>Watches video frame by frame and keeps it in a memory of fixed size that learns while "
         "it watches.</p><table>");
  const auto line = [&out](const QString& name, const QString& version) {
    out += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>")
               .arg(name.toHtmlEscaped(), version.toHtmlEscaped());
  };
  const nlohmann::ordered_json versions = describe_versions();
  for (const auto& [name, version] : versions.items()) {
    line(QString::fromStdString(name),
         QString::fromStdString(version.is_string() ? version.get<std::string>() : version.dump()));
  }
  line(QStringLiteral("qt"), QString::fromLatin1(qVersion()));
  return out +
         tr("</table><p>Longtake: Apache-2.0. Libraries: FFmpeg (LGPL-2.1+; Debian's with GPL parts), oneDNN, OpenCV, "
            "OpenSSL and Highway (Apache-2.0), Qt 6 (LGPL-3), cairo (LGPL-2.1 or MPL-1.1), CLI11 (BSD-3), spdlog, fmt, "
            "nlohmann-json and toml++ (MIT), zlib, SQLite (public domain).</p>");
}

void show_about(QWidget* parent) {
  auto* box = new QMessageBox(parent);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setWindowTitle(QCoreApplication::translate("about", "About Longtake"));
  box->setIconPixmap(window_icon().pixmap(64, 64));
  box->setText(about_text());
  box->open();
}

}  // namespace longtake
