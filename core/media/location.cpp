#include "core/media/location.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include "core/media/ffmpeg_handles.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

Error refusal(const Location& at, const std::string& why) {
  return {ErrorKind::kInput, "cannot open " + at.quoted + ": " + why};
}

std::string system_reason(int code) { return std::generic_category().message(code); }

bool is_ffmpeg_protocol(std::string_view name) {
  void* cursor = nullptr;
  while (const char* protocol = avio_enum_protocols(&cursor, 0)) {
    if (name == protocol) return true;
  }
  return false;
}

// "rtsp://…", "concat:…", but not "C:\…" or "talk: part 1.mp4".
bool is_url(std::string_view uri) {
  const auto is_scheme_character = [](unsigned char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' || c == '-' ||
           c == '.';
  };
  const auto end = std::find_if_not(uri.begin(), uri.end(), is_scheme_character);
  const auto scheme = uri.substr(0, static_cast<std::size_t>(end - uri.begin()));
  const auto rest = uri.substr(scheme.size());
  if (scheme.empty() || !rest.starts_with(':')) return false;
  return rest.starts_with("://") || is_ffmpeg_protocol(scheme);
}

// The %d or %0Nd in a file name.
struct NumberPattern {
  std::string before;
  std::string after;
  std::size_t digits = 0;  // at least so many, filled up with zeros

  static std::optional<NumberPattern> find(std::string_view name) {
    NumberPattern pattern;
    bool found = false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string& part = found ? pattern.after : pattern.before;
      if (name[i] != '%') {
        part += name[i];
        continue;
      }
      std::size_t end = i + 1;
      while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
      if (end == name.size()) return std::nullopt;
      if (name[end] == '%' && end == i + 1) {
        part += '%';
      } else if (name[end] == 'd' && !found) {
        const auto width = name.substr(i + 1, end - i - 1);
        std::from_chars(width.data(), width.data() + width.size(), pattern.digits);
        if (pattern.digits > 18 || (!width.empty() && width[0] != '0')) return std::nullopt;
        found = true;
      } else {
        return std::nullopt;
      }
      i = end;
    }
    return found ? std::optional(pattern) : std::nullopt;
  }

  std::optional<std::int64_t> number_of(std::string_view name) const {
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) {
      return std::nullopt;
    }
    const auto text = name.substr(before.size(), name.size() - before.size() - after.size());
    const std::size_t least = std::max<std::size_t>(digits, 1);
    if (text.size() < least || (text.size() > least && text[0] == '0')) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
  }
};

Result<Location> locate_sequence(Location at, const NumberPattern& pattern) {
  at.kind = Location::Kind::kSequence;
  at.first_number = std::numeric_limits<std::int64_t>::max();
  fs::path folder = fs::path(at.path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const auto number = pattern.number_of(entry->path().filename().native());
    if (!number) continue;
    ++at.pictures;
    at.first_number = std::min(at.first_number, *number);
  }
  if (failure) return refusal(at, "its folder cannot be listed (" + failure.message() + ")");
  if (at.pictures == 0) return refusal(at, "no file has a name of this pattern");
  return at;
}

bool is_camera(const struct stat& status) {
  constexpr unsigned kVideo4Linux = 81;
  return S_ISCHR(status.st_mode) && major(status.st_rdev) == kVideo4Linux;
}

Result<Location> locate_existing(Location at, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return refusal(at, "it is a directory");
  if (S_ISSOCK(status.st_mode)) return refusal(at, "it is a socket");
  if (is_camera(status)) {
    at.kind = Location::Kind::kCamera;
    return at;
  }
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    at.kind = Location::Kind::kPipe;
    return at;
  }
  if (S_ISREG(status.st_mode) && status.st_size == 0) return refusal(at, "the file is empty");
  if (access(at.path.c_str(), R_OK) != 0) return refusal(at, system_reason(errno));
  at.kind = Location::Kind::kFile;
  return at;
}

Result<Location> locate_standard_input(Location at) {
  at.kind = Location::Kind::kPipe;
  at.path.clear();
  struct stat status = {};
  if (fstat(STDIN_FILENO, &status) != 0) return refusal(at, "standard input is closed");
  if (S_ISDIR(status.st_mode)) return refusal(at, "it is a directory");
  // `longtake analyze - < clip.mp4`: a file in all but name, and some files cannot be read from front to
  // back.
  if (S_ISREG(status.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0) {
    at.path = "/dev/stdin";
    return locate_existing(at, status);
  }
  return at;
}

std::string without_user(std::string_view url) {
  std::string out;
  while (true) {
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return out.append(url);
    out.append(url.substr(0, colon + 3));
    url.remove_prefix(colon + 3);

    // A password with an unescaped slash ends the host part early. What then looks like host:port has no port
    // number.
    auto host_end = std::min(url.find_first_of("/?#|"), url.size());
    auto at = url.substr(0, host_end).rfind('@');
    if (at == std::string_view::npos && !url.starts_with('[')) {
      const auto port = url.substr(0, host_end).find(':');
      const bool odd =
          port != std::string_view::npos &&
          url.substr(port + 1, host_end - port - 1).find_first_not_of("0123456789") != std::string_view::npos;
      if (odd) at = url.rfind('@');
    }
    if (at != std::string_view::npos) {
      out += "***";
      url.remove_prefix(at);
    }
  }
}

}  // namespace

std::string without_secrets(std::string_view url) {
  const auto query = url.find('?');
  std::string out = without_user(url.substr(0, query));
  if (query != std::string_view::npos) out += "?***";
  return out;
}

std::string quoted_name(std::string_view name) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool names_camera(const std::string& uri) {
  if (uri.starts_with("/dev/video") || uri.starts_with("/dev/v4l/")) return true;
  struct stat status = {};
  return stat(uri.c_str(), &status) == 0 && is_camera(status);
}

Result<Location> locate(const std::string& uri) {
  Location at;
  at.path = uri;
  at.shown = uri;
  at.quoted = quoted_name(uri);
  if (uri.empty()) return refusal(at, "the name is empty");
  if (uri == "-") return locate_standard_input(std::move(at));
  if (uri.find('\0') != std::string::npos) return refusal(at, "the name has a zero byte");

  const auto show_last_part = [&at] {
    const auto name = fs::path(at.path).filename().native();
    at.shown = name.empty() ? at.path : name;
  };
  struct stat status = {};
  if (stat(uri.c_str(), &status) == 0) {
    show_last_part();
    return locate_existing(std::move(at), status);
  }
  const int reason = errno;
  if (uri.starts_with("file:")) {
    const auto name = uri.substr(uri.starts_with("file://") ? 7 : 5);
    return locate(name == "-" ? "./-" : name);
  }
  if (is_url(uri)) {
    at.kind = Location::Kind::kUrl;
    at.shown = without_secrets(uri);
    at.quoted = quoted_name(at.shown);
    return at;
  }
  show_last_part();
  if (reason == ENOENT) {
    if (const auto pattern = NumberPattern::find(at.shown)) return locate_sequence(std::move(at), *pattern);
  }
  return refusal(at, system_reason(reason));
}

}  // namespace longtake
