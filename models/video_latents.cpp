#include "models/video_latents.h"

#include <utility>
#include <variant>
#include <vector>

#include "core/records/time.h"

namespace longtake {

Result<std::int64_t> video_latents(const std::shared_ptr<const Model>& model, const AnalyzerOptions& options,
                                   const SourceSpec& spec, const TakesLatents& take, std::stop_token stop) {
  AnalyzerOptions plain = options;
  plain.scene = false;
  const auto encoder = ModelAnalyzer(model, plain).make_encoder();
  auto source = open_source(spec, stop);
  if (!source) return std::move(source).error();
  const Rational base = (*source)->info().time_base;
  std::vector<float> latents(static_cast<std::size_t>(Encoder::kTokens * model->stack().projection.out));
  std::int64_t frames = 0;
  while (true) {
    auto item = (*source)->next(stop);
    if (!item) return std::move(item).error();
    if (std::holds_alternative<EndOfStream>(*item)) return frames;
    const Frame* frame = std::get_if<Frame>(&*item);
    if (frame == nullptr) continue;
    auto encoded = encoder->encode(*frame);
    if (!encoded) return std::move(encoded).error();
    apply_dense<float>(model->stack().projection, encoded->tokens, latents);
    take({frames++, frame->pts, seconds_truncated(frame->pts, base.num, base.den), 0}, latents);
  }
}

}  // namespace longtake
