// Two ways to put bytes on a disk so that a crash, a full disk or a pulled plug leaves no half-written file
// behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace longtake {

// For files that are replaced as a whole (memories, models). Writes under a temporary name in the same
// folder, brings that to the disk, then renames it: afterwards either the whole new file stands at `path` or
// whatever was there before. A symbolic link is followed, so that the file it names is replaced and not the
// link. What exists and is not a regular file (a device, a pipe) is refused, since a rename would replace it.
// Any thread. Errors are of kind kUnexpected; the temporary is gone then.
Result<void> write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text);

// Removes what programs that were killed while they wrote `path` left of its next version. For callers who know that nobody
// writes it now. What cannot be removed stays.
void remove_unfinished(const std::filesystem::path& path);

// For a file that grows by whole pieces (JSON lines): each write() hands its text to the system at once, so a
// reader who follows the file sees it. One thread.
//
// If a write fails, the file is cut back to the last whole piece. A reader who closed its end of a pipe shows
// up as an Error only if the program ignores SIGPIPE; otherwise that signal ends the program, as it ends any
// Unix filter.
class ResultFile {
 public:
  // Creates the file or empties the one that is there. "-" is standard output, which is neither emptied nor
  // closed.
  static Result<ResultFile> create(const std::filesystem::path& path);
  // Goes on with a file that is at least `length` bytes long, forgetting what follows them. Not for standard
  // output.
  static Result<ResultFile> resume(const std::filesystem::path& path, std::int64_t length);

  ResultFile(ResultFile&& other) noexcept;
  ResultFile& operator=(ResultFile&& other) noexcept;
  ~ResultFile();

  // Errors of kind kUnexpected name the file and the system's reason.
  Result<void> write(std::string_view text);
  // Brings everything written to the disk and returns the length, which resume() takes later. For a pipe:
  // only the number of bytes written.
  Result<std::int64_t> sync();

  std::int64_t length() const noexcept { return length_; }

 private:
  ResultFile(int descriptor, std::string name, bool regular, std::int64_t length)
      : descriptor_(descriptor), name_(std::move(name)), regular_(regular), length_(length) {}

  int descriptor_ = -1;
  std::string name_;      // for messages
  bool regular_ = false;  // a file on a disk: can be cut and brought to it
  std::int64_t length_ = 0;
};

}  // namespace longtake
