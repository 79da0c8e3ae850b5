#include "models/train/shot_training.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/signals/shot_detector.h"
#include "models/net/tensor_file.h"
#include "models/shots/shot_head.h"
#include "models/train/random.h"

namespace longtake {
namespace {

constexpr std::int64_t kSignals = ShotSignals::kCount;

// Binary cross-entropy of logits, [2][slots] or [B][2][slots], by slot.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  return at::relu(logits) - logits * targets + at::log1p(at::exp(-at::abs(logits)));
}

// The events that come of a film's probabilities.
std::vector<double> events_of(const at::Tensor& probabilities, const ShotStream& stream) {
  constexpr std::size_t kSpeed = 2 * ShotSignals::kKinds + 2;
  std::vector<double> out;
  ShotDetector detector;
  const at::Tensor p = probabilities.contiguous();
  const float* const numbers = p.data_ptr<float>();
  const std::int64_t slots = stream.slots();
  const auto take = [&](const std::optional<EventRecord>& event) {
    if (event) out.push_back(static_cast<double>(event->frame));
  };
  ShotSlot slot;
  for (std::int64_t i = 0; i < slots; ++i) {
    slot.frame = slot.last = i;
    take(detector.step(slot, {numbers[i], numbers[slots + i], stream.signals[static_cast<std::size_t>(i * kSignals) + kSpeed]}).event);
  }
  take(detector.flush());
  return out;
}

}  // namespace

at::Tensor shot_logits(const definition::Parameters& parameters, const at::Tensor& signals, const at::Tensor& keep) {
  const auto through = [&](const at::Tensor& x, const std::string& name) {
    return at::conv1d(x, parameters.at(name + ".weight"), parameters.at(name + ".bias"));
  };
  at::Tensor hidden = at::relu(through(signals, "first"));
  if (keep.defined()) hidden = hidden * keep;
  return through(at::relu(through(hidden, "second")), "last");
}

ShotTraining::ShotTraining(std::vector<ShotStream> train, std::vector<ShotStream> held_out, const ShotTrainingOptions& options)
    : options_(options) {
  if (options.shards < 1 || options.rows % options.shards != 0) {
    throw std::invalid_argument("ShotTraining: the rows must be shared out evenly among the shards");
  }
  std::uint64_t which = 0;
  for (const ShotTensor& part : shot_tensors()) {
    const at::Tensor tensor = at::zeros(part.shape);
    ++which;
    if (part.name.ends_with(".weight")) {
      Random random({options.seed, which});
      const double spread = std::sqrt(2.0 / static_cast<double>(part.shape[1] * part.shape[2]));
      float* const values = tensor.data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(spread * random.normal());
    }
    parameters_[part.name] = tensor;
  }
  std::vector<at::Tensor> all;
  for (const ShotStream& stream : train) {
    all.push_back(at::from_blob(const_cast<float*>(stream.signals.data()), {stream.slots(), kSignals}, at::kFloat));
  }
  const at::Tensor rows = at::cat(all);
  parameters_.at("signals.mean").copy_(rows.mean(0));
  parameters_.at("signals.scale").copy_(rows.std(0));
  train_ = material_of(std::move(train));
  held_out_ = material_of(std::move(held_out));
}

ShotTraining::Material ShotTraining::material_of(std::vector<ShotStream> streams) const {
  Material out;
  for (const ShotStream& stream : streams) {
    const std::int64_t slots = stream.slots();
    const at::Tensor raw = at::from_blob(const_cast<float*>(stream.signals.data()), {slots, kSignals}, at::kFloat);
    // As ShotHead has it: nothing changes before the first frame, which is what its own signals say, and after the last.
    at::Tensor after = raw[0].clone();
    for (const std::int64_t i : {kSignals - 3, kSignals - 2}) after[i].copy_(raw[slots - 1][i]);
    const at::Tensor whole = at::cat({raw[0].expand({kShotDelay, kSignals}), raw, after.expand({kShotDelay, kSignals})});
    const at::Tensor z = (whole - parameters_.at("signals.mean")) / at::clamp_min(parameters_.at("signals.scale"), 1e-3);
    out.signals.push_back(at::clamp(z, -kMostShotSignal, kMostShotSignal).t().contiguous());
    const auto columns = [&](const std::vector<float>& from) {
      return at::from_blob(const_cast<float*>(from.data()), {slots, 2}, at::kFloat).t().contiguous();
    };
    out.targets.push_back(columns(stream.targets));
    out.weights.push_back(columns(stream.weights));
  }
  out.streams = std::move(streams);
  return out;
}

