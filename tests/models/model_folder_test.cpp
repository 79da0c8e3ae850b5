#include "models/model_folder.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/temp_dir.h"

namespace longtake {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(ModelConfig, ComesBackAsItWasWritten) {
  ModelConfig config;
  config.name = "mine";
  config.layers = 5;
  config.inner = "linear";
  config.decay = 0.25;
  config.keep_row_norms = true;
  config.running_means_s = {0.5, 2};
  for (const bool recall : {false, true}) {
    if (recall) config.recall = RecallConfig{"both-rls", 32, 48, 96, 32, "memory.safetensors"};
    const auto back = parse_model_config(to_json(config), "config.json");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->recall.has_value(), recall);
    EXPECT_EQ(to_json(*back), to_json(config));
  }
}

TEST(ModelConfig, EveryKindOfLayerAndRuleComesBack) {
  for (const std::string& inner : inner_names()) {
    for (const std::string& rule : recall_rule_names()) {
      ModelConfig config;
      config.inner = inner;
      config.window_frames = inner == "attention-window" ? 7 : 32;
      config.recall = recall_config_of(rule);
      config.recall->window = rule == "attention" ? 5 : 32;
      const auto back = parse_model_config(to_json(config), "config.json");
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(to_json(*back), to_json(config));
      EXPECT_EQ(back->window_frames, config.window_frames);
      EXPECT_EQ(back->recall->window, config.recall->window);
    }
  }
}

TEST(ModelConfig, OtherInnerLoopsComeBackOrSayWhatTheyExclude) {
  ModelConfig good;
  good.inner = "mlp";
  good.optimiser = "muon";
  good.mini_batch = "token";
  const auto back = parse_model_config(to_json(good), "config.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), to_json(good));

  const auto refused = [&](const char* reason, auto change) {
    ModelConfig config = good;
    change(config);
    const auto parsed = parse_model_config(to_json(config), "config.json");
    ASSERT_FALSE(parsed) << reason;
    EXPECT_NE(parsed.error().message.find(reason), std::string::npos) << parsed.error().message;
  };
  refused("must be sgd", [](ModelConfig& c) { c.optimiser = "abacus"; });
  refused("must be frame", [](ModelConfig& c) { c.mini_batch = "week"; });
  refused("whole frames", [](ModelConfig& c) { c.inner = "cnn"; });
  refused("to choose", [](ModelConfig& c) { c.inner = "linear-attention"; });
  refused("above 0 with rls", [](ModelConfig& c) { c.optimiser = "rls", c.base_rate = 0; });
  constexpr char kKernels[] = "need mlp or linear with sgd";
  refused(kKernels, [](ModelConfig& c) { c.decay = 0.5; });
  refused(kKernels, [](ModelConfig& c) { c.update = "last"; });
  refused(kKernels, [](ModelConfig& c) { c.causal = true; });
  refused(kKernels, [](ModelConfig& c) { c.keep_row_norms = true; });
}

TEST(ModelConfig, WrongOnesAreRefusedWithTheReason) {
  ModelConfig whole;
  whole.recall.emplace();
  const std::string good = to_json(whole);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {with("\"schema\": 1", "\"schema\": 2"), "schema"},
      {with("\"layers\": 2", "\"layers\": 0"), "layers"},
      {with("\"layers\": 2", "\"layers\": 1e99"), "layers"},
      {with("\"layers\": 2", "\"layers\": \"2\""), "layers"},
      {with("\"layers\": 2", "\"layerz\": 2"), "layerz"},
      {with("\"heads\": 2", "\"heads\": 3"), "heads"},
      {with("\"inner\": \"mlp\"", "\"inner\": \"abacus\""), "inner"},
      {with("\"inner\": \"mlp\"", "\"inner\": \"gru\", \"window_frames\": 8"), "window_frames"},
      {with("\"inner\": \"mlp\"", "\"inner\": \"attention-window\", \"window_frames\": 1"), "window_frames"},
      {with("\"inner\": \"mlp\",\n    \"update\": \"all\"", "\"inner\": \"gru\",\n    \"update\": \"last\""),
       "TTT layers"},
      {with("\"optimiser\": \"sgd\"", "\"optimiser\": \"abacus\""), "optimiser"},
      {with("\"mini_batch\": \"frame\"", "\"mini_batch\": \"frames\""), "mini_batch"},
      {with("\"causal\": false", "\"causal\": 0"), "causal"},
      {with("\"update\": \"all\"", "\"update\": \"first\""), "update"},
      {with("\"inner\": \"mlp\",\n    \"update\": \"all\"", "\"inner\": \"linear\",\n    \"update\": \"last\""),
       "one layer"},
      {with("\"decay\": 0.0", "\"decay\": 1.5"), "decay"},
      {with("\"keep_row_norms\": false", "\"keep_row_norms\": 1"), "keep_row_norms"},
      {with("stack.safetensors", "../stack"), "plain name"},
      {with("recall.safetensors", "../recall"), "plain name"},
      {with("\"rule\": \"rls\"", "\"rule\": \"knn\""), "must be one of delta, rls"},
      {with("\"keys\": 192", "\"keys\": 0"), "keys"},
      {with("\"keys\": 192", "\"keys\": 4097"), "keys"},
      {with("\"hidden\": 192", "\"hidden\": 1.5"), "hidden"},
      {with("\"features\": 192", "\"features\": -1"), "features"},
      {with("\"recall\": {", "\"recall\": {\"slots\": 3, "), "slots"},
      {with(good.substr(good.find("\"recall\"")), "\"recall\": 1}"), "recall"},
  };
  for (const auto& [text, reason] : cases) {
    const auto config = parse_model_config(text, "config.json");
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().kind, ErrorKind::kModel);
    EXPECT_NE(config.error().message.find(reason), std::string::npos) << config.error().message;
  }
}

