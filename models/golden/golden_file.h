// One golden file: its arrays, and its configuration in this program's terms. Layout: see golden.md in this
// folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/store/safetensors.h"
#include "models/golden/npz.h"
#include "models/ttt/block.h"
#include "models/ttt/rope.h"

namespace longtake {

enum class GoldenLevel { kCore, kLayer, kModel, kVideo, kLoss };

struct GoldenFile {
  std::string name;  // without folder and ending
  GoldenLevel level = GoldenLevel::kLayer;
  TttBlockConfig block;            // block.layer for all levels but kLoss; the rest for kModel
  int layers = 1;                  // kModel
  int batch = 1;                   // B
  int length = 1;                  // L
  RopeTable rope;                  // all levels but kCore and kLoss
  std::vector<std::string> cases;  // kLoss: names of the layer files it speaks of
  NpzFile arrays;

  bool has(std::string_view array) const { return arrays.find(array) != arrays.end(); }
  // Throws std::runtime_error if it is absent or has another shape.
  const std::vector<double>& values(std::string_view array, const std::vector<std::int64_t>& shape) const;

  // What the array's own precision leaves open: half a unit in the last place of its largest number if it was
  // rounded to float, else 0.
  double rounding(std::string_view array) const;

  // All that stands below "param/", with this program's names for the projections.
  template <class T>
  TensorFile parameters() const;
  // What the file calls a parameter of this program.
  std::string name_in_file(std::string_view parameter) const;
};

Result<GoldenFile> parse_golden(NpzFile arrays, std::string name);
Result<GoldenFile> read_golden(const std::filesystem::path& path);

}  // namespace longtake
