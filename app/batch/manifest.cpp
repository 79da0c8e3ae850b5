#include "app/batch/manifest.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace longtake {
namespace {

constexpr int kVersion = 1;
constexpr std::array<std::string_view, 5> kStates{"waiting", "running", "done", "failed", "no video"};

// Names of files are any bytes but zero, so they are kept as blobs.
constexpr char kSchema[] =
    "CREATE TABLE IF NOT EXISTS videos (path BLOB PRIMARY KEY, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL,"
    " content_key TEXT NOT NULL, settings_key TEXT NOT NULL, result BLOB NOT NULL, state TEXT NOT NULL, error TEXT NOT "
    "NULL,"
    " attempts INTEGER NOT NULL, frames INTEGER NOT NULL, events INTEGER NOT NULL, decode_errors INTEGER NOT NULL,"
    " video_s REAL NOT NULL, took_s REAL NOT NULL) WITHOUT ROWID;";
constexpr char kColumns[] =
    "path, size, modified_ns, content_key, settings_key, result, state, error, attempts, frames, events, decode_errors,"
    " video_s, took_s";

// A statement, bound and read from left to right.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) {
    sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(std::int64_t number) { sqlite3_bind_int64(statement_, ++bound_, number); }
  void bind(double number) { sqlite3_bind_double(statement_, ++bound_, number); }
  void bind(std::string_view text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind_bytes(std::string_view bytes) {
    sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  }

  int step() {
    column_ = 0;
    return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_);
  }
  std::int64_t integer() { return sqlite3_column_int64(statement_, column_++); }
  double real() { return sqlite3_column_double(statement_, column_++); }
  std::string text() {
    const void* bytes = sqlite3_column_blob(statement_, column_);
    const int length = sqlite3_column_bytes(statement_, column_++);
    return bytes == nullptr ? std::string()
                            : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(length));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0, column_ = 0;
};

ManifestEntry entry_of(Statement& row) {
  ManifestEntry out;
  out.path = row.text();
  out.size = row.integer();
  out.modified_ns = row.integer();
  out.content_key = row.text();
  out.settings_key = row.text();
  out.result = row.text();
  const std::string state = row.text();
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == state) out.state = static_cast<VideoState>(i);
  }
  out.error = row.text();
  out.attempts = row.integer();
  out.frames = row.integer();
  out.events = row.integer();
  out.decode_errors = row.integer();
  out.video_s = row.real();
  out.took_s = row.real();
  return out;
}

Error cannot(const std::filesystem::path& file, const std::string& why) {
  return {ErrorKind::kUnexpected, fmt::format("cannot keep the manifest \"{}\": {}", file.string(), why)};
}

}  // namespace

std::string_view name_of(VideoState state) { return kStates[static_cast<std::size_t>(state)]; }

Result<std::unique_ptr<Manifest>> Manifest::open(const std::filesystem::path& file) {
  const std::filesystem::path lock_file = file.string() + ".lock";
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return cannot(file, std::strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return Error{ErrorKind::kUsage, fmt::format("\"{}\" is in use: another batch works in that folder", file.string())};
  }
  sqlite3* database = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<Manifest> out(new Manifest(database, lock, file));
  if (opened != SQLITE_OK) return out->failed();
  const auto run = [&](const std::string& sql) {
    return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  if (!run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")) return out->failed();
  std::int64_t version = 0;
  {
    Statement asked(database, "PRAGMA user_version");
    if (asked.step() != SQLITE_ROW) return out->failed();
    version = asked.integer();
  }
  if (version > kVersion) {
    return Error{ErrorKind::kUsage, fmt::format("\"{}\" was made by a later version of longtake", file.string())};
  }
  if (!run(kSchema) || !run(fmt::format("PRAGMA user_version = {}", kVersion))) return out->failed();
  return out;
}

Manifest::~Manifest() {
  sqlite3_close(database_);
  ::close(lock_);
}

Error Manifest::failed() const { return cannot(file_, sqlite3_errmsg(database_)); }

Result<std::optional<ManifestEntry>> Manifest::find(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  Statement row(database_, fmt::format("SELECT {} FROM videos WHERE path = ?", kColumns));
  row.bind_bytes(path);
  const int got = row.step();
  if (got == SQLITE_DONE) return std::optional<ManifestEntry>();
  if (got != SQLITE_ROW) return failed();
  return std::optional(entry_of(row));
}

Result<std::vector<ManifestEntry>> Manifest::all() const {
  const std::scoped_lock lock(mutex_);
  Statement row(database_, fmt::format("SELECT {} FROM videos ORDER BY path", kColumns));
  std::vector<ManifestEntry> out;
  int got = row.step();
  for (; got == SQLITE_ROW; got = row.step()) out.push_back(entry_of(row));
  if (got != SQLITE_DONE) return failed();
  return out;
}

Result<void> Manifest::put(const ManifestEntry& entry) {
  const std::scoped_lock lock(mutex_);
  Statement row(database_,
                fmt::format("INSERT OR REPLACE INTO videos ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", kColumns));
  row.bind_bytes(entry.path);
  row.bind(entry.size);
  row.bind(entry.modified_ns);
  row.bind(entry.content_key);
  row.bind(entry.settings_key);
  row.bind_bytes(entry.result);
  row.bind(name_of(entry.state));
  row.bind(entry.error);
  row.bind(entry.attempts);
  row.bind(entry.frames);
  row.bind(entry.events);
  row.bind(entry.decode_errors);
  row.bind(entry.video_s);
  row.bind(entry.took_s);
  if (row.step() != SQLITE_DONE) return failed();
  return {};
}

}  // namespace longtake
