#include "models/train/features.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/pipeline/pipeline.h"
#include "core/store/half.h"
#include "core/store/sha256.h"
#include "models/memory_file.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;

constexpr char kMagic[8] = {'L', 'T', 'F', 'E', 'A', 'T', '0', '1'};
constexpr char kSuffix[] = ".features";

// Records of one size follow it, one a frame.
struct Header {
  char magic[8] = {};
  std::uint32_t token_numbers = Features::kTokenNumbers;
  std::uint32_t embedding = Encoder::kEmbedding;
  std::uint32_t thumbnail = sizeof(Thumbnail);
  std::uint32_t reserved = 0;
  std::int64_t time_base_num = 1;
  std::int64_t time_base_den = 1;
};
static_assert(sizeof(Header) == 40);

constexpr std::size_t kTokensAt = sizeof(std::int64_t);  // after the pts
constexpr std::size_t kEmbeddingAt = kTokensAt + Features::kTokenNumbers * sizeof(std::uint16_t);
constexpr std::size_t kThumbnailAt = kEmbeddingAt + Encoder::kEmbedding * sizeof(std::uint16_t);
constexpr std::size_t kRecordBytes = kThumbnailAt + sizeof(Thumbnail);
static_assert(kRecordBytes % alignof(std::int64_t) == 0);

bool fits(const Header& header) {
  const Header ours;
  return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 && header.token_numbers == ours.token_numbers &&
         header.embedding == ours.embedding && header.thumbnail == ours.thumbnail && header.time_base_num > 0 &&
         header.time_base_den > 0;
}

std::string reason() { return std::generic_category().message(errno); }

// Owns a file descriptor, and with it a lock.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    const ssize_t wrote = ::write(fd, at, bytes);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) throw std::runtime_error(fmt::format("cannot write features of a video: {}", reason()));
    at += wrote;
    bytes -= static_cast<std::size_t>(wrote);
  }
}

// What a view adds to the name of a file of features.
std::string_view view_suffix(FrameView view) {
  switch (view) {
    case FrameView::kPlain: return "";
    case FrameView::kDegraded: return "\ndegraded";
    case FrameView::kMirrored: return "\nmirrored";
    case FrameView::kUpsideDown: return "\nupside down";
  }
  return "";
}

// Takes what the encoders hand over, in stream order, to the end of a file.
class Recorder final : public Analyzer {
 public:
  Recorder(std::shared_ptr<const Encoder> encoder, FrameView view, int fd)
      : encoder_(std::move(encoder)), view_(view), fd_(fd) {
    record_.resize(kRecordBytes);
  }

  std::unique_ptr<FrameEncoder> make_encoder() const override {
    return make_frame_encoder(encoder_, {.probabilities = false, .visible = nullptr, .view = view_});
  }
  Observation watch(const FrameTime& time, const Encoded& frame) override {
    std::memcpy(record_.data(), &time.pts, sizeof time.pts);
    put(frame.tokens, kTokensAt);
    put(frame.embedding, kEmbeddingAt);
    std::memcpy(&record_[kThumbnailAt], frame.thumbnail.data(), sizeof(Thumbnail));
    write_all(fd_, record_.data(), record_.size());
    Observation out;
    out.frame = time.ordinal;
    out.pts = time.pts;
    out.t = time.t;
    out.dt = time.dt;
    out.thumbnail = frame.thumbnail;
    return out;
  }
  void discontinue() override {}
  void save(TensorFile&) const override {}
  std::int64_t guards() const override { return 0; }
  std::int64_t state_bytes() const override { return 0; }

 private:
  void put(const std::vector<float>& values, std::size_t at) {
    for (const float value : values) {
      const std::uint16_t half = float_to_half(value);
      std::memcpy(&record_[at], &half, sizeof half);
      at += sizeof half;
    }
  }

  std::shared_ptr<const Encoder> encoder_;
  FrameView view_;
  int fd_;
  std::vector<std::byte> record_;
};

class Nowhere final : public Sink {
 public:
  Result<void> begin(const StreamInfo&) override { return {}; }
  Result<void> accept(std::span<const Record>) override { return {}; }
  Result<void> checkpoint(const TensorFile&) override { return {}; }
  Result<void> finish(const EndRecord&) override { return {}; }
};

std::vector<NamedScore> no_names(std::span<const float>) { return {}; }

Error trouble(const std::string& video, const std::string& why) {
  return {ErrorKind::kUnexpected, fmt::format("cannot keep the features of \"{}\": {}", video, why)};
}

}  // namespace

