#include "models/recall/samples.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/store/archive.h"
#include "models/train/random.h"

namespace longtake {
namespace {

constexpr char kName[] = "samples";

}  // namespace

std::span<const float> SampleState::sample(std::int64_t which) const {
  if (which < 0 || which >= count()) throw std::invalid_argument("SampleState: there is no such sample");
  const std::size_t numbers = latents.size() / kSamples;
  return std::span(latents).subspan(static_cast<std::size_t>(which) * numbers, numbers);
}

void save_state(const SampleState& state, TensorFile& file) { StateWriter(file, "")(kName, state); }

Result<SampleState> load_samples(int frame_numbers, const TensorFile& file) {
  SampleState state(frame_numbers);
  StateReader reader(file, "");
  reader(kName, state);
  if (!reader.result()) return reader.result().error();
  const auto finite = [](double number) { return std::isfinite(number); };
  if (state.seen < 0 || !std::ranges::all_of(state.latents, finite) || !std::ranges::all_of(state.at, finite)) {
    return Error{ErrorKind::kModel, "the saved state has samples that cannot be"};
  }
  return state;
}

void offer_sample(SampleState& state, std::span<const float> latents, double at) {
  const std::size_t numbers = state.latents.size() / kSamples;
  if (latents.size() != numbers) throw std::invalid_argument("offer_sample: latents of another size than the model's");
  std::int64_t place = state.seen++;
  if (place >= kSamples) {
    constexpr std::uint64_t kStream = 0x73616d706c6573ULL;
    place = Random{kStream, static_cast<std::uint64_t>(place)}.below(state.seen);
  }
  if (place >= kSamples) return;
  std::ranges::copy(latents, state.latents.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(place) * numbers));
  state.at[static_cast<std::size_t>(place)] = at;
}

}  // namespace longtake
