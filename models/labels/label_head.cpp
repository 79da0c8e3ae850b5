#include "models/labels/label_head.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "kernels/dense.h"

namespace longtake {
namespace {

constexpr double kEdge = 2;  // standard deviations: 19 of 20 own frames lie within

double dot_of(const double* a, const double* b, std::size_t n) { return dot(a, b, static_cast<int>(n)); }

// Frames to learn from. An example is a unit that is left out as a whole; a label's only one falls into two.
struct Frames {
  std::vector<double> rows;          // [frames][width]
  std::vector<std::size_t> label;    // [frames]
  std::vector<std::size_t> example;  // [frames] running number of its unit
  std::vector<std::size_t> turn;     // [frames] which of its label's units: 0, 1, …
  std::size_t most_turns = 0;
};

Frames frames_of(const std::vector<LabelExample>& examples, const std::vector<std::string>& names, std::size_t width) {
  Frames out;
  const std::size_t most = std::max<std::size_t>(1, LabelHead::kMostFrames / examples.size());
  std::vector<std::size_t> turns(names.size(), 0);
  std::size_t units = 0;
  for (const LabelExample& example : examples) {
    const auto label = static_cast<std::size_t>(std::find(names.begin(), names.end(), example.name) - names.begin());
    const bool alone = std::count_if(examples.begin(), examples.end(),
                                     [&](const LabelExample& other) { return other.name == example.name; }) == 1;
    const std::size_t there = example.samples.size() / width;
    const std::size_t taken = std::min(there, most);
    const std::size_t halves = alone && taken > 1 ? 2 : 1;
    for (std::size_t i = 0; i < taken; ++i) {
      const std::size_t from = taken > 1 ? i * (there - 1) / (taken - 1) : there / 2;
      const auto at = example.samples.begin() + static_cast<std::ptrdiff_t>(from * width);
      out.rows.insert(out.rows.end(), at, at + static_cast<std::ptrdiff_t>(width));
      const std::size_t half = i * halves / taken;
      out.label.push_back(label);
      out.example.push_back(units + half);
      out.turn.push_back(turns[label] + half);
    }
    units += halves;
    turns[label] += halves;
  }
  out.most_turns = *std::max_element(turns.begin(), turns.end());
  return out;
}

double root_mean_square(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0) / static_cast<double>(values.size()));
}

// Mean and standard deviation; the deviation is never so small that a distance which never varied allows nothing else.
std::pair<double, double> spread(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean) / static_cast<double>(values.size());
  return {mean, std::max(std::sqrt(squares), 0.05 * mean + 1e-6)};
}

}  // namespace

// The rows W around their labels' means, n of them, give S = WᵀW / n and, with B = L⁻¹W, LLᵀ = WWᵀ + c I,
// c = n · isotropic / (1 − kShrink), the inverse of (1 − kShrink) S + isotropic I as (I − BᵀB) / isotropic.
LabelHead::Distances::Distances(std::span<const double> rows, const std::vector<std::size_t>& label,
                                const std::vector<std::size_t>& example, std::size_t labels, std::size_t width)
    : width_(width), means_(labels * width, 0), known_(labels, false) {
  const std::size_t n = label.size();
  // A label's mean is that of its examples, however long they are.
  std::vector<double> frames_in(example.empty() ? 0 : *std::max_element(example.begin(), example.end()) + 1, 0);
  std::vector<double> examples_of(labels, 0);
  for (std::size_t i = 0; i < n; ++i) {
    if (frames_in[example[i]]++ == 0) ++examples_of[label[i]];
    known_[label[i]] = true;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double share = 1 / (frames_in[example[i]] * examples_of[label[i]]);
    for (std::size_t j = 0; j < width; ++j) means_[label[i] * width + j] += share * rows[i * width + j];
  }

  basis_.assign(rows.begin(), rows.end());
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < width; ++j) basis_[i * width + j] -= means_[label[i] * width + j];
    squares += dot_of(&basis_[i * width], &basis_[i * width], width);
  }
  const auto known = static_cast<std::size_t>(std::count(known_.begin(), known_.end(), true));
  const std::size_t rank = std::clamp<std::size_t>(n - std::min(n, known), 1, width);
  const double trace = n > 0 ? squares / static_cast<double>(n) : 0;
  // Frames that do not differ at all still leave room for what rounding does to others.
  isotropic_ = std::max(kShrink * trace / static_cast<double>(rank), 1e-9);
  const double ridge = static_cast<double>(n) * isotropic_ / (1 - kShrink);

  std::vector<double> lower(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = dot_of(&basis_[i * width], &basis_[j * width], width) + (i == j ? ridge : 0);
      sum -= dot_of(&lower[i * n], &lower[j * n], j);
      lower[i * n + j] = i == j ? std::sqrt(sum) : sum / lower[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double* row = &basis_[i * width];
    for (std::size_t k = 0; k < i; ++k) {
      const double share = lower[i * n + k];
      const double* done = &basis_[k * width];
      for (std::size_t j = 0; j < width; ++j) row[j] -= share * done[j];
    }
    for (std::size_t j = 0; j < width; ++j) row[j] /= lower[i * n + i];
  }
  ranks_ = n;
  along_.assign(labels * ranks_, 0);
  for (std::size_t c = 0; c < labels; ++c) {
    for (std::size_t i = 0; i < ranks_; ++i) along_[c * ranks_ + i] = dot_of(&basis_[i * width], &means_[c * width], width);
  }
}

