#include "core/store/atomic_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr int kMostNames = 100;

Error cannot(const std::string& what, const std::string& name, const std::string& why) {
  return Error{ErrorKind::kUnexpected, "cannot " + what + " \"" + name + "\": " + why};
}

std::string reason(int code) { return std::generic_category().message(code); }

// Owns a descriptor other than standard output.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const noexcept { return value_; }
  int release() noexcept { return std::exchange(value_, -1); }

 private:
  int value_;
};

// Removes the temporary unless it was renamed.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const fs::path& path() const noexcept { return path_; }
  void keep() noexcept { path_.clear(); }

 private:
  fs::path path_;
};

// Returns 0, or the errno of the failure. Goes on after short writes and signals, and waits for a slow pipe
// that was opened non-blocking by whoever started us.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{descriptor, POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Some file systems cannot do it for folders or special files and say EINVAL; nothing better can be done
// then.
int bring_to_disk(int descriptor) { return ::fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno; }

// What a link names; temporaries lie beside that.
fs::path target_of(const fs::path& path, std::error_code& code) {
  return fs::is_symlink(path, code) ? fs::weakly_canonical(path, code) : path;
}
fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : fs::path("."); }

// Names of temporaries: .NAME.PROCESS-ATTEMPT.tmp
std::string temporary_prefix(const fs::path& target) { return "." + target.filename().string() + "."; }
constexpr char kTemporarySuffix[] = ".tmp";

bool is_regular(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<void> write_file_atomically(const fs::path& path, std::string_view text) {
  std::error_code code;
  const fs::path target = target_of(path, code);
  if (code && code != std::errc::no_such_file_or_directory)
    return cannot("write", path.string(), code.message());
  if (fs::exists(target, code) && !fs::is_regular_file(target, code)) {
    return cannot("write", path.string(), "it is there and not a regular file");
  }

  const fs::path folder = folder_of(target);
  fs::path temporary_path;
  int opened = -1;
  // A name may be taken: by another thread, or by a process of the same number that was killed long ago.
  for (int attempt = 0; opened < 0 && attempt < kMostNames; ++attempt) {
    temporary_path = folder / fmt::format("{}{}-{}{}", temporary_prefix(target), ::getpid(), attempt, kTemporarySuffix);
    opened = ::open(temporary_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (opened < 0 && errno != EEXIST) break;
  }
  if (opened < 0) return cannot("write", path.string(), reason(errno));
  Temporary temporary(temporary_path);
  Descriptor file(opened);
  int failed = write_all(file.get(), text);
  if (failed == 0) failed = bring_to_disk(file.get());
  if (::close(file.release()) != 0 && failed == 0) failed = errno;
  if (failed == 0 && ::rename(temporary.path().c_str(), target.c_str()) != 0) failed = errno;
  if (failed != 0) return cannot("write", path.string(), reason(failed));
  temporary.keep();

  // The new name itself reaches the disk with the folder.
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  failed = directory.get() < 0 ? errno : bring_to_disk(directory.get());
  if (failed != 0) return cannot("bring to the disk", folder.string(), reason(failed));
  return {};
}

Result<void> write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  return write_file_atomically(path,
                               std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void remove_unfinished(const fs::path& path) {
  std::error_code code;
  const fs::path target = target_of(path, code);
  const std::string prefix = temporary_prefix(target);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder_of(target), code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kTemporarySuffix)) continue;
    const std::string between = name.substr(prefix.size(), name.size() - prefix.size() - std::size(kTemporarySuffix) + 1);
    if (between.find_first_not_of("0123456789-") == std::string::npos) found.push_back(entry.path());
  }
  for (const fs::path& temporary : found) fs::remove(temporary, code);
}

Result<ResultFile> ResultFile::create(const fs::path& path) {
  if (path == "-") return ResultFile(STDOUT_FILENO, "standard output", is_regular(STDOUT_FILENO), 0);
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) return cannot("write", path.string(), reason(errno));
  const bool regular = is_regular(file.get());
  return ResultFile(file.release(), path.string(), regular, 0);
}

Result<ResultFile> ResultFile::resume(const fs::path& path, std::int64_t length) {
  if (length < 0) throw std::invalid_argument("ResultFile::resume: a length below zero");
  if (path == "-") return cannot("continue", "standard output", "it cannot be cut back to where it was");
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return cannot("continue", path.string(), reason(errno));
  if (!is_regular(file.get())) return cannot("continue", path.string(), "it is not a regular file");
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  if (end < 0) return cannot("continue", path.string(), reason(errno));
  if (end < length) {
    return cannot("continue", path.string(),
                  "it has " + std::to_string(end) + " bytes, fewer than the " + std::to_string(length) +
                      " that were written to it");
  }
  if (::ftruncate(file.get(), length) != 0 || ::lseek(file.get(), length, SEEK_SET) < 0) {
    return cannot("continue", path.string(), reason(errno));
  }
  return ResultFile(file.release(), path.string(), true, length);
}

ResultFile::ResultFile(ResultFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      regular_(other.regular_),
      length_(other.length_) {}

ResultFile& ResultFile::operator=(ResultFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(name_, other.name_);
  std::swap(regular_, other.regular_);
  std::swap(length_, other.length_);
  return *this;
}

ResultFile::~ResultFile() {
  if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

Result<void> ResultFile::write(std::string_view text) {
  if (descriptor_ < 0) throw std::invalid_argument("ResultFile::write: the file was moved away");
  const int failed = write_all(descriptor_, text);
  if (failed == 0) {
    length_ += static_cast<std::int64_t>(text.size());
    return {};
  }
  // Half a piece is worse than none. Standard output may hold what others wrote before us, so its position
  // counts.
  if (regular_ && descriptor_ != STDOUT_FILENO && ::ftruncate(descriptor_, length_) == 0) {
    ::lseek(descriptor_, length_, SEEK_SET);
  }
  return cannot("write", name_, reason(failed));
}

Result<std::int64_t> ResultFile::sync() {
  if (descriptor_ < 0) throw std::invalid_argument("ResultFile::sync: the file was moved away");
  if (regular_) {
    if (const int failed = bring_to_disk(descriptor_); failed != 0) {
      return cannot("bring to the disk", name_, reason(failed));
    }
  }
  return length_;
}

}  // namespace longtake
