#include "app/studio/frame_records.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/records/parse.h"

namespace longtake {
namespace {

// Of a line of a frame; nothing of another one. Cheaper than reading all of it.
std::optional<std::int64_t> pts_of(std::string_view line) {
  constexpr std::string_view kFrame = R"({"type":"frame",)", kPts = R"("pts":)";
  if (!line.starts_with(kFrame)) return std::nullopt;
  const std::size_t at = line.find(kPts);
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(line.data() + at + kPts.size(), line.data() + line.size(), out);
  return error == std::errc() ? std::optional(out) : std::nullopt;
}

}  // namespace

FrameRecords::FrameRecords(std::filesystem::path result, Found found, std::size_t most)
    : path_(std::move(result)),
      found_(std::move(found)),
      most_(most),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void FrameRecords::want(std::int64_t pts) {
  {
    const std::scoped_lock lock(mutex_);
    wish_ = pts;
  }
  wished_.notify_one();
}

void FrameRecords::run(const std::stop_token& stop) {
  for (;;) {
    std::int64_t pts = 0;
    {
      std::unique_lock lock(mutex_);
      if (!wished_.wait(lock, stop, [&] { return wish_.has_value(); })) return;
      pts = *std::exchange(wish_, std::nullopt);
    }
    std::error_code ec;
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path_, ec));
    if (ec || bytes < seen_) {  // the file is another one, or begun anew
      places_.clear();
      frames_ = seen_ = 0;
      stride_ = 1;
    }
    file_ = std::ifstream(path_, std::ios::binary);
    look_through(pts, stop);
    found_(pts, read(pts));
  }
}

// A line that was written to its end; the last one of a growing file may not be.
bool FrameRecords::whole_line(std::string& line) { return std::getline(file_, line) && !file_.eof(); }

// From where it stopped last time as far as the frame.
void FrameRecords::look_through(std::int64_t pts, const std::stop_token& stop) {
  if (frames_ > 0 && last_pts_ >= pts) return;
  file_.clear();
  file_.seekg(seen_);
  for (std::string line; !stop.stop_requested() && whole_line(line);) {
    const std::int64_t offset = std::exchange(seen_, seen_ + static_cast<std::int64_t>(line.size()) + 1);
    if (const auto here = pts_of(line)) {
      last_pts_ = *here;
      remember({*here, offset});
      if (*here >= pts) return;
    }
  }
}

void FrameRecords::remember(Place place) {
  if (frames_++ % stride_ != 0) return;
  if (places_.size() == most_) {
    for (std::size_t i = 0; 2 * i < places_.size(); ++i) places_[i] = places_[2 * i];
    places_.resize((places_.size() + 1) / 2);
    stride_ *= 2;
    if ((frames_ - 1) % stride_ != 0) return;
  }
  places_.push_back(place);
}

std::optional<FrameRecord> FrameRecords::read(std::int64_t pts) {
  const auto after = std::ranges::upper_bound(places_, pts, {}, &Place::pts);
  if (after == places_.begin()) return std::nullopt;
  file_.clear();
  file_.seekg(std::prev(after)->offset);
  for (std::string line; whole_line(line);) {
    const auto here = pts_of(line);
    if (here && *here > pts) break;
    if (here != pts) continue;
    auto record = parse_json_line(line);
    if (!record || !*record) break;
    if (auto* frame = std::get_if<FrameRecord>(&**record)) return std::move(*frame);
  }
  return std::nullopt;
}

}  // namespace longtake