std::vector<double> LabelHead::Distances::operator()(std::span<const double> row) const {
  std::vector<double> along(ranks_);
  for (std::size_t i = 0; i < ranks_; ++i) along[i] = dot_of(&basis_[i * width_], row.data(), width_);
  std::vector<double> out(known_.size(), std::numeric_limits<double>::infinity());
  for (std::size_t c = 0; c < out.size(); ++c) {
    if (!known_[c]) continue;
    double square = 0;
    for (std::size_t j = 0; j < width_; ++j) {
      const double apart = row[j] - means_[c * width_ + j];
      square += apart * apart;
    }
    for (std::size_t i = 0; i < ranks_; ++i) {
      const double apart = along[i] - along_[c * ranks_ + i];
      square -= apart * apart;
    }
    out[c] = std::sqrt(std::max(square, 0.0) / isotropic_);
  }
  return out;
}

Result<LabelHead> LabelHead::learn(const std::vector<LabelExample>& examples, std::size_t width) {
  if (examples.empty()) return Error{ErrorKind::kModel, "there are no examples to learn labels from"};
  std::vector<std::string> names = LabelSet{{}, examples}.names();
  const std::size_t labels = names.size();
  const Frames frames = frames_of(examples, names, width);
  const std::size_t n = frames.label.size();

  std::vector<std::vector<double>> own(labels);
  std::vector<std::vector<double>> others(labels);
  std::vector<double> all_own;
  const std::size_t folds = std::min(frames.most_turns, kMostFolds);
  for (std::size_t fold = 0; fold < folds && folds > 1; ++fold) {
    std::vector<double> rows;
    std::vector<std::size_t> label;
    std::vector<std::size_t> example;
    for (std::size_t i = 0; i < n; ++i) {
      if (frames.turn[i] % folds == fold) continue;
      const auto at = frames.rows.begin() + static_cast<std::ptrdiff_t>(i * width);
      rows.insert(rows.end(), at, at + static_cast<std::ptrdiff_t>(width));
      label.push_back(frames.label[i]);
      example.push_back(frames.example[i]);
    }
    const Distances distances(rows, label, example, labels, width);
    for (std::size_t i = 0; i < n; ++i) {
      if (frames.turn[i] % folds != fold) continue;
      const auto away = distances(std::span(frames.rows).subspan(i * width, width));
      for (std::size_t c = 0; c < labels; ++c) {
        if (!std::isfinite(away[c])) continue;
        (c == frames.label[i] ? own : others)[c].push_back(away[c]);
        if (c == frames.label[i]) all_own.push_back(away[c]);
      }
    }
  }
  if (all_own.empty()) {
    return Error{ErrorKind::kModel, "one frame of each label is too little to learn from: show longer or more examples"};
  }

  LabelHead head(std::move(names), Distances(frames.rows, frames.label, frames.example, labels, width));
  head.width_ = width;
  head.typical_ = std::max(root_mean_square(all_own), 1e-12);
  head.names_.emplace_back(kUnknownLabel);
  for (std::size_t c = 0; c < labels; ++c) {
    const auto [mean, deviation] = spread(own[c].empty() ? all_own : own[c]);
    head.own_.push_back({mean, deviation});
    if (!others[c].empty()) {
      const auto [far, far_deviation] = spread(others[c]);
      head.others_.push_back({far, far_deviation});
    } else {
      head.others_.push_back({std::numeric_limits<double>::infinity(), 1});
    }
  }
  return head;
}

std::vector<float> LabelHead::judge(std::span<const float> feature) const {
  if (feature.size() != width_) throw std::invalid_argument("LabelHead: a feature of another width");
  const std::vector<double> row(feature.begin(), feature.end());
  const std::vector<double> away = distances_(row);
  const std::size_t labels = away.size();
  std::vector<double> claims(labels);  // logarithms
  double sum = 0;
  for (std::size_t c = 0; c < labels; ++c) {
    const auto density = [](double beyond, double deviation) { return std::exp(-0.5 * beyond * beyond) / deviation; };
    // Nearer than own frames use to be is as good as where they are; so is further than others.
    const double own = density(std::max(0.0, away[c] - own_[c].mean) / own_[c].deviation, own_[c].deviation);
    const double other = density(std::max(0.0, others_[c].mean - away[c]) / others_[c].deviation, others_[c].deviation);
    const double edge = density(kEdge, own_[c].deviation);
    const double belongs = own / (own + std::max(other, edge));
    claims[c] = std::log(std::max(belongs, 1e-300)) - kSharpness * away[c] * away[c] / (typical_ * typical_);
    sum += belongs;
  }
  const double known = std::min(sum, 1.0), strongest = *std::max_element(claims.begin(), claims.end());
  double shares = 0;
  for (double& claim : claims) shares += claim = std::exp(claim - strongest);
  std::vector<float> out;
  for (const double claim : claims) out.push_back(static_cast<float>(known * claim / shares));
  out.push_back(static_cast<float>(1 - known));
  return out;
}

}  // namespace longtake
