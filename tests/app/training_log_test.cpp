#include "app/training_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

using nlohmann::ordered_json;

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

TrainerStep step_of(std::int64_t number) {
  TrainerStep step;
  step.step = number;
  step.loss = 1.0 / static_cast<double>(number + 1);
  step.rate = 0.5;
  step.gradient = 2;
  step.parts["inner_0"] = 0.25;
  if (number % 2 == 0) step.judged = Figures{{"score", 3}, {"return", 4}};
  return step;
}

// Steps first … last, as a run that goes on at the first of them; the steps that were kept.
std::vector<std::int64_t> run(const std::filesystem::path& path, std::int64_t first, std::int64_t last) {
  auto log = TrainingLog::open(path);
  EXPECT_TRUE(log.ok());
  std::vector<std::int64_t> kept;
  EXPECT_TRUE(log->go_on_at(first, [&](const ordered_json& line) { kept.push_back(line["step"]); }).ok());
  for (std::int64_t i = first; i <= last; ++i) EXPECT_TRUE(log->write(log_line(step_of(i))).ok());
  return kept;
}

TEST(TrainingLog, AStepIsALine) {
  EXPECT_EQ(log_line(step_of(1)).dump(), R"({"step":1,"loss":0.5,"rate":0.5,"gradient":2.0,"parts":{"inner_0":0.25}})");
  EXPECT_EQ(log_line(step_of(0)).dump(), R"({"step":0,"held_out":{"return":4.0,"score":3.0}})");
}

TEST(TrainingLog, ContinuedItHasEveryStepOnceWhereverItWasCut) {
  const TempDir dir;
  run(dir / "whole", 0, 9);
  const std::string whole = contents(dir / "whole");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    std::ofstream(dir / "log", std::ios::binary) << whole.substr(0, cut);
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n');
    // The checkpoint is never ahead of the log.
    const std::int64_t first = std::min<std::int64_t>(lines, 4);
    const auto kept = run(dir / "log", first, 9);
    EXPECT_EQ(std::ssize(kept), first);
    ASSERT_EQ(contents(dir / "log"), whole) << cut;
  }
}

// After a power cut the log may be shorter than its checkpoint is old.
TEST(TrainingLog, ATornLineIsForgotten) {
  const TempDir dir;
  run(dir / "whole", 0, 2);
  const std::string whole = contents(dir / "whole");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    std::ofstream(dir / "log", std::ios::binary) << whole.substr(0, cut);
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n');
    EXPECT_EQ(std::ssize(run(dir / "log", 7, 7)), lines);
    std::istringstream in(contents(dir / "log"));
    std::int64_t count = 0;
    for (std::string line; std::getline(in, line); ++count) EXPECT_TRUE(ordered_json::accept(line)) << line;
    EXPECT_EQ(count, lines + 1);
  }
}

TEST(TrainingLog, WhatIsThereStaysUntilTheFirstStep) {
  const TempDir dir;
  std::ofstream(dir / "log") << "something else\n";
  auto log = TrainingLog::open(dir / "log");
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(contents(dir / "log"), "something else\n");
  ASSERT_TRUE(log->go_on_at(0, [](const ordered_json&) { FAIL(); }).ok());
  EXPECT_EQ(contents(dir / "log"), "");
  EXPECT_FALSE(TrainingLog::open(dir / "no/folder").ok());
  EXPECT_TRUE(TrainingLog::open("/dev/null").ok());
}

TEST(TrainingCurves, ArePanelsOfWhatWasTold) {
  TrainingCurves curves(10);
  EXPECT_EQ(curves.plots().size(), 3u) << "nothing yet, but no mistake";
  for (std::int64_t i = 0; i <= 10; ++i) {
    TrainerStep step = step_of(i);
    if (i == 5) step.loss = std::numeric_limits<double>::infinity();
    curves.add(ordered_json::parse(log_line(step).dump()));
  }
  const auto plots = curves.plots();
  ASSERT_EQ(plots.size(), 4u);
  ASSERT_EQ(plots[0].curves.size(), 2u);
  EXPECT_TRUE(plots[0].curves[0].faint);
  EXPECT_THAT(plots[0].curves[0].x, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_DOUBLE_EQ(plots[0].curves[0].y[2], 0.25);
  // (0.81 · 1/2 + 0.9 · 1/3 + 1/4) / (0.81 + 0.9 + 1)
  EXPECT_NEAR(plots[0].curves[1].y[2], (0.81 / 2 + 0.9 / 3 + 0.25) / 2.71, 1e-12);
  EXPECT_TRUE(std::isnan(plots[0].curves[0].y[4]));
  ASSERT_EQ(plots[1].curves.size(), 1u);
  EXPECT_EQ(plots[1].curves[0].name, "return");
  EXPECT_THAT(plots[1].curves[0].x, testing::ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_EQ(plots[2].curves[0].name, "layer 0");
  EXPECT_TRUE(plots[2].log_y);
  EXPECT_THAT(plots[3].curves[0].y, testing::Each(0.5));
}

TEST(TrainingCurves, AStepThatIsNotFiniteIsNotRememberedForever) {
  TrainingCurves curves(10);
  for (std::int64_t i = 1; i <= 10; ++i) {
    TrainerStep step = step_of(i);
    if (i == 2) step.loss = std::numeric_limits<double>::quiet_NaN();
    curves.add(log_line(step));
  }
  EXPECT_TRUE(std::isfinite(curves.plots()[0].curves[1].y.back()));
}

TEST(TrainingCurves, StayShortHoweverManySteps) {
  TrainingCurves curves(1'000'000);
  for (std::int64_t i = 1; i <= 1'000'000; i += 10) curves.add(ordered_json{{"step", i}, {"loss", 1.0}});
  EXPECT_LT(curves.plots()[0].curves[0].x.size(), 8000u);
}

}  // namespace
}  // namespace longtake
