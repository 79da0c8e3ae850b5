// Checks what this build computes against golden vectors: outputs of the published TTT code, kept in .npz
// files.
//
// Every file is run on every backend of this machine that supports its shape:
//   scalar-f64, scalar-f32        each backend of kernels/ttt.h (core files)
//   libtorch-f64, libtorch-f32    the definition in LibTorch, with gradients by automatic differentiation
//   streaming-f64, streaming-f32  the layer as it runs on a stream, in random pieces (seeded)
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace longtake {

struct SelftestLine {
  std::string file;  // without folder and ending
  std::string backend;
  std::string what;  // "out", "state_end", "grad q_proj.weight", …
  double max_error =
      0;  // largest absolute difference; for gradients relative to the largest entry of the tensor
  double limit = 0;
  bool ok = false;  // false if max_error is not a number
};

struct SelftestReport {
  std::vector<SelftestLine> lines;
  bool ok() const;                    // there are lines and all are ok
  const SelftestLine* worst() const;  // the one closest to its limit, or furthest beyond; null without lines
  // {"files":[{"file","backend","what","max_error","limit","ok"}…],"worst":{…},"ok":true}; numbers that are
  // not finite become null. `to_json` gives the object as text so that this header needs no JSON library.
  std::string to_json() const;
};

// Every .npz of the folder, in the order of their names. Fails (kInput) if the folder cannot be read, holds
// none, or a file is damaged or of a kind that is not known.
Result<SelftestReport> run_golden(const std::filesystem::path& folder);

// A few small vectors that are part of the program.
Result<SelftestReport> run_builtin_golden();

}  // namespace longtake