Result<std::shared_ptr<const Features>> Features::open(const fs::path& file, std::string name) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kModel, fmt::format("cannot use features \"{}\": {}", file.string(), why)};
  };
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return refuse(reason());
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refuse(reason());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(Header) || (size - sizeof(Header)) % kRecordBytes != 0) return refuse("it is cut short");
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (at == MAP_FAILED) return refuse(reason());
  std::shared_ptr<Features> out(new Features);
  out->name_ = std::move(name);
  out->file_ = static_cast<const std::byte*>(at);
  out->size_ = size;
  out->frames_ = static_cast<std::int64_t>((size - sizeof(Header)) / kRecordBytes);
  Header header;
  std::memcpy(&header, at, sizeof header);
  if (!fits(header)) return refuse("it is of another format");
  out->seconds_per_pts_ = static_cast<double>(header.time_base_num) / static_cast<double>(header.time_base_den);
  for (std::int64_t i = 1; i < out->frames_; ++i) {
    if (out->pts(i) <= out->pts(i - 1)) return refuse("its times do not increase");
  }
  return std::shared_ptr<const Features>(std::move(out));
}

Features::~Features() {
  if (file_ != nullptr) ::munmap(const_cast<std::byte*>(file_), size_);
}

const std::byte* Features::record(std::int64_t frame) const {
  if (frame < 0 || frame >= frames_) throw std::invalid_argument("Features: no such frame");
  return file_ + sizeof(Header) + static_cast<std::size_t>(frame) * kRecordBytes;
}

std::int64_t Features::pts(std::int64_t frame) const {
  std::int64_t pts = 0;
  std::memcpy(&pts, record(frame), sizeof pts);
  return pts;
}

double Features::seconds(std::int64_t frame) const {
  return static_cast<double>(pts(frame) - pts(0)) * seconds_per_pts_;
}

std::int64_t Features::nearest(double seconds) const {
  std::int64_t first = 0;
  std::int64_t last = frames_ - 1;  // the answer is in first … last
  while (last - first > 1) {
    const std::int64_t middle = first + (last - first) / 2;
    (this->seconds(middle) <= seconds ? first : last) = middle;
  }
  return this->seconds(last) - seconds < seconds - this->seconds(first) ? last : first;
}

std::span<const std::uint16_t> Features::tokens(std::int64_t frame) const {
  return {reinterpret_cast<const std::uint16_t*>(record(frame) + kTokensAt), kTokenNumbers};
}
std::span<const std::uint16_t> Features::embedding(std::int64_t frame) const {
  return {reinterpret_cast<const std::uint16_t*>(record(frame) + kEmbeddingAt), Encoder::kEmbedding};
}
std::span<const std::uint8_t> Features::thumbnail(std::int64_t frame) const {
  return {reinterpret_cast<const std::uint8_t*>(record(frame) + kThumbnailAt), sizeof(Thumbnail)};
}

void make_room(const fs::path& folder, std::uint64_t limit_bytes, const fs::path& keep) {
  struct Entry {
    fs::path path;
    std::uint64_t bytes;
    fs::file_time_type used;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    if (entry.path().extension() != kSuffix && entry.path().extension() != kFilmsSuffix) continue;
    entries.push_back({entry.path(), entry.file_size(ec), entry.last_write_time(ec)});
    total += entries.back().bytes;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (total <= limit_bytes) break;
    if (entry.path == keep) continue;
    fs::remove(entry.path, ec);  // whoever has it mapped keeps it until then
    total -= entry.bytes;
  }
}

fs::path default_feature_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return fs::path(cache) / "longtake/features";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr && *home != '\0' ? home : "/tmp") / ".cache/longtake/features";
}

FeatureCache::FeatureCache(std::shared_ptr<const Encoder> encoder, std::string encoder_sha256,
                           FeatureCacheOptions options)
    : encoder_(std::move(encoder)), encoder_sha256_(std::move(encoder_sha256)), options_(std::move(options)) {}

