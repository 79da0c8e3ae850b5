#include "models/train/label_training.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/store/atomic_file.h"
#include "core/store/half.h"
#include "core/store/sha256.h"
#include "models/eval/ground_truth.h"
#include "models/labels/label_net.h"
#include "models/labels/label_set.h"
#include "models/memory_file.h"
#include "models/model_folder.h"
#include "models/net/products.h"
#include "models/net/tensor_file.h"
#include "models/on_threads.h"
#include "models/train/random.h"

namespace longtake {
namespace {

namespace fs = std::filesystem;
using Weights = LabelNetWeights;

constexpr std::int64_t kLatent = Weights::kLatent;
constexpr std::int64_t kMeans = static_cast<std::int64_t>(Weights::kMeans.size());

std::vector<float> floats_of(std::span<const std::uint16_t> halves) {
  std::vector<float> out;
  for (const std::uint16_t half : halves) out.push_back(half_to_float(half));
  return out;
}

std::int64_t which(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

at::Tensor class_weights(const std::vector<double>& counts, double balance) {
  const auto classes = static_cast<std::int64_t>(counts.size());
  double all = 0, weighted = 0;
  for (const double count : counts) all += count;
  const at::Tensor out = at::zeros({classes});
  for (std::int64_t c = 0; c < classes; ++c) {
    const double count = counts[static_cast<std::size_t>(c)];
    if (count == 0) continue;
    const double weight = std::pow(all / count, balance);
    out[c] = weight;
    weighted += weight * count;
  }
  return out * (all / weighted);  // a slot counts 1 on average
}

}  // namespace

LabelledVideo labelled_video(std::vector<std::shared_ptr<const Features>> views, const std::vector<TrueEvent>& truth) {
  LabelledVideo out;
  const Features& plain = *views.front();
  const double end = plain.seconds(plain.frames() - 1);
  std::vector<double> times;
  for (std::int64_t slot = 0; static_cast<double>(slot) * Weights::kSlot <= end + Weights::kSlot / 2; ++slot) {
    times.push_back(static_cast<double>(slot) * Weights::kSlot);
    out.frames.push_back(plain.nearest(times.back()));
  }
  out.truth = true_labels(truth, times);
  out.views = std::move(views);
  return out;
}

at::Tensor label_logits(const definition::Parameters& parameters, int net, const at::Tensor& inputs, const Drop& drop) {
  const auto part = [&](const std::string& name) { return parameters.at(fmt::format("nets.{}.{}", net, name)); };
  const auto dense = [&](const at::Tensor& x, const std::string& name) {
    return linear_product(x, part(name + ".weight"), part(name + ".bias"));
  };
  const auto dropped = [&](const at::Tensor& x, double share) { return drop ? drop(x, share) : x; };
  const at::Tensor tokens = dropped(at::gelu(dense(inputs, "input") + part("position")), 0.5);
  const at::Tensor mixed = at::gelu(dense(tokens, "mix"));
  const at::Tensor pooled = at::cat({mixed.mean(2), mixed.amax(2)}, -1);
  at::Tensor frame = dropped(dense(mixed.flatten(2), "gather") + dense(pooled, "pool"), 1);  // [B][T][width]
  const std::int64_t slots = frame.size(1);
  for (std::size_t i = 0; i < Weights::kDilations.size(); ++i) {
    const std::int64_t dilation = Weights::kDilations[i];
    // Before the first slot all was as in it.
    const at::Tensor longer =
        at::cat({frame.narrow(1, 0, 1).expand({-1, (Weights::kTaps - 1) * dilation, -1}), frame}, 1);
    std::vector<at::Tensor> taps;
    for (std::int64_t tap = 0; tap < Weights::kTaps; ++tap) taps.push_back(longer.narrow(1, tap * dilation, slots));
    const at::Tensor weight = part(fmt::format("convs.{}.weight", i)).permute({0, 2, 1}).flatten(1);  // [out][tap · in]
    const at::Tensor through = linear_product(at::cat(taps, 2), weight, part(fmt::format("convs.{}.bias", i)));
    frame = frame + dropped(at::gelu(through), 0.5);
  }
  return dense(frame, "last");
}

at::Tensor label_inputs(const definition::Parameters& parameters, const LabelledVideo& video, std::size_t view,
                        std::int64_t first, std::int64_t count, std::int64_t before) {
  const std::int64_t begin = std::max<std::int64_t>(0, first - before);
  const auto frames =
      std::span(video.frames).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(first + count - begin));
  const at::Tensor tokens = frame_tokens(*video.views[view], frames);
  const at::Tensor z = (tokens - parameters.at("tokens.mean")) / at::clamp_min(parameters.at("tokens.scale"), 1e-3);
  const at::Tensor x = linear_product(z, parameters.at("tokens.projection")).contiguous();  // [slots][tokens][latent]
  const std::int64_t numbers = Encoder::kTokens * kLatent;
  const at::Tensor means = at::zeros({kMeans, Encoder::kTokens, kLatent});
  const std::span<float> now(means.data_ptr<float>(), static_cast<std::size_t>(kMeans * numbers));
  const at::Tensor out = at::empty({count, 1 + kMeans, Encoder::kTokens, kLatent});
  for (std::int64_t i = 0; i < std::ssize(frames); ++i) {
    update_slot_means({x.data_ptr<float>() + i * numbers, static_cast<std::size_t>(numbers)}, i, now);
    const std::int64_t row = begin + i - first;
    if (row < 0) continue;
    out[row][0].copy_(x[i]);
    out[row].narrow(0, 1, kMeans).copy_(means - x[i]);
  }
  return out.transpose(1, 2).flatten(2);
}

LabelTraining::LabelTraining(std::vector<std::string> names, std::vector<LabelledVideo> train,
                             std::vector<LabelledVideo> judged, const LabelTrainingOptions& options)
    : names_(std::move(names)), train_(std::move(train)), judged_(std::move(judged)), options_(options) {
  if (options.shards < 1 || options.rows % options.shards != 0) {
    throw std::invalid_argument("LabelTraining: the rows must be shared out evenly among the shards");
  }
  std::vector<Clip> clips;
  std::vector<double> counts(names_.size(), 0);
  for (const LabelledVideo& video : train_) {
    for (const auto& view : video.views) clips.push_back(whole(view));
    std::vector<std::int64_t>& targets = targets_.emplace_back();
    for (const std::string& name : video.truth) {
      targets.push_back(which(names_, name));
      if (targets.back() >= 0) ++counts[static_cast<std::size_t>(targets.back())];
    }
    ends_.push_back((ends_.empty() ? 0 : ends_.back()) + std::ssize(targets));
  }
  class_weights_ = class_weights(counts, options.balance);
  labelled_ = std::reduce(counts.begin(), counts.end()) / static_cast<double>(std::max<std::int64_t>(1, ends_.back()));

  // Uniform up to 1 / √inputs, the usual start of a layer; biases too, without which what is learned is worse.
  std::uint64_t number = 0;
  double spread = 0;
  for (const LabelNetTensor& part : label_net_tensors(names_.size())) {
    const at::Tensor tensor = at::zeros(part.shape);
    if (part.name.ends_with(".weight")) {
      double inputs = 1;
      for (std::size_t i = 1; i < part.shape.size(); ++i) inputs *= static_cast<double>(part.shape[i]);
      spread = 1 / std::sqrt(inputs);  // that of the bias that follows
    }
    if (!part.name.starts_with("tokens.")) {
      Random random({options.seed, ++number});
      const double most = part.name.ends_with(".position") ? 0.02 : spread;
      float* const values = tensor.data_ptr<float>();
      for (std::int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(random.uniform(-most, most));
    }
    parameters_[part.name] = tensor;
  }
  const TokenProjection projection = fit_projection(clips, static_cast<int>(kLatent));
  parameters_.at("tokens.mean").copy_(projection.mean);
  parameters_.at("tokens.scale").copy_(projection.scale);
  parameters_.at("tokens.projection").copy_(projection.projection);
}

at::Tensor LabelTraining::loss(std::int64_t step, int shard, const definition::Parameters& parameters, Figures&) {
  at::Tensor sum = at::zeros({});
  for (int net = 0; net < Weights::kNets; ++net) sum = sum + loss_of(net, step, shard, parameters);
  return sum / Weights::kNets;
}

at::Tensor LabelTraining::loss_of(int net, std::int64_t step, int shard,
                                  const definition::Parameters& parameters) const {
  const int rows = options_.rows / options_.shards;
  const auto of_step = [&](std::uint64_t what, int number) {
    return Random({options_.seed, what, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(net),
                   static_cast<std::uint64_t>(number)});
  };
  // Of LibTorch's own generator, which is quick; it is new with every step, so that a training goes on anywhere.
  Random seeds = of_step(0x6c6162656cULL, shard);
  at::Generator generator = at::detail::createCPUGenerator(seeds.bits());
  std::vector<at::Tensor> inputs, targets;
  for (int row = 0; row < rows; ++row) {
    Random random = of_step(0x77696e646f77ULL, shard * rows + row);
    const auto of = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), random.below(ends_.back())) -
                                             ends_.begin());
    const LabelledVideo& video = train_[of];
    const std::int64_t slots = std::ssize(video.frames), count = std::min<std::int64_t>(slots, options_.window);
    const std::int64_t first = random.below(slots - count + 1);
    const auto view = static_cast<std::size_t>(random.below(std::ssize(video.views)));
    at::Tensor x = label_inputs(parameters, video, view, first, count, options_.before);
    at::Tensor y =
        at::from_blob(const_cast<std::int64_t*>(&targets_[of][static_cast<std::size_t>(first)]), {count}, at::kLong)
            .clone();
    y.narrow(0, 0, std::min<std::int64_t>(count, options_.unjudged)).fill_(-1);
    if (count < options_.window) {
      x = at::cat({x, x.narrow(0, count - 1, 1).expand({options_.window - count, -1, -1})});
      y = at::cat({y, at::full({options_.window - count}, -1, at::kLong)});
    }
    const auto noise = [&](at::IntArrayRef shape) { return options_.noise * at::randn(shape, generator); };
    const at::Tensor factor = noise({1 + kMeans, kLatent}).flatten();
    inputs.push_back(x * (1 + factor) + noise({Encoder::kTokens, (1 + kMeans) * kLatent}));
    targets.push_back(y);
  }
  const Drop drop = [&](const at::Tensor& activations, double share) {
    const double kept = 1 - share * options_.dropout;
    return activations * at::empty(activations.sizes()).bernoulli_(kept, generator) / kept;
  };
  const at::Tensor logits = label_logits(parameters, net, at::stack(inputs), drop).flatten(0, 1);
  const at::Tensor wanted = at::stack(targets).flatten();
  // Divided by as many slots as are labelled in such windows on average. By those that are in these, the fewer there are, the
  // more each would count.
  const double labelled = labelled_ * static_cast<double>(wanted.numel());
  return at::cross_entropy_loss(logits, wanted, class_weights_, at::Reduction::Sum, -1, options_.smoothing) / labelled;
}