class ModelFolderOnDisk : public testing::Test {
 protected:
  ModelFolderOnDisk() {
    write(folder_ / "config.json", to_json(config_));
    write(folder_ / "encoder.safetensors", "encoder");
    write(folder_ / "stack.safetensors", "stack");
    EXPECT_TRUE(write_model_sums(folder_.path(), config_).ok());
  }
  TempDir folder_;
  ModelConfig config_;
};

TEST_F(ModelFolderOnDisk, OpensAndHasAnIdOfItsContents) {
  const auto folder = open_model_folder(folder_.path());
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(folder->id().size(), 12U);
  write(folder_ / "MODEL_CARD.md", "words do not change a model");
  EXPECT_EQ(open_model_folder(folder_.path())->id(), folder->id());
  write(folder_ / "stack.safetensors", "other weights");
  ASSERT_TRUE(write_model_sums(folder_.path(), config_).ok());
  EXPECT_NE(open_model_folder(folder_.path())->id(), folder->id());
}

TEST_F(ModelFolderOnDisk, AChangedFileIsRefused) {
  for (const char* name : {"config.json", "encoder.safetensors", "stack.safetensors"}) {
    std::ofstream(folder_ / name, std::ios::app) << " ";
    const auto folder = open_model_folder(folder_.path());
    ASSERT_FALSE(folder) << name;
    EXPECT_NE(folder.error().message.find(name), std::string::npos) << folder.error().message;
    write(folder_ / "config.json", to_json(config_));
    write(folder_ / "encoder.safetensors", "encoder");
    write(folder_ / "stack.safetensors", "stack");
    ASSERT_TRUE(open_model_folder(folder_.path()));
  }
}

TEST_F(ModelFolderOnDisk, AMissingEncoderSaysHowToGetIt) {
  std::filesystem::remove(folder_ / "encoder.safetensors");
  const auto folder = open_model_folder(folder_.path());
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("fetch_encoder.py"), std::string::npos) << folder.error().message;
}

}  // namespace
}  // namespace longtake
