// A video as the memories see it, frame by frame, without anything that learns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "core/media/source.h"
#include "core/pipeline/stages.h"
#include "core/result.h"
#include "models/model.h"

namespace longtake {

// Takes a frame's time and its latents [tokens][latent].
using TakesLatents = std::function<void(const FrameTime& time, std::span<const float> latents)>;

// Decodes and encodes, on this thread, and gives the number of frames. Of `options`, roi and mask count. Errors: those of
// open_source() and of the frames after it.
Result<std::int64_t> video_latents(const std::shared_ptr<const Model>& model, const AnalyzerOptions& options,
                                   const SourceSpec& spec, const TakesLatents& take, std::stop_token stop);

}  // namespace longtake
