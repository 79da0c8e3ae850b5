// The layer and the block on a stream: pieces, state, files, losses, damage.
#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

#include "models/ttt/block.h"
#include "tests/models/ttt/random_layer.h"

namespace longtake {
namespace {

template <class Loaded>
Loaded usable(Result<Loaded> loaded) {
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

struct Stream {
  TttLayerWeights<float> weights;
  TttLayerState<float> state;
  TttScratch<float> scratch;

  explicit Stream(const TttLayerConfig& config, unsigned seed = 1) {
    RandomTensors tensors(seed);
    add_layer(tensors, config);
    weights = usable(load_ttt_layer<float>(config, tensors.singles, ""));
    state = start_state(weights);
  }

  std::vector<float> feed(std::span<const float> x, TttLayerReport* report = nullptr,
                          const TttLayerOptions<float>& options = {}) {
    std::vector<float> y(x.size(), std::numeric_limits<float>::quiet_NaN());
    const auto got = ttt_layer_forward<float>(weights, state, scratch, x, y, options);
    if (report != nullptr) *report = got;
    return y;
  }
};

std::vector<float> tokens(const TttLayerConfig& config, int count, unsigned seed = 2) {
  return RandomTensors(seed).draw<float>(std::size_t(count) * config.width, 1);
}

// Of a stream of `count` tokens: a place to cut it, not at a mini-batch's border in the causal form.
int cut_of(const TttLayerConfig& c) {
  return c.form == TttForm::kCausal ? 2 * c.mini_batch + c.mini_batch / 2 : 2 * c.mini_batch;
}

bool same_bits(const TttLayerState<float>& a, const TttLayerState<float>& b) {
  return a.weights == b.weights && a.conv_tail == b.conv_tail && a.open == b.open && a.position == b.position;
}

TEST(TttLayer, GivesTheSameBitsInAnyPieces) {
  for (const auto& config : layer_configs()) {
    const int unit = config.form == TttForm::kFrame ? config.mini_batch : 1;
    const auto x = tokens(config, 40 * config.mini_batch);
    Stream whole(config);
    const auto want = whole.feed(x);
    Stream cut(config);
    std::vector<float> got;
    std::mt19937 random(3);
    for (std::size_t at = 0; at < x.size();) {
      const std::size_t most = (x.size() - at) / config.width / unit;
      const std::size_t n = std::min<std::size_t>(1 + random() % 7, most) * unit * config.width;
      const auto part = cut.feed(std::span(x).subspan(at, n));
      got.insert(got.end(), part.begin(), part.end());
      at += n;
    }
    EXPECT_EQ(got, want) << testing::PrintToString(config);
    EXPECT_TRUE(same_bits(cut.state, whole.state)) << testing::PrintToString(config);
  }
}

TEST(TttLayer, GoesOnFromASavedStateWithTheSameBits) {
  for (const auto& config : layer_configs()) {
    const auto x = tokens(config, 6 * config.mini_batch);
    const std::size_t cut = std::size_t(cut_of(config)) * config.width;
    Stream whole(config);
    whole.feed(std::span(x).first(cut));
    TensorFile file;
    save_state(whole.weights, whole.state, file, "layer.");
    const auto bytes = serialize_tensors(file);
    const auto want = whole.feed(std::span(x).subspan(cut));

    Stream resumed(config);
    const auto parsed = parse_tensors(bytes, "state");
    ASSERT_TRUE(parsed.ok());
    resumed.state = usable(load_state(resumed.weights, *parsed, "layer."));
    EXPECT_EQ(resumed.feed(std::span(x).subspan(cut)), want) << testing::PrintToString(config);
    EXPECT_TRUE(same_bits(resumed.state, whole.state));
  }
}

TEST(TttLayer, SavedStateHasTheSameSizeAtAnyTimeAndSameStateSameBytes) {
  for (const auto& config : layer_configs()) {
    const int unit = config.form == TttForm::kFrame ? config.mini_batch : 1;
    const auto saved = [&](int count, bool piecewise) {
      Stream stream(config);
      const auto x = tokens(config, 5 * config.mini_batch);
      const std::size_t step = std::size_t(piecewise ? unit : count) * config.width;
      for (std::size_t at = 0; at < std::size_t(count) * config.width; at += step) {
        stream.feed(std::span(x).subspan(at, step));
      }
      TensorFile file;
      save_state(stream.weights, stream.state, file, "");
      return serialize_tensors(file);
    };
    const auto some = saved(cut_of(config), false);
    EXPECT_EQ(saved(unit, false).size(), some.size()) << testing::PrintToString(config);
    EXPECT_EQ(saved(cut_of(config), true), some) << testing::PrintToString(config);
  }
}

TEST(TttLayer, RefusesAStateFileThatIsNotWhole) {
  TttLayerConfig config = layer_configs()[0];
  config.form = TttForm::kCausal;
  config.share_qk = true;
  Stream stream(config);
  stream.feed(tokens(config, 21));
  TensorFile good;
  save_state(stream.weights, stream.state, good, "p.");
  ASSERT_TRUE(load_state(stream.weights, good, "p.").ok());
  EXPECT_FALSE(load_state(stream.weights, good, "q.").ok());
  for (const auto& [name, tensor] : good.tensors) {
    TensorFile lacking = good;
    lacking.tensors.erase(name);
    const auto result = load_state(stream.weights, lacking, "p.");
    ASSERT_FALSE(result.ok()) << name;
    EXPECT_EQ(result.error().kind, ErrorKind::kModel);
    EXPECT_NE(result.error().message.find(name), std::string::npos) << result.error().message;
    TensorFile reshaped = good;
    reshaped.tensors[name].shape.push_back(1);
    EXPECT_FALSE(load_state(stream.weights, reshaped, "p.").ok()) << name;
  }
  const auto with_counts = [&](std::int64_t open, std::int64_t position) {
    TensorFile file = good;
    const std::vector<std::int64_t> counts{open, position};
    file.tensors["p.counts"] = Tensor::of(counts, {2});
    return load_state(stream.weights, file, "p.").ok();
  };
  EXPECT_TRUE(with_counts(15, 15));
  EXPECT_FALSE(with_counts(16, 0));
  EXPECT_FALSE(with_counts(-1, 0));
  EXPECT_FALSE(with_counts(0, 16));
  EXPECT_FALSE(with_counts(0, -1));
  stream.state.weights[7] = std::numeric_limits<float>::infinity();
  TensorFile infinite;
  save_state(stream.weights, stream.state, infinite, "p.");
  EXPECT_FALSE(load_state(stream.weights, infinite, "p.").ok());
}

TEST(TttLayer, RefusesWeightsThatAreNotWhole) {
  for (const auto& config : layer_configs()) {
    RandomTensors tensors(1);
    add_layer(tensors, config, "p.");
    ASSERT_TRUE(load_ttt_layer<float>(config, tensors.singles, "p.").ok());
    for (const auto& [name, tensor] : tensors.singles.tensors) {
      TensorFile lacking = tensors.singles;
      lacking.tensors.erase(name);
      const auto result = load_ttt_layer<float>(config, lacking, "p.");
      ASSERT_FALSE(result.ok()) << name;
      EXPECT_EQ(result.error().kind, ErrorKind::kModel);
      EXPECT_NE(result.error().message.find(name), std::string::npos) << result.error().message;
      TensorFile poisoned = tensors.singles;
      auto values = *poisoned.floats(name, tensor.shape);
      values.back() = std::numeric_limits<float>::quiet_NaN();
      poisoned.tensors[name] = Tensor::of(values, tensor.shape);
      EXPECT_FALSE(load_ttt_layer<float>(config, poisoned, "p.").ok()) << name;
    }
  }
}

TEST(TttLayer, ReportsItsLosses) {
  TttLayerConfig config = layer_configs()[0];
  for (const TttForm form : {TttForm::kFrame, TttForm::kCausal}) {
    config.form = form;
    Stream stream(config);
    const auto x = tokens(config, 32);
    TttLayerProbe<float> probe;
    TttLayerOptions<float> options;
    options.probe = &probe;
    TttLayerReport report;
    stream.feed(x, &report, options);
    const auto mean_of = [](const std::vector<float>& values) {
      double sum = 0;
      for (const float value : values) sum += value;
      return sum / values.size();
    };
    ASSERT_EQ(probe.before.size(), 64u);
    EXPECT_NEAR(report.loss.before, mean_of(probe.before), 1e-6);
    EXPECT_NEAR(report.loss.after, mean_of(probe.after), 1e-6);
    EXPECT_LT(report.loss.after, report.loss.before);
    EXPECT_TRUE(std::equal(probe.before.begin(), probe.before.begin() + 16, probe.init.begin()))
        << "the first mini-batch starts from the learned start";
    EXPECT_GT(report.loss.drift, 0);
    EXPECT_EQ(report.counts.closed, 4);
    EXPECT_EQ(report.counts.refused, 0);

    options = {};
    options.after = false;
    stream.feed(x, &report, options);
    EXPECT_TRUE(std::isnan(report.loss.after));
    stream.feed({}, &report);
    EXPECT_TRUE(std::isnan(report.loss.before));
  }
}

TEST(TttLayer, TakesItsRulesFromTheConfig) {
  TttLayerConfig config;
  const auto x = tokens(config, 5 * config.mini_batch);
  const auto after = [&](const TttLayerConfig& rules) {
    Stream stream(rules);
    stream.feed(x);
    return stream;
  };
  const Stream plain = after(config);
  ASSERT_NE(plain.state.weights, plain.weights.start);

  TttLayerConfig forgetful = config;
  forgetful.decay = 1;
  const TttShape shape = config.shape();
  const auto drift = [&](const Stream& s) { return ttt_drift(shape, s.state.weights.data(), s.weights.start.data()); };
  EXPECT_GT(drift(plain), 0.01);
  EXPECT_LT(drift(after(forgetful)), 1e-6);

  const auto head = [&](const AlignedVector<float>& weights) { return ttt_weight_parts(shape, weights.data()); };
  const std::ptrdiff_t first_layer = head(plain.weights.start).w2 - head(plain.weights.start).w1;
  TttLayerConfig last = config;
  last.update = TttUpdate::kLastLayer;
  const Stream shallow = after(last);
  EXPECT_TRUE(std::equal(shallow.state.weights.begin(), shallow.state.weights.begin() + first_layer,
                         plain.weights.start.begin()));
  EXPECT_NE(shallow.state.weights, plain.weights.start);

  TttLayerConfig kept = config;
  kept.keep_row_norms = true;
  const Stream even = after(kept);
  const auto length = [&](const AlignedVector<float>& weights, int row) {
    double square = 0;
    for (int c = 0; c < shape.head_width; ++c) square += std::pow(head(weights).w2[row * shape.head_width + c], 2);
    return std::sqrt(square);
  };
  double grown = 0;
  for (int row = 0; row < shape.hidden_width; ++row) {
    const double start = length(plain.weights.start, row);
    EXPECT_NEAR(length(even.state.weights, row), start, 1e-5 * start);
    grown = std::max(grown, length(plain.state.weights, row) / start);
  }
  EXPECT_GT(grown, 1.01) << "without the rule they grow";
}

TEST(TttLayer, GoesOnAfterAFrameThatIsNotFinite) {
  for (const auto& config : layer_configs()) {
    if (config.form != TttForm::kFrame || config.share_qk) continue;
    Stream stream(config);
    auto x = tokens(config, config.mini_batch);
    stream.feed(x);
    const auto before = stream.state;
    auto bad = x;
    bad[bad.size() / 2] = std::numeric_limits<float>::quiet_NaN();
    TttLayerReport report;
    stream.feed(bad, &report);
    EXPECT_EQ(report.counts.refused, config.heads) << testing::PrintToString(config);
    EXPECT_TRUE(same_bits(stream.state, before)) << testing::PrintToString(config);
    for (const float value : stream.feed(x)) ASSERT_TRUE(std::isfinite(value));
  }
}

TEST(TttLayer, RefusesCallsThatDoNotFit) {
  TttLayerConfig config = layer_configs()[0];
  Stream stream(config);
  const auto before = stream.state;
  EXPECT_THROW(stream.feed(tokens(config, 17)), std::invalid_argument);
  EXPECT_THROW(stream.feed(std::vector<float>(config.width * 16 + 1)), std::invalid_argument);
  std::vector<float> x(config.width * 16), y(config.width * 15);
  EXPECT_THROW(ttt_layer_forward<float>(stream.weights, stream.state, stream.scratch, x, y), std::invalid_argument);
  EXPECT_TRUE(same_bits(stream.state, before));
  stream.state.weights.pop_back();
  EXPECT_THROW(stream.feed(x), std::invalid_argument);

  for (const auto& change : std::vector<void (*)(TttLayerConfig&)>{
           [](TttLayerConfig& c) { c.heads = 3; }, [](TttLayerConfig& c) { c.heads = 0; },
           [](TttLayerConfig& c) { c.width = c.heads; }, [](TttLayerConfig& c) { c.mini_batch = 0; },
           [](TttLayerConfig& c) { c.base_rate = std::nan(""); }, [](TttLayerConfig& c) { c.conv_width = 0; },
           [](TttLayerConfig& c) { c.inner_eps = -1; }}) {
    TttLayerConfig wrong = layer_configs()[0];
    change(wrong);
    EXPECT_THROW(wrong.shape(), std::invalid_argument);
  }
}

TEST(TttBlock, GoesOnFromASavedStateWithTheSameBits) {
  for (const bool pre_conv : {false, true}) {
    TttBlockConfig config;
    config.layer.width = 16;
    config.layer.mini_batch = 4;
    config.layer.form = TttForm::kCausal;  // with shared q and k: every part of the state is there
    config.layer.share_qk = true;
    config.pre_conv = pre_conv;
    config.inner_width = 20;
    RandomTensors tensors(5);
    add_block(tensors, config, "b.");
    const auto weights = usable(load_ttt_block<float>(config, tensors.singles, "b."));
    auto x = tokens(config.layer, 30);
    const std::size_t cut = 13u * config.layer.width;
    TttScratch<float> scratch;
    auto whole = start_state(weights);
    auto want = x;
    ttt_block_forward<float>(weights, whole, scratch, want);

    auto first = start_state(weights);
    ttt_block_forward<float>(weights, first, scratch, std::span(x).first(cut));
    TensorFile file;
    save_state(weights, first, file, "s.");
    auto second = usable(load_state(weights, file, "s."));
    ttt_block_forward<float>(weights, second, scratch, std::span(x).subspan(cut));
    EXPECT_EQ(x, want);
    EXPECT_EQ(state_bytes(second), state_bytes(whole));
    for (const auto& [name, tensor] : file.tensors) {
      TensorFile lacking = file;
      lacking.tensors.erase(name);
      EXPECT_FALSE(load_state(weights, lacking, "s.").ok()) << name;
    }
    for (const auto& [name, tensor] : tensors.singles.tensors) {
      TensorFile lacking = tensors.singles;
      lacking.tensors.erase(name);
      EXPECT_FALSE(load_ttt_block<float>(config, lacking, "b.").ok()) << name;
    }
  }
}

TEST(TttBlock, DefaultModelsStateHasTheSizeOfItsFastWeights) {
  RandomTensors tensors(6);
  const TttBlockConfig config;
  add_block(tensors, config);
  const auto weights = usable(load_ttt_block<float>(config, tensors.singles, ""));
  EXPECT_EQ(state_bytes(start_state(weights)), 2u * 33088u * sizeof(float));  // 2fh + h + f per head
}

}  // namespace
}  // namespace longtake
