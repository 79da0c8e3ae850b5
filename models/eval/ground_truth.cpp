#include "models/eval/ground_truth.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace longtake {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> fields(std::string_view line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      const bool doubled = quoted && i + 1 < line.size() && line[i + 1] == '"';
      if (doubled)
        out.back() += line[++i];
      else
        quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

// Rows of a CSV file by the names of some columns, in the order of `columns`. `take` says whether it could use a row.
Result<void> read_rows(const fs::path& csv, const std::vector<std::string>& columns,
                       const std::function<bool(const std::vector<std::string>& row)>& take) {
  constexpr std::size_t kLongest = 1 << 16;
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kInput, fmt::format("cannot use \"{}\": {}", csv.string(), why)};
  };
  std::ifstream in(csv);
  if (!in) return refuse("it cannot be opened");
  std::vector<std::size_t> where;
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.size() > kLongest) return refuse(fmt::format("line {} is too long", number));
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const auto row = fields(line);
    if (where.empty()) {
      for (const std::string& column : columns) {
        const auto found = std::find(row.begin(), row.end(), column);
        if (found == row.end()) return refuse(fmt::format("it has no column \"{}\"", column));
        where.push_back(static_cast<std::size_t>(found - row.begin()));
      }
      continue;
    }
    std::vector<std::string> wanted;
    for (const std::size_t at : where) wanted.push_back(at < row.size() ? row[at] : "");
    if (!take(wanted)) return refuse(fmt::format("line {} makes no sense: {}", number, line));
  }
  if (in.bad() || where.empty()) return refuse("it cannot be read");
  return {};
}

template <class Number>
bool parse(const std::string& text, Number& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size();
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace

Result<std::vector<TrueBoundary>> read_boundaries(const fs::path& csv) {
  std::vector<TrueBoundary> out;
  auto done = read_rows(csv, {"video", "type", "start_frame", "end_frame"}, [&](const auto& row) {
    TrueBoundary& one = out.emplace_back();
    one.video = file_name(row[0]);
    one.type = row[1];
    return !one.video.empty() && !one.type.empty() && parse(row[2], one.start_frame) && parse(row[3], one.end_frame) &&
           one.start_frame >= 0 && one.end_frame >= one.start_frame;
  });
  if (!done) return std::move(done).error();
  return out;
}

Result<std::vector<TrueEvent>> read_labels(const fs::path& csv) {
  std::vector<TrueEvent> out;
  auto done = read_rows(csv, {"video", "start_s", "end_s", "label"}, [&](const auto& row) {
    TrueEvent& one = out.emplace_back();
    one.video = file_name(row[0]);
    one.label = row[3];
    return !one.video.empty() && parse(row[1], one.start_s) && parse(row[2], one.end_s) && std::isfinite(one.start_s) &&
           std::isfinite(one.end_s) && one.start_s >= 0 && one.end_s >= one.start_s;
  });
  if (!done) return std::move(done).error();
  return out;
}

}  // namespace longtake