std::string LabelTraining::describe(std::int64_t step) const {
  return fmt::format("the windows of step {} of seed {}", step + 1, options_.seed);
}

Figures LabelTraining::judge(int threads) {
  const LabelCounts found = counts(judged_.empty() ? train_ : judged_, threads);
  return {{"score", 1 - found.frame_accuracy()}, {"accuracy", found.frame_accuracy()}, {"macro_f1", found.macro_f1()}};
}

TensorFile LabelTraining::weights() const {
  TensorFile file;
  for (const auto& [name, tensor] : parameters_) file.tensors[name] = stored(tensor, TensorType::kF32);
  return file;
}

LabelCounts LabelTraining::counts(const std::vector<LabelledVideo>& videos, int threads) const {
  auto loaded = load_label_net(weights(), names_);
  if (!loaded) throw std::logic_error(loaded.error().message);
  std::vector<LabelCounts> by_video(videos.size());
  on_threads(std::ssize(videos), threads, [&](const auto& next) {
    for (std::int64_t i = next(); i >= 0; i = next()) {
      const LabelledVideo& video = videos[static_cast<std::size_t>(i)];
      LabelNet net(*loaded);
      std::vector<std::string> said;
      for (const std::int64_t frame : video.frames) {
        const std::vector<float>& scores = net.step_slot(floats_of(video.views.front()->tokens(frame)));
        said.push_back(
            names_[static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())]);
      }
      by_video[static_cast<std::size_t>(i)] = count_labels(video.truth, said);
    }
  });
  LabelCounts out;
  for (const LabelCounts& one : by_video) out.add(one);
  return out;
}