Result<std::shared_ptr<const Features>> FeatureCache::get(const std::string& video, std::stop_token stop) {
  const std::string key = source_key(video);
  if (key.empty()) {
    return Error{ErrorKind::kInput, fmt::format("cannot open \"{}\": it is not a regular file", video)};
  }
  const std::string text = fmt::format("{}\n{}\n{}/{}\n{}", key, encoder_sha256_, options_.fps.num, options_.fps.den,
                                       std::string_view(kMagic, sizeof kMagic)) +
                           std::string(view_suffix(options_.view));
  const std::string hash = sha256_hex(std::as_bytes(std::span(text)));
  std::error_code ec;
  fs::create_directories(options_.folder, ec);
  if (ec) return trouble(video, fmt::format("cannot make folder \"{}\": {}", options_.folder.string(), ec.message()));
  const fs::path file = options_.folder / (hash.substr(0, 32) + kSuffix);
  const std::string name = fs::path(video).filename().string();
  if (!fs::exists(file, ec)) {
    const fs::path part = file.string() + ".part";
    if (auto done = record(video, part, stop); !done) return std::move(done).error();
    fs::rename(part, file, ec);
    if (ec) return trouble(video, ec.message());
    make_room(options_.folder, options_.limit_bytes, file);
  }
  fs::last_write_time(file, fs::file_time_type::clock::now(), ec);  // used now
  auto features = Features::open(file, name);
  if (!features) fs::remove(file, ec);  // the next call makes it anew
  return features;
}

Result<void> FeatureCache::record(const std::string& video, const fs::path& part, std::stop_token stop) const {
  const Descriptor fd(::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (fd.get() < 0) return trouble(video, fmt::format("\"{}\": {}", part.string(), reason()));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return trouble(video, "another program is encoding the same video");
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return trouble(video, reason());

  SourceSpec spec;
  spec.uri = video;
  spec.fps = options_.fps;
  // Whole frames that are there already.
  Header header;
  const auto size = static_cast<std::size_t>(status.st_size);
  std::size_t kept = 0;
  if (size > sizeof header && ::pread(fd.get(), &header, sizeof header, 0) == sizeof header && fits(header)) {
    kept = (size - sizeof header) / kRecordBytes;
  }
  if (kept > 0) {
    std::int64_t last = 0;
    const auto at = static_cast<off_t>(sizeof header + (kept - 1) * kRecordBytes);
    if (::pread(fd.get(), &last, sizeof last, at) != sizeof last) return trouble(video, reason());
    spec.resume_after_pts = last;
    spec.resume_ordinal = static_cast<std::int64_t>(kept);
  }
  auto source = open_source(spec, stop);
  if (!source) return std::move(source).error();
  const StreamInfo info = (*source)->info();
  const std::size_t end = kept == 0 ? 0 : sizeof header + kept * kRecordBytes;
  if (::ftruncate(fd.get(), static_cast<off_t>(end)) != 0 || ::lseek(fd.get(), 0, SEEK_END) < 0) {
    return trouble(video, reason());
  }
  // Known beforehand, for most videos.
  const double rate = options_.fps.num > 0 ? static_cast<double>(options_.fps.num) / static_cast<double>(options_.fps.den)
                                           : static_cast<double>(info.frame_rate.num) / static_cast<double>(info.frame_rate.den);
  const double expected = info.duration_s.value_or(0) * rate * kRecordBytes;
  if (expected > static_cast<double>(options_.limit_bytes)) {
    return Error{ErrorKind::kUsage, fmt::format("the features of \"{}\" would take about {:.1f} GB, more than the limit of "
                                                "{:.1f} GB for all videos",
                                                video, expected / 1e9, static_cast<double>(options_.limit_bytes) / 1e9)};
  }
  if (kept == 0) {
    header = Header{};  // not what was there, if it was something else
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.time_base_num = info.time_base.num;
    header.time_base_den = info.time_base.den;
    try {
      write_all(fd.get(), &header, sizeof header);
    } catch (const std::runtime_error& e) {
      return trouble(video, e.what());
    }
  }

  Recorder recorder(encoder_, options_.view, fd.get());
  Decider decider(&no_names);
  Nowhere nowhere;
  std::int64_t frames = 0;
  PipelineOptions options;
  options.encoders = options_.threads;
  options.on_frame = [&](const FrameTime& time) {
    ++frames;
    if (options_.on_frame) options_.on_frame(info, frames, time.t);
  };
  const PipelineOutcome outcome = run_pipeline(**source, recorder, decider, {}, nowhere, options, stop);
  if (outcome.error) return *outcome.error;
  if (outcome.end.reason == "stopped") {
    return Error{ErrorKind::kStopped, fmt::format("stopped while encoding \"{}\"; the next run goes on there", video)};
  }
  if (::fsync(fd.get()) != 0) return trouble(video, reason());
  return {};
}

}  // namespace longtake
