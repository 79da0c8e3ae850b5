#include "models/golden/selftest.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "models/golden/builtin.h"
#include "models/golden/subjects.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

Json object(const SelftestLine& line) {
  const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  return {{"file", line.file},           {"backend", line.backend},
          {"what", line.what},           {"max_error", number(line.max_error)},
          {"limit", number(line.limit)}, {"ok", line.ok}};
}

// How far along the way to its limit; NaN is beyond all.
double badness(const SelftestLine& line) {
  return std::isnan(line.max_error) ? std::numeric_limits<double>::infinity() : line.max_error / line.limit;
}

template <class T>
void run_file(const GoldenFile& file, const std::vector<GoldenFile>& all, std::vector<SelftestLine>& lines) {
  switch (file.level) {
    case GoldenLevel::kCore:
      for (const auto& backend : ttt_backends<T>()) run_on_kernel(file, backend, lines);
      run_on_definition<T>(file, lines);
      return;
    case GoldenLevel::kLoss:
      for (const auto& name : file.cases) {
        const auto layer =
            std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.name == name; });
        if (layer == all.end()) throw std::runtime_error("there is no \"" + name + "\" beside it");
        run_losses<T>(file, *layer, {}, lines);
      }
      return;
    case GoldenLevel::kLayer:
    case GoldenLevel::kModel:
    case GoldenLevel::kVideo:
      run_on_definition<T>(file, lines);
      run_on_stream<T>(file, {}, lines);
      return;
  }
}

Result<SelftestReport> run_files(const std::vector<GoldenFile>& files) {
  SelftestReport report;
  for (const auto& file : files) {
    try {
      run_file<double>(file, files, report.lines);
      run_file<float>(file, files, report.lines);
    } catch (const std::exception& failure) {
      return Error{ErrorKind::kInput, "cannot use \"" + file.name + "\": " + failure.what()};
    }
  }
  return report;
}

}  // namespace

bool SelftestReport::ok() const {
  return !lines.empty() && std::all_of(lines.begin(), lines.end(), [](const auto& line) { return line.ok; });
}

const SelftestLine* SelftestReport::worst() const {
  const auto at = std::max_element(lines.begin(), lines.end(),
                                   [](const auto& a, const auto& b) { return badness(a) < badness(b); });
  return at == lines.end() ? nullptr : &*at;
}

std::string SelftestReport::to_json() const {
  Json files = Json::array();
  for (const auto& line : lines) files.push_back(object(line));
  return Json{{"files", files}, {"worst", lines.empty() ? Json(nullptr) : object(*worst())}, {"ok", ok()}}
      .dump();
}

Result<SelftestReport> run_golden(const std::filesystem::path& folder) {
  std::error_code failure;
  std::vector<std::filesystem::path> paths;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    if (entry->path().extension() == ".npz") paths.push_back(entry->path());
  }
  const std::string what = "cannot check \"" + folder.string() + "\": ";
  if (failure) return Error{ErrorKind::kInput, what + failure.message()};
  if (paths.empty()) return Error{ErrorKind::kInput, what + "it holds no .npz file"};
  std::sort(paths.begin(), paths.end());
  std::vector<GoldenFile> files;
  for (const auto& path : paths) {
    auto file = read_golden(path);
    if (!file) return std::move(file).error();
    files.push_back(std::move(*file));
  }
  return run_files(files);
}

Result<SelftestReport> run_builtin_golden() {
  std::vector<GoldenFile> files;
  for (const auto& [name, bytes] : builtin_golden()) {
    auto arrays = parse_npz(bytes, name);
    if (!arrays) return std::move(arrays).error();
    auto file = parse_golden(std::move(*arrays), std::string(name));
    if (!file) return std::move(file).error();
    files.push_back(std::move(*file));
  }
  return run_files(files);
}

}  // namespace longtake