LabelCounts linear_probe(const std::vector<std::string>& names, const std::vector<LabelledVideo>& train,
                         const std::vector<LabelledVideo>& judged) {
  constexpr double kSeconds = 3;
  constexpr std::int64_t kMostSlots = 20000;  // learned from, evenly spread
  constexpr std::int64_t kNumbers = 2 * Encoder::kEmbedding;
  // [slots][kNumbers] of every so many slots
  const auto rows_of = [&](const LabelledVideo& video, std::int64_t every) {
    const std::int64_t slots = std::ssize(video.frames);
    const at::Tensor out = at::empty({(slots + every - 1) / every, kNumbers});
    std::vector<float> mean(Encoder::kEmbedding, 0);
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      const std::vector<float> now =
          floats_of(video.views.front()->embedding(video.frames[static_cast<std::size_t>(slot)]));
      const auto k =
          static_cast<float>(std::max(1 - std::exp(-Weights::kSlot / kSeconds), 1 / (static_cast<double>(slot) + 1)));
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += k * (now[i] - mean[i]);
      if (slot % every != 0) continue;
      float* const row = out.data_ptr<float>() + slot / every * kNumbers;
      std::copy(now.begin(), now.end(), row);
      std::copy(mean.begin(), mean.end(), row + Encoder::kEmbedding);
    }
    return out;
  };
  struct Material {
    at::Tensor rows, targets;  // [n][kNumbers], [n]
  };
  std::int64_t all = 0;
  for (const LabelledVideo& video : train) all += std::ssize(video.frames);
  const std::int64_t every = std::max<std::int64_t>(1, (all + kMostSlots - 1) / kMostSlots);
  std::vector<Material> material;
  std::vector<double> counts(names.size(), 0);
  for (const LabelledVideo& video : train) {
    std::vector<std::int64_t> labelled, targets;
    for (std::size_t slot = 0; slot < video.truth.size(); slot += static_cast<std::size_t>(every)) {
      const std::int64_t name = which(names, video.truth[slot]);
      if (name < 0) continue;
      labelled.push_back(static_cast<std::int64_t>(slot) / every);
      targets.push_back(name);
      ++counts[static_cast<std::size_t>(name)];
    }
    if (!labelled.empty())
      material.push_back({rows_of(video, every).index_select(0, at::tensor(labelled)), at::tensor(targets)});
  }
  const at::Tensor weights = class_weights(counts, LabelTrainingOptions().balance);
  const auto joined = [&](const auto& wanted) {
    std::vector<at::Tensor> rows, targets;
    for (std::size_t i = 0; i < material.size(); ++i) {
      if (!wanted(i)) continue;
      rows.push_back(material[i].rows);
      targets.push_back(material[i].targets);
    }
    return Material{at::cat(rows), at::cat(targets)};
  };
  struct Probe {
    at::Tensor mean, scale, map, shares;
    at::Tensor operator()(const at::Tensor& rows) const { return at::matmul((rows - mean) / scale, map) + shares; }
  };
  const auto learn = [&](const Material& from, double held_back) {
    Probe out;
    out.mean = from.rows.mean(0);
    out.scale = at::clamp_min(from.rows.std(0), 1e-3);
    const at::Tensor z = (from.rows - out.mean) / out.scale;
    const at::Tensor weighted = z * weights.index_select(0, from.targets).unsqueeze(1);
    const at::Tensor wanted = at::one_hot(from.targets, static_cast<std::int64_t>(names.size())).to(at::kFloat);
    out.shares = wanted.mean(0);
    const at::Tensor products = linear_product(weighted.t().contiguous(), z.t().contiguous()).to(at::kDouble);
    const at::Tensor ridge = products + held_back * static_cast<double>(z.size(0)) * at::eye(kNumbers, at::kDouble);
    out.map =
        at::cholesky_solve(at::matmul(weighted.t(), wanted - out.shares).to(at::kDouble), at::linalg_cholesky(ridge))
            .to(at::kFloat);
    return out;
  };
  constexpr std::size_t kTurns = 4;
  double chosen = 10, best = -1;
  if (material.size() >= kTurns) {
    const Material others = joined([](std::size_t i) { return i % kTurns != 0; });
    const Material left_out = joined([](std::size_t i) { return i % kTurns == 0; });
    for (const double held_back : {0.1, 1.0, 10.0, 100.0}) {
      const at::Tensor said = learn(others, held_back)(left_out.rows).argmax(1);
      const double right = said.eq(left_out.targets).to(at::kFloat).mean().item<double>();
      if (right > best) {
        best = right;
        chosen = held_back;
      }
    }
  }
  const Probe probe = learn(joined([](std::size_t) { return true; }), chosen);
  LabelCounts out;
  for (const LabelledVideo& video : judged) {
    const at::Tensor best_of = probe(rows_of(video, 1)).argmax(1).contiguous();
    std::vector<std::string> said;
    for (std::int64_t slot = 0; slot < best_of.size(0); ++slot)
      said.push_back(names[static_cast<std::size_t>(best_of.data_ptr<std::int64_t>()[slot])]);
    out.add(count_labels(video.truth, said));
  }
  return out;
}

