// Plants one mistake at a time and asserts that the golden files notice it.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/ttt_backward.h"
#include "models/golden/subjects.h"

namespace longtake {

#define KERNEL(name, what) \
  template <class T>       \
  TttBackend<T> name();
#define GRADIENT(name, what)                                                                    \
  template <class T>                                                                            \
  std::size_t name##_scratch_size(const TttShape&, int);                                        \
  template <class T>                                                                            \
  void name(const TttShape&, const TttCall<T>&, const TttCheckpoints<T>&, const TttGradients<T>&);
#define LAYER(name, what)                                                                               \
  template <class T>                                                                                    \
  TttLayerReport name(const TttLayerWeights<T>&, TttLayerState<T>&, TttScratch<T>&, std::span<const T>, \
                      std::span<T>, const TttLayerOptions<T>&);
#include "mutants.inc"
#undef KERNEL
#undef GRADIENT
#undef LAYER

namespace {

struct Mutant {
  std::string what;
  TttBackend<double> backend;
  StreamingSubject<double>::Forward forward;
};

TttBackend<double> with_gradient(TttBackend<double> backend, decltype(backend.backward_scratch_size) scratch_size,
                                 decltype(backend.backward) backward) {
  backend.backward_scratch_size = scratch_size;
  backend.backward = backward;
  return backend;
}

std::vector<Mutant> mutants() {
  const auto& real = ttt_backends<double>().back();
  return {
#define KERNEL(name, what) Mutant{what, name<double>(), ttt_layer_forward<double>},
#define GRADIENT(name, what) \
  Mutant{what, with_gradient(real, name##_scratch_size<double>, name<double>), ttt_layer_forward<double>},
#define LAYER(name, what) Mutant{what, real, name<double>},
#include "mutants.inc"
#undef KERNEL
#undef GRADIENT
#undef LAYER
  };
}

std::vector<GoldenFile> golden_files() {
  std::vector<GoldenFile> files;
  const auto folder = std::filesystem::path(LONGTAKE_SOURCE_DIR) / "tests/data/golden";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".npz") continue;
    auto file = read_golden(entry.path());
    EXPECT_TRUE(file.ok());
    // A model's blocks call the real layer, and the loss file is checked with its layers.
    if (file->level == GoldenLevel::kModel || file->level == GoldenLevel::kLoss) continue;
    files.push_back(std::move(*file));
  }
  return files;
}

struct Found {
  double largest = 0;  // error of any output
  double excess = 0;   // largest error as a multiple of its limit, of any line
  int files = 0;       // with a line beyond its limit
};

Found run(const Mutant& mutant, const std::vector<GoldenFile>& files) {
  Found found;
  const StreamingSubject<double> subject{mutant.forward, &mutant.backend};
  for (const auto& file : files) {
    std::vector<SelftestLine> lines;
    if (file.level == GoldenLevel::kCore) {
      run_on_kernel(file, mutant.backend, lines);
    } else {
      run_on_stream(file, subject, lines);
    }
    bool seen = false;
    for (const auto& line : lines) {
      seen |= !line.ok;
      const double error = std::isnan(line.max_error) ? 1e300 : line.max_error;
      found.excess = std::max(found.excess, error / line.limit);
      if (line.what.starts_with("out")) found.largest = std::max(found.largest, error);
    }
    found.files += seen ? 1 : 0;
  }
  return found;
}

TEST(Golden, NoticesEveryPlantedMistake) {
  const auto files = golden_files();
  ASSERT_GE(files.size(), 9u);
  std::printf("%-56s %10s %12s  files of %zu\n", "mistake", "error", "of its limit", files.size());
  for (const auto& mutant : mutants()) {
    const Found found = run(mutant, files);
    std::printf("%-56s %10.1e %12.1e  %d\n", mutant.what.c_str(), found.largest, found.excess, found.files);
    if (mutant.what.starts_with("(none")) {
      EXPECT_EQ(found.files, 0) << mutant.what;
    } else {
      EXPECT_GT(found.files, 0) << mutant.what;
    }
  }
}

}  // namespace
}  // namespace longtake
