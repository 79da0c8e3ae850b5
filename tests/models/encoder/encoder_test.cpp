#include "models/encoder/encoder.h"

#include <omp.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/safetensors.h"
#include "models/encoder/network.h"
#include "models/encoder/weights.h"
#include "tests/models/encoder/test_picture.h"
#include "tests/temp_dir.h"

namespace longtake {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path kFolder = LONGTAKE_SOURCE_DIR "/tests/models/encoder";
const std::filesystem::path kWeights = LONGTAKE_SOURCE_DIR "/assets/models/default/encoder.safetensors";

// Rounding of one sum of n products grows as eps * sqrt(n); the layers' errors add up like independent ones.
double rounding_limit() {
  double products = 0;
  for (const ConvShape& conv : efficientnet_lite0()) {
    products += static_cast<double>(conv.in_per_group()) * conv.kernel * conv.kernel;
  }
  return std::numeric_limits<float>::epsilon() * std::sqrt(products);
}

// Distance relative to the length of `want`; NaN stays NaN.
double relative_error(std::span<const float> got, std::span<const float> want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::quiet_NaN();
  double distance = 0;
  double length = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    distance += std::pow(static_cast<double>(got[i]) - want[i], 2);
    length += std::pow(static_cast<double>(want[i]), 2);
  }
  return std::sqrt(distance / length);
}

void expect_close(std::span<const float> got, std::span<const float> want, double limit,
                  const std::string& what) {
  const double error = relative_error(got, want);
  if (!(error <= limit)) ADD_FAILURE() << what << ": relative error " << error << ", limit " << limit;
  testing::Test::RecordProperty(what, std::to_string(error / limit) + " of the limit");
}

std::vector<std::uint8_t> plain_picture(std::uint8_t value) {
  return std::vector<std::uint8_t>(std::size_t{Encoder::kInputSide} * Encoder::kInputSide * 3, value);
}

EncoderOutput encode(const Encoder& encoder, const std::vector<std::uint8_t>& picture) {
  Encoder::Workspace workspace(encoder);
  EncoderOutput out;
  encoder.encode(picture, workspace, out);
  return out;
}

void expect_same_bits(const EncoderOutput& a, const EncoderOutput& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.embedding, b.embedding);
  EXPECT_EQ(a.probabilities, b.probabilities);
}

// Both forms of the network: what holds for one has to hold for the other.
class EncoderForms : public testing::TestWithParam<Encoder::Form> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kWeights))
      GTEST_SKIP() << "no " << kWeights << "; assets/fetch_encoder.py fetches it";
    auto loaded = Encoder::load(kWeights, GetParam());
    ASSERT_TRUE(loaded) << loaded.error().message;
    encoder_.emplace(std::move(*loaded));
  }

  std::optional<Encoder> encoder_;
};

INSTANTIATE_TEST_SUITE_P(Form, EncoderForms, testing::Values(Encoder::Form::kFastest, Encoder::Form::kPlain),
                         [](const auto& form) {
                           return form.param == Encoder::Form::kFastest ? "Fastest" : "Plain";
                         });

TEST_P(EncoderForms, GivesWhatAnIndependentImplementationGives) {
  const auto golden = read_tensors(kFolder / "golden.safetensors");
  ASSERT_TRUE(golden) << golden.error().message;
  for (const int shift : {0, 3}) {
    const EncoderOutput out = encode(*encoder_, test_picture(shift));
    const std::string prefix = "shift" + std::to_string(shift) + ".";
    const auto tokens = golden->floats(prefix + "tokens", {Encoder::kTokens, Encoder::kTokenChannels});
    const auto embedding = golden->floats(prefix + "embedding", {Encoder::kEmbedding});
    const auto probabilities = golden->floats(prefix + "probabilities", {Encoder::kClasses});
    ASSERT_TRUE(tokens && embedding && probabilities);
    expect_close(out.tokens, *tokens, rounding_limit(), prefix + "tokens");
    expect_close(out.embedding, *embedding, rounding_limit(), prefix + "embedding");
    expect_close(out.probabilities, *probabilities, 4 * rounding_limit(), prefix + "probabilities");
  }
}

