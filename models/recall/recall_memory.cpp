#include "models/recall/recall_memory.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/store/archive.h"
#include "kernels/dense.h"
#include "kernels/gelu.h"
#include "models/ttt/tensors.h"

namespace longtake {
namespace {

constexpr std::size_t kHalves = 2;
constexpr std::size_t kHalfTokens = kRecallTokens / kHalves;

std::size_t size(int extent) { return static_cast<std::size_t>(extent); }

// The numbers of one half of a tensor [2][count].
std::span<const float> part(const std::vector<float>& both, std::size_t half) {
  return std::span(both).subspan(half * both.size() / kHalves, both.size() / kHalves);
}

// Weights stand in the file as they are used: [2][in][out] and [2][1][out].
void add_dense(TensorReader<float>& reader, const std::string& weight, const std::string& bias, int in, int out,
               Dense<float> RecallHalf::*place, RecallWeights& into) {
  const std::vector<float> a = reader.read(weight, {kHalves, in, out});
  const std::vector<float> b = bias.empty() ? std::vector<float>() : reader.read(bias, {kHalves, 1, out});
  if (reader.failed()) return;
  for (std::size_t half = 0; half < kHalves; ++half) {
    Dense<float>& dense = into.halves[half].*place;
    dense.in = in;
    dense.out = out;
    const auto mine = part(a, half), shift = part(b, half);
    dense.a.assign(mine.begin(), mine.end());
    dense.bias.assign(shift.begin(), shift.end());
  }
}

// e to the number in the file, which must leave a number that can be worked with.
float positive(TensorReader<float>& reader, const std::string& name) {
  const std::vector<float> logarithm = reader.read(name, {});
  if (reader.failed()) return 0;
  const float value = std::exp(logarithm.front());
  if (!(value > 0) || !std::isfinite(value)) {
    reader.fail({ErrorKind::kModel, "cannot use tensor \"" + name + "\": its number is out of range"});
  }
  return value;
}

void fill_starts(TensorReader<float>& reader, RecallWeights& weights) {
  const RecallShape& shape = weights.shape;
  std::vector<float> learned;
  if (shape.rule == RecallRule::kMlp || weights.config.rule == "mlp-last") {
    learned = reader.read("start.weight", {kHalves, shape.hidden, shape.values});
  }
  if (reader.failed()) return;
  for (std::size_t half = 0; half < kHalves; ++half) {
    RecallHalf& into = weights.halves[half];
    into.start.assign(recall_state_size(shape), 0.0F);
    const RecallParts<float> parts = recall_parts(shape, into.start.data());
    if (!learned.empty()) std::ranges::copy(part(learned, half), parts.w);
    if (shape.rule == RecallRule::kRls) {
      for (std::ptrdiff_t i = 0; i < shape.keys; ++i) parts.p[i * shape.keys + i] = 1;
    }
    if (shape.rule == RecallRule::kMlp) {
      std::ranges::copy(into.hidden.a, parts.w1);
      std::ranges::copy(into.hidden.bias, parts.b1);
    }
  }
}

struct Archived {
  RecallState& state;

  template <class Archive>
  void archive(Archive& a) {
    a("halves.0", state.halves[0]);
    a("halves.1", state.halves[1]);
    a("written", state.written);
    a("guards", state.guards);
  }
};

void scale(std::span<float> numbers, float by) {
  for (float& number : numbers) number *= by;
}

float square(std::span<const float> numbers) {
  return dot(numbers.data(), numbers.data(), static_cast<int>(numbers.size()));
}

}  // namespace

Result<RecallWeights> load_recall(const RecallConfig& config, int latent, const TensorFile& file) {
  if (recall_rule_is_rival(config.rule)) {
    return Error{ErrorKind::kModel,
                 fmt::format("cannot watch with a recall memory of rule \"{}\", which is there to be trained and compared", config.rule)};
  }
  RecallWeights out;
  out.config = config;
  out.latent = latent;
  out.shape = recall_shape(config, static_cast<int>(kHalfTokens) * latent);
  const int values = out.shape.values;
  TensorReader<float> reader(file, "");
  add_dense(reader, "features.weight", "features.bias", values, config.features, &RecallHalf::features, out);
  add_dense(reader, "base.weight", "base.bias", config.features, values, &RecallHalf::base, out);
  add_dense(reader, "gates.weight", "gates.bias", config.features, 2, &RecallHalf::gates, out);
  add_dense(reader, "keys.weight", "", values, config.keys, &RecallHalf::keys, out);
  add_dense(reader, "keys.features", "", config.features, config.keys, &RecallHalf::feature_keys, out);
  if (recall_uses_hidden(config) || out.shape.rule == RecallRule::kMlp) {
    add_dense(reader, "hidden.weight", "hidden.bias", config.keys, config.hidden, &RecallHalf::hidden, out);
  }
  fill_starts(reader, out);
  if (out.shape.rule == RecallRule::kRls) out.lambda = positive(reader, "log_lambda");
  if (out.shape.rule == RecallRule::kMlp) out.rate = positive(reader, "log_rate");
  if (reader.failed()) return reader.error();
  return out;
}

RecallState start_state(const RecallWeights& weights) {
  RecallState state;
  for (std::size_t half = 0; half < kHalves; ++half) state.halves[half] = weights.halves[half].start;
  return state;
}

void save_state(const RecallState& state, TensorFile& file) {
  // A writer only reads, see StateWriter.
  Archived archived{const_cast<RecallState&>(state)};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  StateWriter(file, "")("recall", archived);
}

Result<RecallState> load_state(const RecallWeights& weights, const TensorFile& file) {
  RecallState state = start_state(weights);
  Archived archived{state};
  StateReader reader(file, "");
  reader("recall", archived);
  if (!reader.result()) return reader.result().error();
  return state;
}

std::optional<RecallSummary> summarize_recall(const TensorFile& file) {
  RecallSummary out;
  const auto written = file.integers("recall.written", {1});
  if (!written) return std::nullopt;
  out.written = written->front();
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with("recall.")) out.bytes += static_cast<std::int64_t>(tensor.bytes.size());
  }
  return out;
}

