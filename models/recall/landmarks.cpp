#include "models/recall/landmarks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/store/archive.h"
#include "core/store/fixed_text.h"

namespace longtake {
namespace {

constexpr std::size_t kPlaces = kLandmarks;
constexpr std::size_t kPictureBytes = sizeof(Thumbnail);
constexpr std::int64_t kNew = kLandmarks;  // stands for the frame that is not in the bank yet
constexpr char kName[] = "landmarks";

std::size_t place(std::int64_t which) { return static_cast<std::size_t>(which); }

}  // namespace

LandmarkState::LandmarkState(int frame_numbers)
    : latents(kPlaces * static_cast<std::size_t>(frame_numbers)),
      t(kPlaces),
      at(kPlaces),
      novelty(kPlaces),
      pts(kPlaces),
      base(2 * kPlaces),
      video(kPlaces),
      source(kPlaces * kLandmarkSourceBytes),
      has_picture(kPlaces),
      pictures(kPlaces * kPictureBytes) {}

void save_state(const LandmarkState& state, TensorFile& file) { StateWriter(file, "")(kName, state); }

Result<LandmarkState> load_landmarks(int frame_numbers, const TensorFile& file) {
  LandmarkState state(frame_numbers);
  StateReader reader(file, "");
  reader(kName, state);
  if (!reader.result()) return reader.result().error();
  const auto finite = [](double number) { return std::isfinite(number); };
  if (state.count < 0 || state.count > kLandmarks || !(state.watched_s >= 0) || !finite(state.watched_s) ||
      !std::ranges::all_of(state.latents, finite) || !std::ranges::all_of(state.at, finite)) {
    return Error{ErrorKind::kModel, "the saved state has landmarks that cannot be"};
  }
  return state;
}

std::optional<LandmarkState> landmarks_in(const TensorFile& file) {
  const auto found = file.tensors.find(std::string(kName) + ".latents");
  if (found == file.tensors.end()) return std::nullopt;
  auto state = load_landmarks(static_cast<int>(found->second.count() / kLandmarks), file);
  return state ? std::optional(std::move(*state)) : std::nullopt;
}

Landmark landmark(const LandmarkState& state, std::int64_t which) {
  if (which < 0 || which >= state.count) throw std::invalid_argument("landmark: there is no such one");
  const std::size_t i = place(which), numbers = state.latents.size() / kPlaces;
  Landmark out;
  out.t = state.t[i];
  out.pts = state.pts[i];
  out.time_base = {state.base[2 * i], state.base[2 * i + 1]};
  out.at = state.at[i];
  out.novelty = state.novelty[i];
  out.video = state.video[i];
  out.source = fixed_text(std::span(state.source).subspan(i * kLandmarkSourceBytes, kLandmarkSourceBytes));
  out.latents = std::span(state.latents).subspan(i * numbers, numbers);
  if (state.has_picture[i] != 0) out.picture = std::span(state.pictures).subspan(i * kPictureBytes, kPictureBytes);
  return out;
}

double frame_distance(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 16;  // sums side by side, in an order that no compiler may change
  if (a.size() != b.size() || a.empty()) throw std::invalid_argument("frame_distance: two frames of one size");
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float apart = a[i + lane] - b[i + lane];
      sums[lane] += apart * apart;
    }
  }
  double sum = 0;
  for (; i < a.size(); ++i) sum += static_cast<double>(a[i] - b[i]) * static_cast<double>(a[i] - b[i]);
  for (const float one : sums) sum += static_cast<double>(one);
  return sum / static_cast<double>(a.size());
}

LandmarkBank::LandmarkBank(int frame_numbers, const LandmarkOptions& options)
    : options_(options),
      numbers_(static_cast<std::size_t>(frame_numbers)),
      state_(frame_numbers),
      squares_(kPlaces * kPlaces),
      to_new_(kPlaces),
      name_(kLandmarkSourceBytes) {}

void LandmarkBank::begin_source(std::string_view name, Rational time_base, std::int64_t video) {
  put_fixed_text(name, name_);
  time_base_ = time_base;
  video_ = video;
}

