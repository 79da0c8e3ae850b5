#include "app/studio/model_holder.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "models/model.h"

namespace longtake {
namespace {

TEST(ModelHolder, LoadsOnceForAllWhoAsk) {
  ModelHolder holder({});
  holder.prefetch();
  std::array<std::shared_ptr<const Model>, 3> got;
  {
    std::array<std::jthread, 3> threads;
    for (std::size_t i = 0; i < got.size(); ++i) {
      threads[i] = std::jthread([&holder, &out = got[i]] { out = *holder.get(); });
    }
  }
  ASSERT_NE(got[0], nullptr);
  EXPECT_EQ(got[0], got[1]);
  EXPECT_EQ(got[0], got[2]);
}

TEST(ModelHolder, SaysWhatIsMissingAndTakesAnother) {
  ModelHolder holder("/no/such/model");
  const auto none = holder.get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::kModel);
  EXPECT_NE(none.error().message.find("/no/such/model"), std::string::npos) << none.error().message;
  holder.set_folder({});
  EXPECT_TRUE(holder.get());
}

}  // namespace
}  // namespace longtake
