// The stretches between boundaries and changes of label, each with its labels.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/signals/label_smoother.h"
#include "core/signals/segmenter.h"
#include "core/store/safetensors.h"

namespace longtake {

// What labels a stream is watched with.
struct LabelNames {
  std::vector<std::string> names;  // in the order of Observation::labels; empty: no labels
  std::string sha256;              // 64 hex digits: whose state a saved one is
};

// Best first, at most kMostNamed of them, none below kLeastNamed except the best.
inline constexpr std::size_t kMostNamed = 5;
inline constexpr float kLeastNamed = 0.01F;
std::vector<NamedScore> named_labels(const std::vector<std::string>& names, std::span<const float> scores);

// Does what Segmenter does, with two kinds of candidates where a segment may have ended: boundaries, and changes of
// label. Both become certain late, so frames are summed in up to three pieces, cut at the candidates. The segments still
// follow one another without a gap; a segment's labels are the means of its frames'.
class LabelSegmenter {
 public:
  using TopClasses = std::vector<NamedScore> (*)(std::span<const float>);  // as Stretch::record() takes it
  LabelSegmenter(LabelNames labels, TopClasses top_classes);

  const std::vector<std::string>& names() const noexcept { return labels_.names; }

  // This frame is the first after a possible boundary if `starts_candidate`. Appends the segment that a change of label
  // ended, if one did. Throws std::invalid_argument on another number of labels.
  void add(const Observation& frame, double surprise, bool starts_candidate, std::vector<Record>& records);
  // The same with several frames at once, in `seconds`; `sums` [labels] of their scores.
  void add(const Stretch& frames, std::span<const double> sums, double seconds, bool starts_candidate, std::vector<Record>& records);
  // The boundary candidate became an event: appends the segment before it.
  void close_before_boundary(std::vector<Record>& records) { close_before(boundary_at_, records); }
  // The stream ends or breaks off: everything so far is one segment.
  void close_all(std::vector<Record>& records);

  // Whether a saved state, under the given prefix, is one of these labels; only then may it be read.
  static bool holds(const TensorFile& state, std::string_view prefix, const LabelNames& labels);

  template <class Archive>
  void archive(Archive& a) {
    a("of", of_);
    a("smoother", smoother_);
    a("piece0", pieces_[0]);
    a("piece1", pieces_[1]);
    a("piece2", pieces_[2]);
    a("boundary_at", boundary_at_);
    a("change_at", change_at_);
  }

 private:
  struct Piece {
    Stretch stretch;
    std::vector<double> sums;  // [labels] of scores

    template <class Archive>
    void archive(Archive& a) {
      a("stretch", stretch);
      a("sums", sums);
    }
  };
  Piece empty_piece() const { return {{}, std::vector<double>(labels_.names.size(), 0)}; }
  void join(std::size_t piece);              // with the one before it
  void cut(std::int64_t& candidate);         // here, for this candidate
  void withdraw(std::int64_t& candidate);
  void close_before(std::int64_t& candidate, std::vector<Record>& records);
  void emit(const Piece& piece, std::vector<Record>& records) const;
  std::int64_t last() const noexcept { return std::max({std::int64_t{0}, boundary_at_, change_at_}); }

  LabelNames labels_;
  TopClasses top_classes_;
  std::array<std::uint8_t, 64> of_{};  // labels_.sha256
  LabelSmoother smoother_;
  std::array<Piece, 3> pieces_;  // in the order of time; those behind last() are empty
  std::int64_t boundary_at_ = 0;  // the piece that begins with the candidate; 0: there is none
  std::int64_t change_at_ = 0;
};

}  // namespace longtake
