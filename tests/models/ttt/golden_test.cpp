// The golden files on every backend.
#include <cstdio>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

#include "models/golden/selftest.h"

namespace longtake {
namespace {

void expect_all_ok(const SelftestReport& report) {
  struct Worst {
    double ratio = 0;
    const SelftestLine* line = nullptr;
    int count = 0;
  };
  std::map<std::string, Worst> worst;  // by backend and kind of file
  for (const auto& line : report.lines) {
    EXPECT_TRUE(line.ok) << line.file << " " << line.backend << " " << line.what << ": error "
                         << line.max_error << ", limit " << line.limit;
    const std::string kind = line.what.starts_with("grad") ? " grad" : "";
    auto& entry = worst[line.backend + " " + line.file.substr(0, line.file.find('_')) + kind];
    ++entry.count;
    if (entry.line == nullptr || !(line.max_error / line.limit <= entry.ratio)) {
      entry.ratio = line.max_error / line.limit;
      entry.line = &line;
    }
  }
  for (const auto& [key, entry] : worst) {
    std::printf("%-32s %4d checks, worst %.1e (limit %.0e) at %s, %s\n", key.c_str(), entry.count,
                entry.line->max_error, entry.line->limit, entry.line->file.c_str(), entry.line->what.c_str());
  }
  EXPECT_TRUE(report.ok());
}

TEST(Golden, EveryFileOfTheRepositoryPassesOnEveryBackend) {
  const auto report = run_golden(std::filesystem::path(LONGTAKE_SOURCE_DIR) / "tests/data/golden");
  ASSERT_TRUE(report.ok()) << report.error().message;
  expect_all_ok(*report);
}

TEST(Golden, EveryFileOfTheSharedFolderPassesOnEveryBackend) {
  const auto folder = std::filesystem::path(LONGTAKE_SOURCE_DIR) / "../shared/golden";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const auto report = run_golden(folder);
  ASSERT_TRUE(report.ok()) << report.error().message;
  expect_all_ok(*report);
}

TEST(Golden, WhatTheProgramCarriesPasses) {
  const auto report = run_builtin_golden();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->lines.size(), 20u);
  expect_all_ok(*report);
}

}  // namespace
}  // namespace longtake
