#include "core/store/atomic_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// Lets no file of this process grow beyond a size, as a full disk would. With SIGXFSZ ignored, writes fail
// instead.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t handler_;
};

// Puts another descriptor in the place of standard output for a while.
class StandardOutput {
 public:
  explicit StandardOutput(int descriptor) : before_(::dup(STDOUT_FILENO)) {
    ::dup2(descriptor, STDOUT_FILENO);
  }
  ~StandardOutput() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  int before_;
};

TEST(WriteFileAtomically, MakesOrReplacesTheWholeFile) {
  const TempDir folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", std::string_view("a longer text")));
  EXPECT_EQ(contents(folder / "a"), "a longer text");
  ASSERT_TRUE(write_file_atomically(folder / "a", std::string_view("short")));
  EXPECT_EQ(contents(folder / "a"), "short");
  EXPECT_EQ(entries(folder.path()), 1u) << "no temporary stays";
}

TEST(WriteFileAtomically, WritesIntoTheCurrentFolder) {
  const TempDir folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const auto done = write_file_atomically("a", std::string_view("x"));
  fs::current_path(before);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(contents(folder / "a"), "x");
}

TEST(WriteFileAtomically, NeverShowsAReaderHalfAFile) {
  const TempDir folder;
  const std::string one(30'000, '1');
  const std::string two(20'000, '2');
  ASSERT_TRUE(write_file_atomically(folder / "a", std::string_view(one)));
  std::jthread writer([&](std::stop_token stop) {
    for (bool odd = true; !stop.stop_requested(); odd = !odd) {
      (void)write_file_atomically(folder / "a", std::string_view(odd ? two : one));
    }
  });
  for (int i = 0; i < 100; ++i) {
    const std::string seen = contents(folder / "a");
    ASSERT_TRUE(seen == one || seen == two) << seen.size();
  }
}

TEST(WriteFileAtomically, LetsThreadsWriteTheSameFileAtOnce) {
  const TempDir folder;
  {
    std::vector<std::jthread> writers;
    for (char c = 'a'; c < 'e'; ++c) {
      writers.emplace_back([&folder, c] {
        for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file_atomically(folder / "x", std::string(5000, c)));
      });
    }
  }
  EXPECT_EQ(contents(folder / "x").size(), 5000u);
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenTheDiskIsFull) {
  const TempDir folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", std::string_view("old")));
  {
    const FileSizeLimit limit(1000);
    const auto done = write_file_atomically(folder / "a", std::string(5000, 'n'));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kUnexpected);
    EXPECT_EQ(done.error().message, "cannot write \"" + (folder / "a").string() + "\": File too large");
  }
  EXPECT_EQ(contents(folder / "a"), "old");
  EXPECT_EQ(entries(folder.path()), 1u) << "no temporary stays";
}

TEST(WriteFileAtomically, SaysWhyAFolderCannotTakeIt) {
  const TempDir folder;
  const auto done = write_file_atomically(folder / "absent/a", std::string_view("x"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "cannot write \"" + (folder / "absent/a").string() + "\": No such file or directory");
}

TEST(WriteFileAtomically, DoesNotPutAFileInThePlaceOfAPipeOrAFolder) {
  const TempDir folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_directory(folder / "inner");
  for (const char* name : {"pipe", "inner"}) {
    const auto done = write_file_atomically(folder / name, std::string_view("x"));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, EndsWith("not a regular file"));
  }
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  EXPECT_EQ(entries(folder.path()), 2u);
}

TEST(WriteFileAtomically, FollowsALink) {
  const TempDir folder;
  fs::create_directory(folder / "inner");
  std::ofstream(folder / "inner/real") << "old";
  fs::create_symlink("inner/real", folder / "link");
  ASSERT_TRUE(write_file_atomically(folder / "link", std::string_view("new")));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(contents(folder / "inner/real"), "new");
}

TEST(WriteFileAtomically, PassesByTemporariesThatAKilledProgramLeft) {
  const TempDir folder;
  std::ofstream(folder / (".a." + std::to_string(::getpid()) + "-0.tmp")) << "left over";
  ASSERT_TRUE(write_file_atomically(folder / "a", std::string_view("new")));
  EXPECT_EQ(contents(folder / "a"), "new");
  EXPECT_EQ(entries(folder.path()), 2u);
}

TEST(RemoveUnfinished, TakesAwayTheTemporariesOfOneFile) {
  const TempDir dir;
  for (const char* name : {".a.123-0.tmp", ".a.4-99.tmp", ".ab.1-0.tmp", ".a.b.1-0.tmp", ".a.tmp", ".a.1-0.tmp.txt", "a", "a.1-0.tmp"}) {
    std::ofstream(dir / name) << "x";
  }
  remove_unfinished(dir / "a");
  EXPECT_EQ(entries(dir.path()), 6u);
  EXPECT_FALSE(fs::exists(dir / ".a.123-0.tmp"));
  EXPECT_FALSE(fs::exists(dir / ".a.4-99.tmp"));
  fs::create_symlink(dir / "ab", dir / "link");
  std::ofstream(dir / "ab") << "x";
  remove_unfinished(dir / "link");
  EXPECT_FALSE(fs::exists(dir / ".ab.1-0.tmp")) << "beside the file that the link names";
  remove_unfinished(dir / "no/where");
}

