// Tells what is going on by what was learned from many labelled stretches: small nets over the encoder's tokens and what
// the last minute was like. For labels from a few examples see label_head.h.
//
//   tokens → z-score and fixed projection → x [tokens][latent]
//   running means m_j of x over 0.3, 1, 10 and 60 s
// and then, in each of kNets nets that differ in nothing but chance,
//   h = gelu(input([x, m_1 − x, …, m_4 − x]) + position) → gelu(mix(h))       each token for itself
//   g = gather(h, all tokens one behind the other) + pool([mean of h, largest of h over the tokens])
//   g ← g + gelu(conv_d(g)) for d in 1, 2, 4, 8, 16                                 taps now, d and 2d slots ago
//   softmax of a logit each = last(g)
// of which the mean is taken: few videos decide little, and what one net makes of the rest another does not.
//
// Time is cut into slots of kSlot seconds, whatever the frame rate: a frame stands in the slot that it is nearest to. Faster
// frames are left out, slower ones stand until the next. What a slot is called depends on it and on what was before alone, so
// labels come with their frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/ttt/parts.h"

namespace longtake {

struct LabelNetWeights {
  static constexpr int kNets = 3;
  static constexpr int kLatent = 64;
  static constexpr int kChannels = 64;
  static constexpr int kWidth = 128;  // of g
  static constexpr int kTaps = 3;
  static constexpr std::array<std::int64_t, 5> kDilations{1, 2, 4, 8, 16};  // slots
  static constexpr std::array<double, 4> kMeans{0.3, 1, 10, 60};            // seconds
  static constexpr double kSlot = 0.08;                                     // seconds

  struct Net {
    Dense<float> input, mix;                                               // of a token
    std::vector<float> position;                                           // [tokens][kChannels]
    Dense<float> gather, pool;                                             // of a frame
    std::array<std::array<Dense<float>, kTaps>, kDilations.size()> convs;  // oldest tap first, which has the bias
    Dense<float> last;
  };

  std::vector<std::string> names;
  Dense<float> projection;
  std::array<Net, kNets> nets;
};

// Tensors, in LibTorch's order of numbers, and their extents. Those of a net stand below "nets.N.".
struct LabelNetTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};
std::vector<LabelNetTensor> label_net_tensors(std::size_t labels);
// Errors: kModel.
Result<LabelNetWeights> load_label_net(const TensorFile& file, std::vector<std::string> names);

// The running means of a slot, in place: m += max(1 − exp(−kSlot / seconds), 1 / (slots + 1)) (x − m) for each of kMeans.
// `x` [n], `means` [kMeans][n], `slots` before this one.
void update_slot_means(std::span<const float> x, std::int64_t slots, std::span<float> means);

// A file of labels (see label_set.h) that holds a net instead of examples.
struct LabelNetFile {
  std::vector<std::string> names;
  TensorFile tensors;
  std::string encoder;   // SHA-256 of the encoder's file
  std::string sha256{};  // of the file it was read from
};
bool is_label_net(const TensorFile& file);
Result<void> write_label_net(const std::filesystem::path& path, const LabelNetFile& net);
// None: it holds examples. Errors: kModel (missing, truncated, changed, of another encoder, tensors that do not fit).
Result<std::optional<LabelNetFile>> read_label_net(const std::filesystem::path& path, std::string_view encoder);

// One stream. One thread, fixed memory.
class LabelNet {
 public:
  explicit LabelNet(const LabelNetWeights& weights);

  // tokens [tokens][channels] of a frame, `dt` seconds after the last one: how likely each of the names is, adding to 1.
  // Throws std::invalid_argument on another extent.
  const std::vector<float>& step(std::span<const float> tokens, double dt);
  // The next slot, of training for instance.
  const std::vector<float>& step_slot(std::span<const float> tokens);
  // Time breaks off: begins anew.
  void forget();

  template <class Archive>
  void archive(Archive& a) {
    a("means", means_);
    a("rings", rings_);
    a("slots", slots_);
    a("due", due_);
    a("scores", scores_);
  }

 private:
  void embed(std::span<const float> tokens);                 // → x_
  void advance();                                            // one slot with x_ → scores_
  void add_scores(std::size_t net);                          // of the slot in u_
  std::span<float> ring(std::size_t net, std::size_t conv);  // [2 · dilation + 1][kWidth]

  const LabelNetWeights* weights_;
  std::vector<float> means_;   // [kMeans][tokens][kLatent]
  std::vector<float> rings_;   // what each convolution of each net was given in its last slots; slot n at n % extent
  std::vector<float> scores_;  // [names]
  std::int64_t slots_ = 0;
  double due_ = 0;  // seconds since the last slot
  std::vector<float> x_, u_, h_, mixed_, frame_, likely_;
};

}  // namespace longtake