Result<LabelTrainOutcome> train_labels(const LabelTrainRequest& request, const Note& note,
                                       const std::function<void(const TrainerStep&)>& on_step, std::stop_token stop) {
  if (request.views.empty() || request.views.front() != FrameView::kPlain) {
    return Error{ErrorKind::kUsage, "the plain view of a video is the first to learn from"};
  }
  auto rows = read_labels(request.truth, request.column, request.split);
  if (!rows) return std::move(rows).error();
  std::vector<std::string> names;
  for (const TrueEvent& event : *rows) {
    if (which(names, event.label) >= 0) continue;
    if (auto fine = check_label_name(event.label); !fine) return std::move(fine).error();
    names.push_back(event.label);
  }
  std::sort(names.begin(), names.end());
  if (names.size() < 2 || names.size() > LabelSet::kMostNames) {
    return Error{ErrorKind::kInput, fmt::format("\"{}\" has {} labels to learn; 2 to {} can be told apart",
                                                request.truth.string(), names.size(), LabelSet::kMostNames)};
  }
  const fs::path root = request.root.empty() ? request.truth.parent_path() : request.root;
  for (const std::string* split : {&request.split, &request.validation, &request.test}) {
    if (split->empty() && split != &request.split) continue;
    auto events = read_labels(request.truth, request.column, *split);
    if (!events) return std::move(events).error();
    for (const TrueEvent& event : *events) {
      const fs::path path = root / event.path;
      if (std::error_code none; !fs::is_regular_file(path, none)) {
        return Error{ErrorKind::kInput,
                     fmt::format("cannot open \"{}\", which \"{}\" is about", path.string(), request.truth.string())};
      }
    }
  }
  auto base = open_model_folder(request.base);
  if (!base) return std::move(base).error();
  auto encoder = Encoder::load(base->encoder());
  if (!encoder) return std::move(encoder).error();
  auto encoder_hash = sha256_file(base->encoder());
  if (!encoder_hash) return std::move(encoder_hash).error();
  // That it can be written is found out before an hour was spent.
  const fs::path probe = request.output.string() + ".new";
  std::error_code ec;
  if (auto done = write_file_atomically(probe, std::string_view()); !done) return std::move(done).error();
  fs::remove(probe, ec);

  const auto shared = std::make_shared<Encoder>(std::move(*encoder));
  std::string seen;  // what the training depends on
  const auto videos_of = [&](const std::string& split,
                             const std::vector<FrameView>& views) -> Result<std::vector<LabelledVideo>> {
    auto events = read_labels(request.truth, request.column, split);
    if (!events) return std::move(events).error();
    std::vector<LabelledVideo> out;
    for (const auto& [video, truth] : by_video(*events)) {
      const std::string path = (root / truth.front().path).string();
      std::vector<std::shared_ptr<const Features>> seen_as;
      for (const FrameView view : views) {
        FeatureCacheOptions options = request.cache;
        options.view = view;
        auto features = FeatureCache(shared, *encoder_hash, options).get(path, stop);
        if (!features) return std::move(features).error();
        seen_as.push_back(std::move(*features));
      }
      out.push_back(labelled_video(std::move(seen_as), truth));
      seen += fmt::format("{} {}\n", source_key(path), fmt::join(out.back().truth, ","));
    }
    return out;
  };
  auto train_on = videos_of(request.split, request.views);
  if (!train_on) return std::move(train_on).error();
  std::vector<LabelledVideo> judge_by;
  if (!request.validation.empty()) {
    auto found = videos_of(request.validation, {FrameView::kPlain});
    if (!found) return std::move(found).error();
    judge_by = std::move(*found);
  }
  note(fmt::format("{} videos to learn {} labels from, {} to judge by", train_on->size(), names.size(),
                   judge_by.size()));

  prepare_for_training();
  TrainerOptions how = request.how;
  how.threads = request.threads;
  how.keep_last = judge_by.empty();
  // The loss is the mean of the nets', so that of gradients as long as one net's would be, this is the length of all.
  how.clip /= std::sqrt(static_cast<double>(Weights::kNets));
  seen += fmt::format("{} {} {} {} {} {}", *encoder_hash, how.steps, how.rate, request.seed, request.views.size(),
                      fmt::join(names, ","));
  for (const FrameView view : request.views) seen += fmt::format(" {}", static_cast<int>(view));
  how.settings = sha256_hex(std::as_bytes(std::span(seen)));
  LabelTrainingOptions what;
  what.seed = request.seed;
  LabelTraining training(names, *train_on, std::move(judge_by), what);
  LabelTrainOutcome out;
  out.names = names;
  auto trained = train(training, how, on_step, stop);
  if (!trained) return std::move(trained).error();
  out.trained = std::move(*trained);
  if (auto done = write_label_net(request.output, {names, training.weights(), *encoder_hash}); !done)
    return std::move(done).error();
  fs::remove(how.checkpoint, ec);
  if (!request.test.empty()) {
    auto test = videos_of(request.test, {FrameView::kPlain});
    if (!test) return std::move(test).error();
    out.net = training.counts(*test, request.threads);
    out.probe = linear_probe(names, *train_on, *test);
  }
  return out;
}

}  // namespace longtake