TEST(ResultFile, ShowsEachPieceAtOnceAndCountsBytes) {
  const TempDir folder;
  std::ofstream(folder / "r") << "what was there before and is longer";
  auto file = ResultFile::create(folder / "r");
  ASSERT_TRUE(file);
  EXPECT_EQ(contents(folder / "r"), "");
  ASSERT_TRUE(file->write("{\"a\":1}\n"));
  EXPECT_EQ(contents(folder / "r"), "{\"a\":1}\n");
  ASSERT_TRUE(file->write("{}\n"));
  const auto length = file->sync();
  ASSERT_TRUE(length);
  EXPECT_EQ(*length, 11);
  EXPECT_EQ(file->length(), 11);
}

TEST(ResultFile, ResumesWhereItWasSynced) {
  const TempDir folder;
  std::int64_t length = 0;
  {
    auto file = ResultFile::create(folder / "r");
    ASSERT_TRUE(file && file->write("one\n"));
    length = *file->sync();
    ASSERT_TRUE(file->write("two, which is forgotten\n"));
  }
  auto file = ResultFile::resume(folder / "r", length);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->length(), 4);
  ASSERT_TRUE(file->write("2\n"));
  EXPECT_EQ(contents(folder / "r"), "one\n2\n");
}

TEST(ResultFile, DoesNotResumeWhatIsAbsentTooShortOrNoFile) {
  const TempDir folder;
  std::ofstream(folder / "r") << "abc";
  EXPECT_TRUE(ResultFile::resume(folder / "r", 3));
  const auto too_short = ResultFile::resume(folder / "r", 4);
  ASSERT_FALSE(too_short);
  EXPECT_THAT(too_short.error().message,
              EndsWith("it has 3 bytes, fewer than the 4 that were written to it"));
  EXPECT_EQ(contents(folder / "r"), "abc") << "refused means untouched";
  EXPECT_FALSE(ResultFile::resume(folder / "absent", 0));
  EXPECT_FALSE(fs::exists(folder / "absent"));
  EXPECT_FALSE(ResultFile::resume("/dev/null", 0));
  EXPECT_FALSE(ResultFile::resume("-", 0));
  EXPECT_THROW((void)ResultFile::resume(folder / "r", -1), std::invalid_argument);
}

TEST(ResultFile, KeepsWholePiecesWhenTheDiskIsFull) {
  const TempDir folder;
  auto file = ResultFile::create(folder / "r");
  ASSERT_TRUE(file && file->write("whole\n"));
  {
    const FileSizeLimit limit(1000);
    const auto done = file->write(std::string(5000, 'x'));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kUnexpected);
    EXPECT_THAT(done.error().message, HasSubstr("File too large"));
    EXPECT_EQ(contents(folder / "r"), "whole\n");
    EXPECT_EQ(file->length(), 6);
  }
  ASSERT_TRUE(file->write("more\n"));
  EXPECT_EQ(contents(folder / "r"), "whole\nmore\n");
}

TEST(ResultFile, ReportsADeviceThatIsFull) {
  auto file = ResultFile::create("/dev/full");
  ASSERT_TRUE(file);
  const auto done = file->write("x\n");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "cannot write \"/dev/full\": No space left on device");
}

TEST(ResultFile, NamesAFileThatCannotBeMade) {
  const TempDir folder;
  const auto file = ResultFile::create(folder / "absent/r");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kUnexpected);
  EXPECT_THAT(file.error().message, HasSubstr((folder / "absent/r").string()));
}

TEST(ResultFile, WritesBehindWhatStandardOutputHoldsAndLeavesItOpen) {
  const TempDir folder;
  const int descriptor = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::write(descriptor, "before\n", 7), 7);
  {
    const StandardOutput redirected(descriptor);
    {
      auto file = ResultFile::create("-");
      ASSERT_TRUE(file && file->write("{}\n"));
      EXPECT_EQ(*file->sync(), 3);
    }
    EXPECT_EQ(::write(STDOUT_FILENO, "after\n", 6), 6);
  }
  ::close(descriptor);
  EXPECT_EQ(contents(folder / "out"), "before\n{}\nafter\n");
}

TEST(ResultFile, ReportsAReaderWhoWentAway) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const sighandler_t before = ::signal(SIGPIPE, SIG_IGN);
  {
    const StandardOutput redirected(ends[1]);
    auto file = ResultFile::create("-");
    ASSERT_TRUE(file);
    const auto done = file->write("x\n");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "cannot write \"standard output\": Broken pipe");
  }
  ::signal(SIGPIPE, before);
  ::close(ends[1]);
}

TEST(ResultFile, WaitsForASlowReaderOfANonBlockingPipe) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  const std::string text(300'000, 'y');  // more than a pipe holds
  std::string received;
  {
    const StandardOutput redirected(ends[1]);
    std::jthread reader([&] {
      std::string piece(10'000, '\0');
      while (received.size() < text.size()) {
        const ssize_t count = ::read(ends[0], piece.data(), piece.size());
        if (count > 0) received.append(piece, 0, static_cast<std::size_t>(count));
        if (count <= 0) std::this_thread::yield();
      }
    });
    auto file = ResultFile::create("-");
    ASSERT_TRUE(file);
    const auto done = file->write(text);
    EXPECT_TRUE(done) << done.error().message;
    if (!done) ::close(ends[1]);
  }
  EXPECT_EQ(received, text);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace longtake
