#include "models/model.h"

#include <stdexcept>
#include <utility>

#include "core/store/archive.h"
#include "models/frame_encoder.h"

namespace longtake {
namespace {

using Polygons = std::vector<std::vector<std::array<double, 2>>>;

// Even-odd rule at the centre of the pixel.
bool inside(const std::vector<std::array<double, 2>>& polygon, double x, double y) {
  bool odd = false;
  for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const auto& [ax, ay] = polygon[i];
    const auto& [bx, by] = polygon[j];
    if ((ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

bool inside_any(const Polygons& polygons, double x, double y) {
  for (const auto& polygon : polygons) {
    if (inside(polygon, x, y)) return true;
  }
  return false;
}

std::shared_ptr<const std::vector<std::uint8_t>> visible_pixels(const AnalyzerOptions& options, int side) {
  if (options.roi.empty() && options.mask.empty()) return nullptr;
  auto out = std::make_shared<std::vector<std::uint8_t>>();
  out->reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const double x = (column + 0.5) / side;
      const double y = (row + 0.5) / side;
      const bool wanted = options.roi.empty() || inside_any(options.roi, x, y);
      out->push_back(wanted && !inside_any(options.mask, x, y) ? 1 : 0);
    }
  }
  return out;
}

// `mean` may be empty: then nothing is known of the moment before.
PastDistances past_distances(const LandmarkState& kept, std::span<const float> latents, std::span<const float> mean, double dt) {
  PastDistances out;
  out.watched = kept.watched_s + dt;
  if (!mean.empty()) out.change = frame_distance(latents, mean);
  out.kept.reserve(static_cast<std::size_t>(kept.count));
  for (std::size_t i = 0; i < static_cast<std::size_t>(kept.count); ++i) {
    out.kept.push_back({kept.at[i], frame_distance(std::span(kept.latents).subspan(i * latents.size(), latents.size()), latents)});
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& path) {
  auto folder = open_model_folder(path);
  if (!folder) return std::move(folder).error();
  auto encoder = Encoder::load(folder->encoder());
  if (!encoder) return std::move(encoder).error();
  auto tensors = read_tensors(folder->stack());
  if (!tensors) return std::move(tensors).error();
  auto stack = load_stack(folder->config, *tensors);
  if (!stack) return std::move(stack).error();
  std::optional<RecallWeights> recall;
  if (const auto& config = folder->config.recall) {
    auto weights = read_tensors(*folder->recall());
    if (!weights) return std::move(weights).error();
    auto loaded = load_recall(*config, folder->config.latent, *weights);
    if (!loaded) return std::move(loaded).error();
    recall = std::move(*loaded);
  }
  std::optional<ShotWeights> shots;
  if (const auto file = folder->shots()) {
    auto weights = read_tensors(*file);
    if (!weights) return std::move(weights).error();
    auto loaded = load_shots(*weights);
    if (!loaded) return std::move(loaded).error();
    shots = std::move(*loaded);
  }
  return std::shared_ptr<const Model>(
      new Model(std::move(*folder), std::move(*encoder), std::move(*stack), std::move(recall), std::move(shots)));
}

ModelAnalyzer::ModelAnalyzer(std::shared_ptr<const Model> model, const AnalyzerOptions& options)
    : model_(std::move(model)),
      scene_(options.scene),
      maps_(options.maps),
      signals_(options.signals),
      plain_signals_(options.signals),
      labels_(options.labels),
      visible_(visible_pixels(options, Encoder::kInputSide)),
      stack_(model_->stack()) {
  if (model_->shots() != nullptr) shots_.emplace(*model_->shots());
  if (model_->recall() != nullptr) {
    const int numbers = kRecallTokens * model_->recall()->latent;
    recall_.emplace(*model_->recall());
    landmarks_.emplace(numbers, LandmarkOptions{options.landmark_pictures});
    samples_.emplace(numbers);
  }
  measure();
}

void ModelAnalyzer::measure() {
  TensorFile file;
  save(file);
  state_bytes_ = 0;
  for (const auto& [name, tensor] : file.tensors) state_bytes_ += static_cast<std::int64_t>(tensor.bytes.size());
}

void ModelAnalyzer::watch_labels(std::shared_ptr<const LabelNetWeights> net) {
  label_net_weights_ = std::move(net);
  label_net_.emplace(*label_net_weights_);
  measure();
}

void ModelAnalyzer::begin_source(std::string_view name, Rational time_base, std::int64_t video) {
  if (landmarks_) landmarks_->begin_source(name, time_base, video);
}

void ModelAnalyzer::compare_with(FrozenMemory memory) {
  if (!recall_) throw std::invalid_argument("ModelAnalyzer: a model without recall memory has nothing to compare");
  usual_.emplace(memory.landmarks(), memory.samples());
  compared_.emplace(std::move(memory));
}

std::unique_ptr<FrameEncoder> ModelAnalyzer::make_encoder() const {
  return make_frame_encoder({model_, &model_->encoder()}, {scene_, visible_, FrameView::kPlain, signals_.flow});
}

Observation ModelAnalyzer::watch(const FrameTime& time, const Encoded& frame) {
  // The shortest running mean as it is before this frame is part of it.
  std::vector<float> mean;
  if (recall_ && stack_.state().mean_count > 0 && !model_->stack().config.running_means_s.empty()) {
    const std::ptrdiff_t numbers = std::ptrdiff_t{kRecallTokens} * model_->recall()->latent;
    mean.assign(stack_.state().means.begin(), stack_.state().means.begin() + numbers);
  }
  StackObservation seen = stack_.step(frame.tokens, time.dt);
  Observation out;
  out.frame = time.ordinal;
  out.pts = time.pts;
  out.t = time.t;
  out.dt = time.dt;
  out.next_latent_error = seen.next_latent_error;
  out.layers = std::move(seen.layers);
  out.probabilities = frame.probabilities;
  out.thumbnail = frame.thumbnail;
  if (signals_.any()) out.signals = plain_signals_.step(frame.thumbnail, frame.embedding, frame.grey, time.dt);
  if (shots_) out.shot = shots_->step(frame, time.dt);
  if (labels_) out.labels = labels_->judge(label_feature(frame.embedding));
  if (label_net_) out.labels = label_net_->step(frame.tokens, time.dt);
  if (recall_) {
    const RecallObservation recalled = recall_->step(stack_.latents());
    out.novelty = recalled.error;
    if (maps_) out.novelty_map = recalled.errors;
    if (compared_) {
      out.familiarity = compared_->scale().familiarity(compared_->ask(stack_.latents()));
      out.deviation_map = usual_->deviations(stack_.latents());
    }
    out.past = past_distances(landmarks_->state(), stack_.latents(), mean, time.dt);
    landmarks_->watch(time, stack_.latents(), recalled.error, frame.thumbnail);
    offer_sample(*samples_, stack_.latents(), landmarks_->state().watched_s);
  }
  return out;
}

std::vector<ShotVerdict> ModelAnalyzer::flush() { return shots_ ? shots_->flush() : std::vector<ShotVerdict>(); }

void ModelAnalyzer::discontinue() {
  break_off(stack_.state());
  plain_signals_.flush();
  if (label_net_) label_net_->forget();
}

std::int64_t ModelAnalyzer::guards() const {
  return stack_.state().guards + (recall_ ? recall_->state().guards : 0);
}

void ModelAnalyzer::save(TensorFile& file) const {
  save_state(model_->stack(), stack_.state(), file);
  if (shots_) StateWriter(file, "")("shots", *shots_);
  StateWriter(file, "")("signals", plain_signals_);
  if (label_net_) StateWriter(file, "")("label_net", *label_net_);
  if (recall_) {
    save_state(recall_->state(), file);
    save_state(landmarks_->state(), file);
    save_state(*samples_, file);
  }
}

Result<void> ModelAnalyzer::restore(const TensorFile& file) {
  auto state = load_state(model_->stack(), file);
  if (!state) return std::move(state).error();
  std::optional<ShotWatcher> shots = shots_;
  if (shots) {
    StateReader reader(file, "");
    reader("shots", *shots);
    if (!reader.result()) return reader.result().error();
  }
  PlainSignalWatcher plain_signals = plain_signals_;
  StateReader reader(file, "");
  reader("signals", plain_signals);
  std::optional<LabelNet> label_net = label_net_;
  if (label_net) reader("label_net", *label_net);
  if (!reader.result()) return reader.result().error();
  if (recall_) {
    auto recall = load_state(*model_->recall(), file);
    if (!recall) return std::move(recall).error();
    const int numbers = kRecallTokens * model_->recall()->latent;
    auto landmarks = load_landmarks(numbers, file);
    if (!landmarks) return std::move(landmarks).error();
    auto samples = load_samples(numbers, file);
    if (!samples) return std::move(samples).error();
    recall_->state() = std::move(*recall);
    landmarks_->restore(std::move(*landmarks));
    samples_ = std::move(*samples);
  }
  stack_.state() = std::move(*state);
  shots_ = std::move(shots);
  plain_signals_ = plain_signals;
  label_net_ = std::move(label_net);
  return {};
}

}  // namespace longtake