at::Tensor ShotTraining::loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures&) {
  const int rows = options_.rows / options_.shards;
  std::vector<at::Tensor> signals, targets, weights, keep;
  for (int row = 0; row < rows; ++row) {
    Random random({options_.seed, 0x73686f7473ULL, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(shard * rows + row)});
    std::size_t which = 0;
    do {
      which = static_cast<std::size_t>(random.below(std::ssize(train_.streams)));
    } while (train_.streams[which].slots() < options_.window);
    const ShotStream& stream = train_.streams[which];
    std::int64_t first = random.below(stream.slots() - options_.window + 1);
    // Every other window has something in it, where there is something; and films begin.
    if (random.chance(0.05)) {
      first = 0;
    } else if (row % 2 == 0 && !stream.truths.empty()) {
      const TimeSpan& truth = stream.truths[static_cast<std::size_t>(random.below(std::ssize(stream.truths)))];
      const auto middle = static_cast<std::int64_t>((truth.from + truth.to) / 2);
      first = std::clamp<std::int64_t>(middle - random.below(options_.window), 0, stream.slots() - options_.window);
    }
    const at::Tensor offset = at::empty({kSignals, 1}), kept = at::empty({ShotWeights::kChannels, 1});
    for (std::int64_t i = 0; i < kSignals; ++i) offset.data_ptr<float>()[i] = static_cast<float>(options_.offset * random.normal());
    for (std::int64_t i = 0; i < ShotWeights::kChannels; ++i) {
      kept.data_ptr<float>()[i] = random.chance(options_.dropout) ? 0.0F : static_cast<float>(1 / (1 - options_.dropout));
    }
    signals.push_back(train_.signals[which].narrow(1, first, options_.window + 2 * kShotDelay) + offset);
    targets.push_back(train_.targets[which].narrow(1, first, options_.window));
    weights.push_back(train_.weights[which].narrow(1, first, options_.window));
    keep.push_back(kept);
  }
  const at::Tensor wanted = at::stack(targets);
  const at::Tensor weight = at::stack(weights) * (1 + (options_.positive_weight - 1) * wanted);
  const at::Tensor logits = shot_logits(parameters, at::stack(signals), at::stack(keep));
  return (cross_entropy(logits, wanted) * weight).mean();
}

std::string ShotTraining::describe(std::int64_t step) const {
  return fmt::format("the made-up films of seed {}, windows of step {}", options_.seed, step + 1);
}

Figures ShotTraining::judge(int) {
  double sum = 0, count = 0;
  std::int64_t hits = 0, truths = 0, found = 0, slots = 0;
  for (std::size_t i = 0; i < held_out_.streams.size(); ++i) {
    const ShotStream& stream = held_out_.streams[i];
    const at::Tensor logits = shot_logits(parameters_, held_out_.signals[i].unsqueeze(0), {})[0];
    const at::Tensor weight = held_out_.weights[i] * (1 + (options_.positive_weight - 1) * held_out_.targets[i]);
    sum += (cross_entropy(logits, held_out_.targets[i]) * weight).sum().item<double>();
    count += static_cast<double>(weight.numel());
    const std::vector<double> events = events_of(at::sigmoid(logits - std::log(options_.positive_weight)), stream);
    hits += count_hits(stream.truths, events);
    truths += std::ssize(stream.truths);
    found += std::ssize(events);
    slots += stream.slots();
  }
  Figures out;
  out["score"] = out["loss"] = sum / count;
  out["f1"] = f1(hits, truths, found);
  out["false_alarms"] = static_cast<double>(found - hits) / (static_cast<double>(slots) / 25 / 3600);
  return out;
}

TensorFile ShotTraining::weights() const {
  TensorFile file;
  for (const auto& [name, tensor] : parameters_) file.tensors[name] = stored(tensor, TensorType::kF32);
  // Counting a class w times moves its log odds by ln w: back to what they are.
  file.tensors["last.bias"] = stored(parameters_.at("last.bias") - std::log(options_.positive_weight), TensorType::kF32);
  return file;
}

}  // namespace longtake
