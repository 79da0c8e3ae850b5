#include "app/studio/project_file.h"

#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/atomic_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{128} << 20;

// A name that nothing has yet.
fs::path kept_aside(const fs::path& file) {
  std::error_code ec;
  fs::path out = file;
  for (int i = 1; i == 1 || fs::exists(out, ec); ++i) {
    out = file;
    out.replace_filename(fmt::format("{}.unusable-{}{}", file.stem().string(), i, file.extension().string()));
  }
  return out;
}

Result<Edits> read(const fs::path& file, std::string_view video) {
  std::error_code ec;
  const auto bytes = fs::file_size(file, ec);
  if (ec) return Error{ErrorKind::kInput, "it cannot be read"};
  if (bytes > kMostBytes) return Error{ErrorKind::kInput, "it is too large"};
  std::string text(bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  if (!in.read(text.data(), static_cast<std::streamsize>(bytes))) return Error{ErrorKind::kInput, "it cannot be read"};
  return parse_edits(text, video);
}

}  // namespace

LoadedProject load_project(const fs::path& file, std::string_view video) {
  std::error_code ec;
  if (!fs::exists(file, ec)) return {};
  auto edits = read(file, video);
  if (edits) return {std::move(*edits), {}};
  const fs::path aside = kept_aside(file);
  fs::rename(file, aside, ec);
  const std::string where = ec ? "it cannot be moved away either" : fmt::format("it is kept as \"{}\"", aside.string());
  return {{}, fmt::format("cannot use the project \"{}\": {}; {}", file.string(), edits.error().message, where)};
}

ProjectSaver::ProjectSaver(fs::path file, std::function<void(const Error&)> failed)
    : file_(std::move(file)), failed_(std::move(failed)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

ProjectSaver::~ProjectSaver() = default;

void ProjectSaver::save(std::string text) {
  {
    const std::scoped_lock lock(mutex_);
    text_ = std::move(text);
  }
  given_.notify_one();
}

void ProjectSaver::run(const std::stop_token& stop) {
  for (;;) {
    std::string text;
    {
      std::unique_lock lock(mutex_);
      given_.wait(lock, stop, [this] { return text_.has_value(); });
      if (!text_) return;
      text = *std::exchange(text_, std::nullopt);
    }
    std::error_code ec;
    fs::create_directories(file_.parent_path(), ec);
    if (auto done = write_file_atomically(file_, text); !done) failed_(done.error());
  }
}

}  // namespace longtake
