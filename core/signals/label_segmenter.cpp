#include "core/signals/label_segmenter.h"

#include <stdexcept>
#include <utility>

namespace longtake {
namespace {

std::array<std::uint8_t, 64> digits(const LabelNames& labels) {
  std::array<std::uint8_t, 64> out{};
  std::copy_n(labels.sha256.begin(), std::min(labels.sha256.size(), out.size()), out.begin());
  return out;
}

}  // namespace

std::vector<NamedScore> named_labels(const std::vector<std::string>& names, std::span<const float> scores) {
  if (scores.size() != names.size()) throw std::invalid_argument("labels: another number of scores than of names");
  std::vector<NamedScore> out;
  for (std::size_t i = 0; i < names.size(); ++i) out.push_back({names[i], scores[i]});
  // Equal scores keep the order of their names, so that equal input gives equal bytes.
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  if (out.size() > kMostNamed) out.resize(kMostNamed);
  while (out.size() > 1 && out.back().score < kLeastNamed) out.pop_back();
  return out;
}

LabelSegmenter::LabelSegmenter(LabelNames labels, TopClasses top_classes)
    : labels_(std::move(labels)), top_classes_(top_classes), of_(digits(labels_)), smoother_(labels_.names.size()) {
  pieces_.fill(empty_piece());
}

void LabelSegmenter::add(const Observation& frame, double surprise, bool starts_candidate, std::vector<Record>& records) {
  Stretch one;
  one.add(frame, surprise);
  add(one, std::vector<double>(frame.labels.begin(), frame.labels.end()), frame.dt, starts_candidate, records);
}

void LabelSegmenter::add(const Stretch& frames, std::span<const double> sums, double seconds, bool starts_candidate,
                         std::vector<Record>& records) {
  if (sums.size() != labels_.names.size()) throw std::invalid_argument("LabelSegmenter: another number of labels");
  if (frames.empty()) return;
  std::vector<float> mean;
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>(frames.frames())));
  const LabelSmoother::Step label = smoother_.step(mean, seconds);
  if (label.withdrawn) withdraw(change_at_);
  if (starts_candidate) cut(boundary_at_);
  if (label.candidate) cut(change_at_);
  Piece& piece = pieces_[static_cast<std::size_t>(last())];
  piece.stretch.append(frames);
  for (std::size_t i = 0; i < piece.sums.size(); ++i) piece.sums[i] += sums[i];
  if (label.changed) close_before(change_at_, records);
}

void LabelSegmenter::close_all(std::vector<Record>& records) {
  join(2);
  join(1);
  boundary_at_ = change_at_ = 0;
  if (!pieces_[0].stretch.empty()) emit(pieces_[0], records);
  pieces_[0] = empty_piece();
  smoother_.discontinue();
}

bool LabelSegmenter::holds(const TensorFile& state, std::string_view prefix, const LabelNames& labels) {
  const auto found = state.tensors.find(std::string(prefix) + "of");
  const auto ours = digits(labels);
  return found != state.tensors.end() && found->second.type == TensorType::kU8 &&
         std::ranges::equal(found->second.bytes, std::as_bytes(std::span(ours)));
}

void LabelSegmenter::join(std::size_t piece) {
  Piece& before = pieces_[piece - 1];
  before.stretch.append(pieces_[piece].stretch);
  for (std::size_t i = 0; i < before.sums.size(); ++i) before.sums[i] += pieces_[piece].sums[i];
  pieces_[piece] = empty_piece();
}

void LabelSegmenter::cut(std::int64_t& candidate) {
  withdraw(candidate);
  // A piece may be empty still: then it begins here for both candidates, or there is nothing to end.
  const std::int64_t newest = last();
  candidate = pieces_[static_cast<std::size_t>(newest)].stretch.empty() ? newest : newest + 1;
}

void LabelSegmenter::withdraw(std::int64_t& candidate) {
  const std::int64_t piece = std::exchange(candidate, 0);
  std::int64_t& other = &candidate == &boundary_at_ ? change_at_ : boundary_at_;
  if (piece == 0 || piece == other) return;
  join(static_cast<std::size_t>(piece));
  if (other > piece) {
    std::swap(pieces_[static_cast<std::size_t>(piece)], pieces_[static_cast<std::size_t>(other)]);
    other = piece;
  }
}

void LabelSegmenter::close_before(std::int64_t& candidate, std::vector<Record>& records) {
  const auto first = static_cast<std::size_t>(std::exchange(candidate, 0));
  if (first == 0) return;
  std::int64_t& other = &candidate == &boundary_at_ ? change_at_ : boundary_at_;
  if (first == 2) join(1);  // not 2 and 1: piece 2 stays
  emit(pieces_[0], records);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    pieces_[i] = i + first < pieces_.size() ? std::exchange(pieces_[i + first], empty_piece()) : empty_piece();
  }
  other = std::max<std::int64_t>(0, other - static_cast<std::int64_t>(first));
}

void LabelSegmenter::emit(const Piece& piece, std::vector<Record>& records) const {
  SegmentRecord record = piece.stretch.record(top_classes_);
  std::vector<float> mean;
  for (const double sum : piece.sums) mean.push_back(static_cast<float>(sum / static_cast<double>(piece.stretch.frames())));
  record.labels = named_labels(labels_.names, mean);
  records.emplace_back(std::move(record));
}

}  // namespace longtake