RecallObservation RecallMemory::step(std::span<const float> x) { return pass(x, true); }

RecallObservation RecallMemory::read(std::span<const float> x) { return pass(x, false); }

RecallObservation RecallMemory::pass(std::span<const float> x, bool write) {
  const RecallShape& shape = weights_.shape;
  const std::size_t latent = size(weights_.latent), values = size(shape.values);
  if (x.size() != kRecallTokens * latent) {
    throw std::invalid_argument("RecallMemory: x must be [tokens][latent] of the model");
  }
  TttScratch<float>::Scope scope(scratch_);
  const auto visible = scope.take(values), residual = scope.take(values), base = scope.take(values),
             answer = scope.take(values), features = scope.take(size(weights_.config.features)),
             key = scope.take(size(weights_.config.keys)), key_part = scope.take(key.size()),
             query = scope.take(size(shape.keys)), work = scope.take(recall_scratch_size(shape));
  RecallObservation out;
  for (std::size_t half = 0; half < kHalves; ++half) {
    const RecallHalf& net = weights_.halves[half];
    for (std::size_t i = 0; i < kHalfTokens; ++i) {
      const auto token = [&](std::size_t hider) {
        return x.subspan(static_cast<std::size_t>(hidden_[hider][i]) * latent, latent);
      };
      std::ranges::copy(token(1 - half), &visible[i * latent]);
      std::ranges::copy(token(half), &residual[i * latent]);
    }

    apply_dense<float>(net.features, visible, features);
    gelu<float>(features.data(), nullptr, features.size());
    apply_dense<float>(net.base, features, base);
    for (std::size_t i = 0; i < values; ++i) residual[i] -= base[i];
    std::array<float, 2> gates{};
    apply_dense<float>(net.gates, features, gates);
    const float read_gate = sigmoid(gates[0]), write_gate = sigmoid(gates[1]);

    apply_dense<float>(net.keys, visible, key);
    apply_dense<float>(net.feature_keys, features, key_part);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] += key_part[i];
    scale(key, 1 / std::max(std::sqrt(square(key)), 1e-6F));
    make_query(net, key, query);

    RecallCall<float> call;
    call.steps = 1;
    call.x = query.data();
    call.x_stride = shape.keys;
    call.v = residual.data();
    call.v_stride = shape.values;
    call.c = write ? &write_gate : nullptr;
    call.lambda = weights_.lambda;
    call.rate = weights_.rate;
    call.z = answer.data();
    call.z_stride = shape.values;
    call.scratch = work;
    state_.guards += recall_forward(shape, call, state_.halves[half].data()).refused;

    for (std::size_t i = 0; i < kHalfTokens; ++i) {
      double sum = 0;
      for (std::size_t j = i * latent; j < (i + 1) * latent; ++j) {
        const double error = static_cast<double>(residual[j]) - static_cast<double>(read_gate) * answer[j];
        sum += error * error;
      }
      out.errors[static_cast<std::size_t>(hidden_[half][i])] = static_cast<float>(sum / static_cast<double>(latent));
    }
  }
  for (const float error : out.errors) out.error += static_cast<double>(error) / kRecallTokens;
  if (write) ++state_.written;
  return out;
}

// What the rule sees of a key: itself, features of it, or both.
void RecallMemory::make_query(const RecallHalf& net, std::span<const float> key, std::span<float> query) {
  if (!recall_uses_hidden(weights_.config)) {
    std::ranges::copy(key, query.begin());
    return;
  }
  TttScratch<float>::Scope scope(scratch_);
  const auto scaled = scope.take(key.size());
  std::ranges::copy(key, scaled.begin());
  scale(scaled, std::sqrt(static_cast<float>(key.size())));
  const auto features = query.last(size(weights_.config.hidden));
  apply_dense<float>(net.hidden, scaled, features);
  gelu<float>(features.data(), nullptr, features.size());
  scale(features, 1 / std::sqrt(square(features) + static_cast<float>(weights_.shape.feature_eps)));
  if (features.size() == query.size()) return;
  std::ranges::copy(key, query.begin());
  scale(query, static_cast<float>(std::numbers::sqrt2 / 2));  // two unit vectors beside each other: one again
}

}  // namespace longtake
