#include <QApplication>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const longtake::TempDir home;  // nothing of whoever runs the tests is read or written
  for (const char* name : {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"})
    qputenv(name, QByteArray::fromStdString((home / name).string()));
  const QApplication application(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
