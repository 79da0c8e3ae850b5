#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "app/commands.h"
#include "app/exit_code.h"
#include "core/records/time.h"
#include "core/store/archive.h"
#include "models/memory_file.h"
#include "models/model_folder.h"
#include "models/recall/landmarks.h"
#include "models/recall/recall_memory.h"

namespace longtake {
namespace {

Result<StreamPosition> position_of(const MemoryFile& memory) {
  StreamPosition position;
  StateReader reader(memory.state, "");
  reader("position", position);
  if (!reader.result()) return reader.result().error();
  return position;
}

double seconds(std::int64_t pts, Rational base) {
  return base.num > 0 && base.den > 0 ? seconds_truncated(pts, base.num, base.den) : 0;
}

void print_json(const std::string& path, std::uintmax_t bytes, const MemoryFile& memory,
                const StreamPosition& position) {
  const MemoryLabel& label = memory.label;
  nlohmann::ordered_json out;
  out["schema"] = kMemorySchema;
  out["file"] = path;
  out["bytes"] = bytes;
  out["kind"] = label.kind == MemoryKind::kMemory ? "memory" : "checkpoint";
  out["model"] = label.model_sha256;
  out["longtake"] = label.longtake;
  out["videos"] = label.videos;
  out["frames"] = label.frames_before + position.frames;
  out["source"] = label.source;
  out["source_frames"] = position.frames;
  out["time_base"] = {label.time_base.num, label.time_base.den};
  if (position.has_last) out["pts"] = {position.first_pts, position.last_pts};
  if (const auto recall = summarize_recall(memory.state)) {
    out["recall"] = {{"frames", recall->written}, {"bytes", recall->bytes}};
  }
  if (const auto landmarks = landmarks_in(memory.state)) {
    out["watched_s"] = landmarks->watched_s;
    out["landmarks"] = nlohmann::ordered_json::array();
    for (std::int64_t i = 0; i < landmarks->count; ++i) {
      const Landmark one = landmark(*landmarks, i);
      out["landmarks"].push_back({{"t", one.t},
                                  {"pts", one.pts},
                                  {"source", one.source},
                                  {"video", one.video},
                                  {"novelty", one.novelty},
                                  {"picture", !one.picture.empty()}});
    }
  }
  fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_text(const std::string& path, std::uintmax_t bytes, const MemoryFile& memory,
                const StreamPosition& position) {
  const MemoryLabel& label = memory.label;
  fmt::print("{}\n", path);
  fmt::print("  {} of {} bytes, written by longtake {}\n",
             label.kind == MemoryKind::kMemory ? "memory" : "checkpoint", bytes, label.longtake);
  fmt::print("  model    {}\n", label.model_sha256.substr(0, 12));
  fmt::print("  watched  {} frames in {} video{}\n", label.frames_before + position.frames, label.videos,
             label.videos == 1 ? "" : "s");
  fmt::print("  last     \"{}\", {} frames", label.source, position.frames);
  if (position.has_last) {
    fmt::print(" from {} s to {} s (pts {} to {})", seconds(position.first_pts, label.time_base),
               seconds(position.last_pts, label.time_base), position.first_pts, position.last_pts);
  }
  fmt::print("\n");
  if (const auto recall = summarize_recall(memory.state)) {
    fmt::print("  recall   {} frames written into {} bytes\n", recall->written, recall->bytes);
  }
  if (const auto landmarks = landmarks_in(memory.state)) {
    const bool pictures = std::ranges::any_of(landmarks->has_picture, [](std::uint8_t has) { return has != 0; });
    fmt::print("  marks    {} landmarks, {} pictures, of {:.0f} s of video\n", landmarks->count, pictures ? "with" : "without",
               landmarks->watched_s);
  }
}

}  // namespace

int run_memory_info(const Context& context) {
  int code = kExitDone;
  for (const std::string& path : context.settings.inputs) {
    auto memory = read_memory(path);
    if (!memory) {
      code = std::max(code, context.fail(memory.error()));
      continue;
    }
    auto position = position_of(*memory);
    if (!position) {
      code = std::max(code, context.fail(position.error()));
      continue;
    }
    std::error_code ec;
    const std::uintmax_t bytes = std::filesystem::file_size(path, ec);
    (context.settings.json ? print_json : print_text)(path, bytes, *memory, *position);
  }
  return code;
}

int run_memory_verify(const Context& context) {
  auto model_path = context.model_path();
  if (!model_path) return context.fail(model_path.error());
  auto folder = open_model_folder(*model_path);
  if (!folder) return context.fail(folder.error());
  int code = kExitDone;
  for (const std::string& path : context.settings.inputs) {
    auto memory = read_memory(path);
    auto fits = memory ? require_model(*memory, path, folder->sha256) : Result<void>(memory.error());
    if (fits) {
      fmt::print("{}  ok\n", path);
    } else {
      code = std::max(code, context.fail(fits.error()));
    }
  }
  return code;
}

}  // namespace longtake
