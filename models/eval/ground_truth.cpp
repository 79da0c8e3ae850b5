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

using Row = std::vector<std::string>;

// Which columns of a file are wanted, and of which rows.
struct Wanted {
  Row columns;
  Row otherwise;      // columns that will do where those are not all there; empty: none
  std::string split;  // empty: all rows
};

// Calls `take` with the wanted fields of each row, in the order of the columns, and whether they are those of `otherwise`.
// It says whether it could use them.
Result<void> read_rows(const fs::path& csv, const Wanted& wanted,
                       const std::function<bool(const Row& row, bool otherwise)>& take) {
  constexpr std::size_t kLongest = 1 << 16;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kInput, fmt::format("cannot use \"{}\": {}", csv.string(), why)};
  };
  std::ifstream in(csv);
  if (!in) return refuse("it cannot be opened");
  std::vector<std::size_t> where;
  bool otherwise = false;
  std::int64_t number = 0, used = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.size() > kLongest) return refuse(fmt::format("line {} is too long", number));
    if (number == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const Row row = fields(line);
    if (where.empty()) {
      const auto lacks = [&](const std::string& column) { return std::find(row.begin(), row.end(), column) == row.end(); };
      const auto has = [&](const Row& columns) {
        return !columns.empty() && std::none_of(columns.begin(), columns.end(), lacks);
      };
      otherwise = !has(wanted.columns) && has(wanted.otherwise);
      Row columns = otherwise ? wanted.otherwise : wanted.columns;
      if (!wanted.split.empty()) columns.emplace_back("split");
      for (const std::string& column : columns) {
        if (lacks(column)) return refuse(fmt::format("it has no column \"{}\"", column));
        where.push_back(static_cast<std::size_t>(std::find(row.begin(), row.end(), column) - row.begin()));
      }
      continue;
    }
    Row picked;
    for (const std::size_t at : where) picked.push_back(at < row.size() ? row[at] : "");
    if (!wanted.split.empty() && picked.back() != wanted.split) continue;
    if (!take(picked, otherwise)) return refuse(fmt::format("line {} makes no sense: {}", number, line));
    ++used;
  }
  if (in.bad() || where.empty()) return refuse("it cannot be read");
  if (used == 0)
    return refuse(wanted.split.empty() ? "it has no rows" : fmt::format("no row is of split \"{}\"", wanted.split));
  return {};
}

template <class Number>
bool parse(const std::string& text, Number& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc() && end == text.data() + text.size();
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

bool parse(const std::string& from, const std::string& to, TimeSpan& span) {
  return parse(from, span.from) && parse(to, span.to) && std::isfinite(span.from) && std::isfinite(span.to) &&
         span.from >= 0 && span.to >= span.from;
}

// `where` [2]: the start and the end, in frames or in seconds.
template <class Stretch>
bool parse(const std::string& video, const std::string* where, bool in_seconds, Stretch& to) {
  to.video = file_name(video);
  to.path = video;
  if (to.video.empty()) return false;
  if (in_seconds) return parse(where[0], where[1], to.seconds.emplace());
  return parse(where[0], to.start_frame) && parse(where[1], to.end_frame) && to.start_frame >= 0 &&
         to.end_frame >= to.start_frame;
}

}  // namespace

Result<std::vector<TrueBoundary>> read_boundaries(const fs::path& csv, const std::string& split) {
  std::vector<TrueBoundary> out;
  const Wanted wanted{{"video", "type", "start_frame", "end_frame"}, {"video", "type", "start_s", "end_s"}, split};
  auto done = read_rows(csv, wanted, [&](const Row& row, bool in_seconds) {
    TrueBoundary& one = out.emplace_back();
    one.type = row[1];
    return !one.type.empty() && parse(row[0], &row[2], in_seconds, one);
  });
  if (!done) return std::move(done).error();
  return out;
}

Result<std::vector<TrueAnomaly>> read_anomalies(const fs::path& csv, const std::string& split) {
  std::vector<TrueAnomaly> out;
  const Wanted wanted{{"video", "start_frame", "end_frame"}, {"video", "start_s", "end_s"}, split};
  auto done = read_rows(
      csv, wanted, [&](const Row& row, bool in_seconds) { return parse(row[0], &row[1], in_seconds, out.emplace_back()); });
  if (!done) return std::move(done).error();
  return out;
}

Result<std::vector<TrueEvent>> read_labels(const fs::path& csv, const std::string& column, const std::string& split) {
  std::vector<TrueEvent> out;
  const Wanted wanted{{"video", "start_s", "end_s", column}, {}, split};
  auto done = read_rows(csv, wanted, [&](const Row& row, bool) {
    TimeSpan span;
    if (!parse(row[1], row[2], span) || row[0].empty()) return false;
    out.push_back({file_name(row[0]), span.from, span.to, row[3], row[0]});
    return true;
  });
  if (!done) return std::move(done).error();
  return out;
}

}  // namespace longtake
