#include "models/recall/familiarity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/store/half.h"
#include "core/store/sha256.h"
#include "models/recall/familiarity_file.h"

namespace longtake {
namespace {

constexpr double kLeastError = 1e-6;  // has a logarithm
constexpr std::int64_t kMostBackground = 4096;
constexpr char kBackground[] = "background";
constexpr char kWeights[] = "odds";
constexpr char kMetric[] = "metric";
constexpr char kSeveral[] = "odds.several";
constexpr char kFittedTo[] = "fitted_to";

// What a scale was fitted to: the weights that errors come from.
Result<std::string> fitted_to(const ModelFolder& folder) {
  auto stack = sha256_file(folder.stack());
  if (!stack) return std::move(stack).error();
  auto recall = sha256_file(*folder.recall());
  if (!recall) return std::move(recall).error();
  const std::string both = *stack + *recall;
  return sha256_hex(std::as_bytes(std::span(both)));
}

}  // namespace

double FamiliarityScale::odds(const Evidence& evidence) const {
  return weights[0] * std::log(std::max(evidence.error, kLeastError)) +
         weights[1] * std::log(std::max(evidence.blank, kLeastError)) + weights[2] +
         (evidence.frames > 1 ? several : 0);
}

double FamiliarityScale::familiarity(const Evidence& evidence) const { return 1 / (1 + std::exp(-odds(evidence))); }

Result<FamiliarityScale> load_familiarity(const ModelFolder& folder) {
  FamiliarityScale out;
  std::error_code ec;
  const auto path = familiarity_file(folder.path);
  if (!folder.config.recall || !std::filesystem::exists(path, ec)) return out;
  auto file = read_tensors(path);
  if (!file) return std::move(file).error();
  auto of = fitted_to(folder);
  if (!of) return std::move(of).error();
  if (const auto found = file->metadata.find(kFittedTo); found == file->metadata.end() || found->second != *of) return out;

  const auto refuse = [&](const std::string& why) {
    return Error{ErrorKind::kModel, fmt::format("cannot use \"{}\": {}", path.string(), why)};
  };
  auto weights = file->doubles(kWeights, {3});
  auto several = file->doubles(kSeveral, {1});
  if (!weights) return refuse(weights.error().message);
  if (!several) return refuse(several.error().message);
  const auto found = file->tensors.find(kBackground);
  const std::int64_t numbers = kRecallTokens * folder.config.latent;
  if (found == file->tensors.end() || found->second.shape.size() != 2 || found->second.shape[0] > kMostBackground) {
    return refuse("it has no background that makes sense");
  }
  auto background = file->floats(kBackground, {found->second.shape[0], numbers});
  if (!background) return refuse(background.error().message);
  auto metric = file->floats(kMetric, {folder.config.latent, folder.config.latent});
  if (!metric) return refuse(metric.error().message);
  const auto finite = [](double number) { return std::isfinite(number); };
  if (!std::ranges::all_of(*weights, finite) || !std::ranges::all_of(*several, finite) ||
      !std::ranges::all_of(*background, finite) || !std::ranges::all_of(*metric, finite)) {
    return refuse("it holds a number that is not finite");
  }
  std::ranges::copy(*weights, out.weights.begin());
  out.several = several->front();
  out.background = std::move(*background);
  out.metric = std::move(*metric);
  out.fitted = true;
  return out;
}

Result<void> write_familiarity(const ModelFolder& folder, const FamiliarityScale& scale) {
  auto of = fitted_to(folder);
  if (!of) return std::move(of).error();
  const std::int64_t numbers = kRecallTokens * folder.config.latent;
  TensorFile file;
  file.metadata[kFittedTo] = *of;
  file.tensors[kWeights] = Tensor::of(std::span<const double>(scale.weights), {3});
  file.tensors[kSeveral] = Tensor::of(std::span<const double>(&scale.several, 1), {1});
  const std::int64_t latent = folder.config.latent;
  file.tensors[kMetric] = Tensor::of(std::span<const float>(scale.metric), {latent, latent});
  Tensor& background = file.tensors[kBackground];
  background.type = TensorType::kF16;
  background.shape = {std::ssize(scale.background) / numbers, numbers};
  for (const float number : scale.background) {
    const std::uint16_t half = float_to_half(number);
    background.bytes.push_back(static_cast<std::byte>(half & 0xFFU));
    background.bytes.push_back(static_cast<std::byte>(half >> 8U));
  }
  if (auto done = write_tensors(familiarity_file(folder.path), file); !done) return done;
  return write_model_sums(folder.path, folder.config);
}

Result<FrozenMemory> FrozenMemory::load(const RecallWeights& weights, const FamiliarityScale& scale,
                                        const TensorFile& state) {
  const int numbers = kRecallTokens * weights.latent;
  auto recall = load_state(weights, state);
  if (!recall) return std::move(recall).error();
  auto landmarks = load_landmarks(numbers, state);
  if (!landmarks) return std::move(landmarks).error();
  auto samples = load_samples(numbers, state);
  if (!samples) return std::move(samples).error();
  FrozenMemory out(weights, scale, std::move(*landmarks), std::move(*samples));
  out.memory_.state() = std::move(*recall);
  const auto frame = static_cast<std::size_t>(numbers);
  for (std::size_t i = 0; i + frame <= scale.background.size(); i += frame) {
    out.background_.push_back(out.ask(std::span(scale.background).subspan(i, frame)));
  }
  return out;
}

Evidence FrozenMemory::ask(std::span<const float> latents) {
  return {memory_.read(latents).error, blank_.read(latents).error};
}

double FrozenMemory::percentile(const Evidence& evidence) const {
  if (background_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double odds = scale_->odds(evidence);
  double below = 0;
  for (const Evidence& other : background_) below += scale_->odds(other) < odds ? 1 : 0;
  return 100 * below / static_cast<double>(background_.size());
}

void Question::add(double t, std::span<const float> latents) {
  if (open_.frames > 0 && !(t >= open_.first_t && t < open_.first_t + 1)) close();
  const std::vector<double> alike = memory_.likeness().to_landmarks(latents);
  if (open_.frames == 0) {
    open_.first_t = t;
    open_.alike.assign(alike.size(), 0);
  }
  open_.last_t = t;
  ++open_.frames;
  const Evidence evidence = memory_.ask(latents);
  open_.evidence.error += evidence.error;
  open_.evidence.blank += evidence.blank;
  for (std::size_t i = 0; i < alike.size(); ++i) open_.alike[i] += alike[i];
}

void Question::close() {
  Second second = std::exchange(open_, {});
  const auto frames = static_cast<double>(second.frames);
  second.evidence.error /= frames;
  second.evidence.blank /= frames;
  second.evidence.frames = second.frames;
  for (double& alike : second.alike) alike /= frames;

  const double odds = memory_.scale().odds(second.evidence), familiarity = memory_.scale().familiarity(second.evidence);
  sums_.familiarity += familiarity;
  sums_.odds += odds;
  sums_.percentile += memory_.percentile(second.evidence);
  if (familiarity >= 0.5) {
    if (sums_.seen_seconds++ == 0) sums_.seen_from = second.first_t;
    sums_.seen_to = second.last_t;
  }
  if (sums_.seconds++ == 0 || odds > best_odds_) {
    best_odds_ = odds;
    best_ = std::move(second);
  }
}

Answer Question::answer(std::size_t most_landmarks) {
  if (open_.frames > 0) close();
  if (sums_.seconds == 0) throw std::invalid_argument("Question: nothing was asked about");
  Answer out = sums_;
  out.familiarity /= static_cast<double>(out.seconds);
  out.odds /= static_cast<double>(out.seconds);
  out.percentile /= static_cast<double>(out.seconds);
  out.confidence = std::max(out.familiarity, 1 - out.familiarity);
  out.nearest = nearest(most_landmarks);
  return out;
}

std::vector<NearLandmark> Question::nearest(std::size_t most) const {
  std::vector<NearLandmark> all, out;
  for (std::size_t i = 0; i < best_.alike.size(); ++i) {
    all.push_back({static_cast<std::int64_t>(i), best_.alike[i]});
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &NearLandmark::score);
  for (const NearLandmark& near : all) {
    if (out.size() == most) break;
    const Landmark one = landmark(memory_.landmarks(), near.which);
    const bool told = std::ranges::any_of(out, [&](const NearLandmark& better) {
      const Landmark other = landmark(memory_.landmarks(), better.which);
      return other.video == one.video && std::abs(other.t - one.t) <= 2;
    });
    if (!told) out.push_back({near.which, std::clamp(near.score, 0.0, 1.0)});
  }
  return out;
}

}  // namespace longtake