TEST_P(EncoderForms, LeavesOutProbabilitiesThatNobodyWants) {
  Encoder::Workspace workspace(*encoder_);
  const EncoderOutput with = encode(*encoder_, test_picture());
  EncoderOutput without = with;
  without.wants_probabilities = false;
  encoder_->encode(test_picture(), workspace, without);
  EXPECT_TRUE(without.probabilities.empty());
  EXPECT_EQ(without.tokens, with.tokens);
  EXPECT_EQ(without.embedding, with.embedding);
  EXPECT_NEAR(std::accumulate(with.probabilities.begin(), with.probabilities.end(), 0.0), 1, 1e-5);
}

TEST_P(EncoderForms, DependsOnNothingButThePicture) {
  const EncoderOutput fresh = encode(*encoder_, test_picture());
  Encoder::Workspace used(*encoder_);
  EncoderOutput out;
  encoder_->encode(plain_picture(255), used, out);
  encoder_->encode(test_picture(3), used, out);
  EXPECT_NE(out.embedding, fresh.embedding);
  encoder_->encode(test_picture(), used, out);
  expect_same_bits(out, fresh);
}

TEST_P(EncoderForms, RefusesPicturesOfAnotherSize) {
  Encoder::Workspace workspace(*encoder_);
  EncoderOutput out;
  auto picture = test_picture();
  picture.pop_back();
  EXPECT_THROW(encoder_->encode(picture, workspace, out), std::invalid_argument);
}

TEST_P(EncoderForms, RefusesTheWorkspaceOfAnotherEncoder) {
  auto other = Encoder::load(kWeights, GetParam());
  ASSERT_TRUE(other);
  Encoder::Workspace workspace(*other);
  EncoderOutput out;
  EXPECT_THROW(encoder_->encode(test_picture(), workspace, out), std::invalid_argument);
}

TEST_P(EncoderForms, KeepsItsWorkspacesWhenMoved) {
  Encoder::Workspace workspace(*encoder_);
  const Encoder moved = std::move(*encoder_);
  EncoderOutput out;
  moved.encode(test_picture(), workspace, out);
  expect_same_bits(out, encode(moved, test_picture()));
}

class EncoderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kWeights))
      GTEST_SKIP() << "no " << kWeights << "; assets/fetch_encoder.py fetches it";
  }
};

TEST_F(EncoderTest, FormsAgreeOnExtremePictures) {
  const auto fast = Encoder::load(kWeights);
  const auto plain = Encoder::load(kWeights, Encoder::Form::kPlain);
  ASSERT_TRUE(fast && plain);
  std::vector<std::uint8_t> noise = plain_picture(0);
  std::uint32_t state = 1;
  for (auto& value : noise) value = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24);
  for (const auto& picture : {plain_picture(0), plain_picture(255), noise}) {
    const EncoderOutput a = encode(*fast, picture);
    const EncoderOutput b = encode(*plain, picture);
    expect_close(a.tokens, b.tokens, 2 * rounding_limit(), "tokens");
    expect_close(a.embedding, b.embedding, 2 * rounding_limit(), "embedding");
  }
}

TEST_F(EncoderTest, ThreadsGetTheSameBitsWhateverTheirOpenMpSettings) {
  const auto encoder = Encoder::load(kWeights);
  ASSERT_TRUE(encoder);
  const EncoderOutput want[] = {encode(*encoder, test_picture(0)), encode(*encoder, test_picture(3))};
  EncoderOutput got[4];
  int settings_afterwards[4] = {};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        omp_set_num_threads(i + 1);
        Encoder::Workspace workspace(*encoder);
        for (int n = 0; n < 6; ++n) encoder->encode(test_picture((n + i) % 2 * 3), workspace, got[i]);
        settings_afterwards[i] = omp_get_max_threads();
      });
    }
  }
  for (int i = 0; i < 4; ++i) {
    expect_same_bits(got[i], want[(5 + i) % 2]);
    // LibTorch keeps settings of its own for every thread; oneDNN is not to leave any behind.
    if (encoder->backend().starts_with("oneDNN")) {
      EXPECT_EQ(settings_afterwards[i], i + 1);
    }
  }
}

