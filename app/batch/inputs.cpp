#include "app/batch/inputs.h"

#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/sha256.h"
#include "models/memory_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyDigits = 24;
constexpr std::size_t kLongestPart = 200;  // bytes; file systems allow 255, and a checkpoint's name is longer
constexpr std::array<std::string_view, 25> kNotVideos{
    ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".svg", ".ltm", ".json", ".jsonl",  ".csv",   ".txt",
    ".xml", ".html", ".ass", ".vtt", ".srt",  ".edl", ".otio", ".eaf", ".ini", ".md",   ".labels", ".sqlite"};

constexpr std::array<std::string_view, 23> kVideos{".mp4", ".m4v", ".mov",  ".mkv", ".webm", ".avi", ".mpg", ".mpeg",
                                                   ".ts",  ".mts", ".m2ts", ".wmv", ".flv",  ".3gp", ".ogv", ".vob",
                                                   ".mxf", ".y4m", ".h264", ".264", ".hevc", ".265", ".ivf"};

Error nothing_at(const std::string& path) { return {ErrorKind::kInput, fmt::format("cannot find \"{}\"", path)}; }

bool ends_as_one_of(const fs::path& path, std::span<const std::string_view> endings) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::find(endings, ending) != endings.end();
}

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  const std::string last = fs::path(name).filename().string();
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0 || fnmatch(pattern.c_str(), last.c_str(), 0) == 0;
  });
}

std::vector<std::string> paths_in(std::istream& list) {
  const std::string text(std::istreambuf_iterator<char>(list), {});
  const char between = text.find('\0') == std::string::npos ? '\n' : '\0';
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(between, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

class Collector {
 public:
  explicit Collector(std::istream& standard_input) : standard_input_(standard_input) {}

  Result<void> add(const std::string& given) {
    std::error_code ec;
    if (given == "-") return add_all(paths_in(standard_input_));
    if (fs::is_directory(given, ec)) return add_folder(given);
    if (fs::exists(given, ec) || given.find("://") != std::string::npos) {
      out.push_back({given, fs::path(given).filename().string(), true});
      return {};
    }
    if (given.starts_with('@')) {
      std::ifstream list(given.substr(1), std::ios::binary);
      if (!list) return nothing_at(given.substr(1));
      return add_all(paths_in(list));
    }
    return add_pattern(given);
  }

  std::vector<BatchInput> out;

 private:
  // Of a list: what it names is meant as it stands there.
  Result<void> add_all(const std::vector<std::string>& paths) {
    std::error_code ec;
    for (const std::string& path : paths) {
      if (fs::is_directory(path, ec)) {
        if (auto done = add_folder(path); !done) return done;
      } else {
        out.push_back({path, fs::path(path).filename().string(), true});
      }
    }
    return {};
  }

  Result<void> add_folder(const std::string& folder) {
    std::error_code ec;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, ec);
    if (ec) return Error{ErrorKind::kInput, fmt::format("cannot look into \"{}\": {}", folder, ec.message())};
    for (; at != fs::recursive_directory_iterator(); at.increment(ec)) {
      if (ec) break;
      std::error_code one;
      if (!at->is_regular_file(one) || ends_as_one_of(at->path(), kNotVideos)) continue;
      out.push_back({at->path().string(), at->path().lexically_relative(folder).string(), false});
    }
    return {};
  }

  Result<void> add_pattern(const std::string& pattern) {
    glob_t found{};
    const bool any = glob(pattern.c_str(), 0, nullptr, &found) == 0;
    const std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + (any ? found.gl_pathc : 0));
    globfree(&found);
    if (paths.empty()) return nothing_at(pattern);
    return add_all(paths);
  }

  std::istream& standard_input_;
};

// No longer than it may be, and still another than that of any other name.
std::string shortened(const std::string& part) {
  if (part.size() <= kLongestPart) return part;
  constexpr std::size_t kDigits = 12;
  return part.substr(0, kLongestPart - kDigits - 1) + '-' +
         sha256_hex(std::as_bytes(std::span(part))).substr(0, kDigits);
}

fs::path within(const std::string& name) {
  fs::path out;
  for (const fs::path& part : fs::path(name).relative_path()) {
    if (part.empty() || part == "." || part == "..") continue;
    out /= shortened(part.string());
  }
  return out.empty() ? fs::path("video") : out;
}

Result<std::string> filled(const std::string& pattern, const BatchInput& input, std::size_t number) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      out += pattern[at++];
      continue;
    }
    const std::string word = pattern.substr(at + 1, end - at - 1);
    if (word == "name") {
      out += input.name;
    } else if (word == "stem") {
      out += fs::path(input.name).replace_extension().string();
    } else if (word == "number") {
      out += std::to_string(number);
    } else if (word == "key") {
      const std::string key = source_key(input.path);
      out += key.empty() ? "stream" : key.substr(0, kKeyDigits);
    } else {
      return Error{ErrorKind::kUsage,
                   fmt::format("--name knows {{name}}, {{stem}}, {{number}} and {{key}}, not {{{}}}", word)};
    }
    at = end + 1;
  }
  return out;
}

}  // namespace

Result<std::vector<BatchInput>> batch_inputs(const std::vector<std::string>& given, const InputFilter& filter,
                                             std::istream& standard_input) {
  Collector collector(standard_input);
  for (const std::string& one : given) {
    if (auto done = collector.add(one); !done) return std::move(done).error();
  }
  std::vector<BatchInput>& found = collector.out;
  std::erase_if(found, [&](const BatchInput& input) {
    return (!filter.include.empty() && !matches(filter.include, input.name)) || matches(filter.exclude, input.name);
  });
  // What was named wins over the same file found in a folder.
  std::ranges::stable_sort(found, {}, [](const BatchInput& input) { return std::pair(input.path, !input.named); });
  const auto again = std::ranges::unique(found, {}, &BatchInput::path);
  found.erase(again.begin(), again.end());
  if (found.empty()) return Error{ErrorKind::kInput, "there is nothing to watch: no file was named or found"};
  return std::move(found);
}

std::span<const std::string_view> video_endings() { return kVideos; }

bool has_video_ending(const std::string& path) { return ends_as_one_of(path, kVideos); }

Result<std::vector<std::string>> result_names(const std::vector<BatchInput>& inputs, const std::string& pattern) {
  std::vector<std::string> out;
  std::set<std::string> taken;
  for (const BatchInput& input : inputs) {
    auto name = filled(pattern.empty() ? "{name}.jsonl" : pattern, input, out.size() + 1);
    if (!name) return std::move(name).error();
    const fs::path first = within(*name);
    fs::path path = first;
    for (int n = 2; !taken.insert(path.string()).second; ++n) {
      path = first.parent_path() / fmt::format("{}-{}{}", first.stem().string(), n, first.extension().string());
    }
    out.push_back(path.string());
  }
  return out;
}

}  // namespace longtake