void LandmarkBank::watch(const FrameTime& time, std::span<const float> latents, double novelty,
                         const Thumbnail& picture) {
  if (latents.size() != numbers_) throw std::invalid_argument("LandmarkBank: latents of another size than the model's");
  state_.watched_s += time.dt;
  if (state_.count < kLandmarks) {
    put(state_.count++, time, latents, novelty, picture);
    return;
  }
  for (std::int64_t i = 0; i < kLandmarks; ++i) to_new_[place(i)] = frame_distance(latents_of(i), latents);
  const Pair pair = closest();
  // Both places are in order of watching, or the second one is the new frame.
  const auto novelty_of = [&](std::int64_t which) { return which == kNew ? novelty : state_.novelty[place(which)]; };
  const std::int64_t goes = novelty_of(pair.second) > novelty_of(pair.first) ? pair.first : pair.second;
  if (goes != kNew) put(goes, time, latents, novelty, picture);
}

void LandmarkBank::restore(LandmarkState state) {
  if (state.latents.size() != state_.latents.size()) throw std::invalid_argument("LandmarkBank: a state of another model");
  state_ = std::move(state);
  if (!options_.pictures) {
    std::ranges::fill(state_.has_picture, std::uint8_t{0});
    std::ranges::fill(state_.pictures, std::uint8_t{0});
  }
  for (std::int64_t i = 0; i < state_.count; ++i) measure(i);
}

std::span<const float> LandmarkBank::latents_of(std::int64_t which) const {
  return std::span(state_.latents).subspan(place(which) * numbers_, numbers_);
}

double LandmarkBank::apart(std::int64_t i, std::int64_t j) const {
  const double squares = j == kNew ? to_new_[place(i)] : squares_[place(i) * kPlaces + place(j)];
  const double from = state_.at[place(i)], to = j == kNew ? state_.watched_s : state_.at[place(j)];
  return squares + (state_.watched_s > 0 ? kTimeWeight * std::abs(to - from) / state_.watched_s : 0);
}

LandmarkBank::Pair LandmarkBank::closest() const {
  Pair best{apart(0, 1), 0, 1};
  for (std::int64_t i = 0; i < kLandmarks; ++i) {
    for (std::int64_t j = i + 1; j <= kNew; ++j) {
      if (const double distance = apart(i, j); distance < best.apart) best = {distance, i, j};
    }
  }
  // The earlier one first; places are filled again in any order.
  const bool swapped = best.second != kNew && state_.at[place(best.second)] < state_.at[place(best.first)];
  if (swapped) std::swap(best.first, best.second);
  return best;
}

void LandmarkBank::put(std::int64_t which, const FrameTime& time, std::span<const float> latents, double novelty,
                       const Thumbnail& picture) {
  const std::size_t i = place(which);
  std::ranges::copy(latents, state_.latents.begin() + static_cast<std::ptrdiff_t>(i * numbers_));
  state_.t[i] = time.t;
  state_.at[i] = state_.watched_s;
  state_.novelty[i] = novelty;
  state_.pts[i] = time.pts;
  state_.base[2 * i] = time_base_.num;
  state_.base[2 * i + 1] = time_base_.den;
  state_.video[i] = video_;
  std::ranges::copy(name_, state_.source.begin() + static_cast<std::ptrdiff_t>(i * kLandmarkSourceBytes));
  state_.has_picture[i] = options_.pictures ? 1 : 0;
  if (options_.pictures) {
    std::ranges::copy(picture, state_.pictures.begin() + static_cast<std::ptrdiff_t>(i * kPictureBytes));
  }
  measure(which);
}

void LandmarkBank::measure(std::int64_t which) {
  for (std::int64_t j = 0; j < state_.count; ++j) {
    const double squares = frame_distance(latents_of(which), latents_of(j));
    squares_[place(which) * kPlaces + place(j)] = squares_[place(j) * kPlaces + place(which)] = squares;
  }
}

}  // namespace longtake
