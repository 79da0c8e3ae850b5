#include "models/labels/record_example.h"

#include <fmt/format.h>

#include <utility>
#include <variant>
#include <vector>

#include "core/records/time.h"

namespace longtake {

Result<LabelExample> record_example(FrameSource& source, FrameEncoder& encoder, std::stop_token stop) {
  // Every stride-th frame. When there are twice as many as an example may have, every second one is dropped and the stride
  // doubled, so that nothing grows with the stretch.
  std::vector<std::vector<float>> kept;
  std::int64_t stride = 1;
  std::int64_t frames = 0;
  const Rational base = source.info().time_base;
  LabelExample out;
  out.video = source.info().source;
  while (true) {
    auto item = source.next(stop);
    if (!item) return std::move(item).error();
    if (std::holds_alternative<EndOfStream>(*item)) break;
    const auto* frame = std::get_if<Frame>(&*item);
    if (frame == nullptr) continue;
    out.to_s = seconds_truncated(frame->pts, base.num, base.den);
    if (frames == 0) out.from_s = out.to_s;
    if (frames++ % stride != 0) continue;
    auto encoded = encoder.encode(*frame);
    if (!encoded) return std::move(encoded).error();
    kept.push_back(label_feature(encoded->embedding));
    if (kept.size() < 2 * LabelExample::kMostSamples) continue;
    for (std::size_t i = 1; 2 * i < kept.size(); ++i) kept[i] = std::move(kept[2 * i]);
    kept.resize(kept.size() / 2);
    stride *= 2;
  }
  if (kept.empty()) {
    return Error{ErrorKind::kInput, fmt::format("no frame of \"{}\" lies between these times", source.info().source)};
  }
  const std::size_t taken = std::min(kept.size(), LabelExample::kMostSamples);
  for (std::size_t i = 0; i < taken; ++i) {
    const auto& feature = kept[taken > 1 ? i * (kept.size() - 1) / (taken - 1) : 0];
    out.samples.insert(out.samples.end(), feature.begin(), feature.end());
  }
  return out;
}

}  // namespace longtake
