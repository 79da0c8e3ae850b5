#include "models/eval/frame_times.h"

#include <utility>
#include <variant>

#include "core/media/source.h"

namespace longtake {

Result<std::vector<double>> frame_times(const std::string& video, std::stop_token stop) {
  SourceSpec spec;
  spec.uri = video;
  auto source = open_source(spec, stop);
  if (!source) return std::move(source).error();
  const Rational base = (*source)->info().time_base;
  std::vector<double> out;
  while (true) {
    auto item = (*source)->next(stop);
    if (!item) return std::move(item).error();
    if (std::holds_alternative<EndOfStream>(*item)) return out;
    if (const auto* frame = std::get_if<Frame>(&*item)) {
      out.push_back(static_cast<double>(frame->pts) * static_cast<double>(base.num) / static_cast<double>(base.den));
    }
  }
}

}  // namespace longtake