TEST_F(EncoderTest, TokenStatisticsAreThoseOfTheLastNormalisationBeforeTheHead) {
  auto file = read_tensors(kWeights);
  ASSERT_TRUE(file);
  const auto beta = file->floats("_blocks.15._bn2.bias", {Encoder::kTokenChannels});
  auto gamma = file->floats("_blocks.15._bn2.weight", {Encoder::kTokenChannels});
  ASSERT_TRUE(beta && gamma);
  (*gamma)[7] = -0.25F;  // a factor may be negative, a deviation may not
  file->tensors["_blocks.15._bn2.weight"] = Tensor::of(*gamma, {Encoder::kTokenChannels});
  const TempDir folder;
  ASSERT_TRUE(write_tensors(folder / "e.safetensors", *file));
  const auto encoder = Encoder::load(folder / "e.safetensors");
  ASSERT_TRUE(encoder);
  ASSERT_EQ(encoder->token_mean().size(), beta->size());
  ASSERT_EQ(encoder->token_scale().size(), beta->size());
  for (std::size_t i = 0; i < beta->size(); ++i) {
    EXPECT_EQ(encoder->token_mean()[i], (*beta)[i]);
    EXPECT_EQ(encoder->token_scale()[i], std::abs((*gamma)[i]));
  }
}

TEST_F(EncoderTest, NamesWhatIsWrongWithAFileOfWeights) {
  const TempDir folder;
  const auto good = read_tensors(kWeights);
  ASSERT_TRUE(good);
  const auto message_for = [&](const TensorFile& file) {
    EXPECT_TRUE(write_tensors(folder / "e.safetensors", file));
    const auto encoder = Encoder::load(folder / "e.safetensors");
    EXPECT_FALSE(encoder);
    if (encoder) return std::string();
    EXPECT_EQ(encoder.error().kind, ErrorKind::kModel);
    return encoder.error().message;
  };

  TensorFile lacking = *good;
  lacking.tensors.erase("_blocks.7._bn1.bias");
  EXPECT_THAT(message_for(lacking), AllOf(HasSubstr("e.safetensors"), HasSubstr("_blocks.7._bn1.bias")));

  TensorFile wrong_shape = *good;
  wrong_shape.tensors["_fc.bias"].shape = {10, 100};
  EXPECT_THAT(message_for(wrong_shape), HasSubstr("_fc.bias"));

  TensorFile not_finite = *good;
  std::vector<float> stem = good->floats("_conv_stem.weight", {32, 3, 3, 3}).value();
  stem[5] = std::numeric_limits<float>::quiet_NaN();
  not_finite.tensors["_conv_stem.weight"] = Tensor::of(stem, {32, 3, 3, 3});
  EXPECT_THAT(message_for(not_finite), AllOf(HasSubstr("_conv_stem.weight"), HasSubstr("finite")));
}

TEST(EncoderFile, IsRefusedWhenItIsNotThere) {
  const auto encoder = Encoder::load("/nowhere/encoder.safetensors");
  ASSERT_FALSE(encoder);
  EXPECT_THAT(encoder.error().message, HasSubstr("/nowhere/encoder.safetensors"));
}

// What is published about the network: 4.65 M parameters and 0.39 G multiply-adds at 224x224.
TEST(EfficientNetLite0, HasThePublishedSize) {
  double parameters = (1280 + 1) * 1000;
  double products = 1280 * 1000;
  int channels = 3;
  int side = 224;
  for (const ConvShape& conv : efficientnet_lite0()) {
    EXPECT_EQ(conv.in_channels, channels) << conv.weight;
    EXPECT_EQ(conv.side, side) << conv.weight;
    channels = conv.out_channels;
    side = conv.side_out();
    const double kernel =
        static_cast<double>(conv.in_per_group()) * conv.kernel * conv.kernel * conv.out_channels;
    parameters += kernel + 2 * conv.out_channels;
    products += kernel * side * side;
  }
  EXPECT_EQ(channels, 1280);
  EXPECT_EQ(side, 7);
  EXPECT_NEAR(parameters, 4.65e6, 0.01e6);
  EXPECT_NEAR(products, 0.39e9, 0.01e9);
}

}  // namespace
}  // namespace longtake
