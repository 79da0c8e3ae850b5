#include "core/media/ffmpeg_log.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "core/media/ffmpeg_handles.h"

extern "C" {
#include <libavutil/log.h>
}

namespace longtake {
namespace {

thread_local ErrorLog* log_of_this_thread = nullptr;

ErrorLog* log_of(void* context) {
  const AVClass* kind = context ? *static_cast<const AVClass* const*>(context) : nullptr;
  if (kind != avcodec_get_class()) return log_of_this_thread;
  const auto* codec = static_cast<const AVCodecContext*>(context);
  if (codec->codec_type != AVMEDIA_TYPE_VIDEO && codec->codec_type != AVMEDIA_TYPE_UNKNOWN) return nullptr;
  return codec->opaque ? static_cast<ErrorLog*>(codec->opaque) : log_of_this_thread;
}

// A decoder that fills in what it could not read says so as a piece of information.
bool tells_of_damage(int level, std::string_view format) {
  return (level & 0xff) <= AV_LOG_ERROR ||
         ((level & 0xff) == AV_LOG_INFO && format.starts_with("concealing"));
}

void hear(void* context, int level, const char* format, va_list arguments) {
  if (!tells_of_damage(level, format)) return;
  ErrorLog* log = log_of(context);
  if (!log) return;
  std::array<char, 256> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string text(line.data());
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  log->add(std::move(text));
}

}  // namespace

ErrorLog::ErrorLog() {
  static const bool heard = [] {
    av_log_set_callback(hear);
    return true;
  }();
  (void)heard;
}

void ErrorLog::add(std::string line) {
  const std::lock_guard lock(mutex_);
  last_line_ = std::move(line);
  lines_.fetch_add(1, std::memory_order_acq_rel);
}

std::string ErrorLog::last_line() const {
  const std::lock_guard lock(mutex_);
  return last_line_;
}

ErrorLog::Scope::Scope(ErrorLog& log) noexcept : outer_(log_of_this_thread) { log_of_this_thread = &log; }

ErrorLog::Scope::~Scope() { log_of_this_thread = outer_; }

}  // namespace longtake
