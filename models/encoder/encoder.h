// The frozen encoder: EfficientNet-Lite0, one 224x224 picture a call, on the CPU in fp32.
//
// What it gives of a picture: 16 tokens (the last 7x7 map of 320 channels, mean-pooled to 4x4), one vector
// (the mean of the 1,280-channel head) and, if wanted, the probabilities of the 1,000 ImageNet classes it was
// trained on.
//
// Equal pictures give equal bits, on any thread and in any order, on machines with the same instruction set:
// one picture a call and one thread inside a call, so no sum is split in a way that depends on load.
//
// Two forms compute it. Where oneDNN's headers are found next to the same library that LibTorch uses, the
// convolutions go to oneDNN directly, into buffers that are reused: see onednn_network.cpp. The plain form,
// see plain_network.cpp, is the definition that tests compare with, and what remains without oneDNN; programs
// without LibTorch have only the first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

struct EncoderOutput {
  bool wants_probabilities = true;   // set by the caller; the classes cost about a twentieth of the time
  std::vector<float> tokens;         // [16][320], the 4x4 grid row by row
  std::vector<float> embedding;      // [1280]
  std::vector<float> probabilities;  // [1000], sum 1; empty unless wanted
};

// Weights only: const, shared by any number of threads.
class Encoder {
 public:
  static constexpr int kInputSide = 224;
  static constexpr int kTokens = 16;
  static constexpr int kTokenChannels = 320;
  static constexpr int kEmbedding = 1280;
  static constexpr int kClasses = 1000;

  enum class Form { kFastest, kPlain };

  // Reads what assets/fetch_encoder.py wrote. Errors: kModel (no such file, damaged, other tensors), kDevice (there is
  // no form of it for this processor).
  static Result<Encoder> load(const std::filesystem::path& safetensors, Form form = Form::kFastest);

  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  // The buffers of a call, about 4 MB, reused from call to call: one per thread. Belongs to one encoder,
  // which has to outlive it (moving the encoder is allowed).
  class Workspace {
   public:
    explicit Workspace(const Encoder& encoder);
    ~Workspace();
    Workspace(Workspace&&) noexcept;
    Workspace& operator=(Workspace&&) noexcept;

   private:
    friend class Encoder;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
  };

  // `rgb` [224][224][3] is the whole picture squeezed to this size. Any thread. Throws std::invalid_argument
  // on another size, or a workspace of another encoder.
  void encode(std::span<const std::uint8_t> rgb, Workspace& workspace, EncoderOutput& out) const;

  // Statistics of every token channel over the data the encoder was trained on, from its last batch
  // normalisation.
  std::span<const float> token_mean() const noexcept;   // [320]
  std::span<const float> token_scale() const noexcept;  // [320], standard deviations, >= 0

  // How the convolutions are computed, for people: "oneDNN 2.6.3" or "LibTorch 1.13.1".
  std::string_view backend() const noexcept;

  // The three likeliest classes of `probabilities` [1000], best first, by name. More:
  // models/encoder/classes.h.
  static std::vector<NamedScore> top_classes_of(std::span<const float> probabilities);

 private:
  struct Net;
  explicit Encoder(std::unique_ptr<const Net> net);
  std::unique_ptr<const Net> net_;
};

// Of the LibTorch that this was built with, "1.13.1".
std::string_view tensor_library_version() noexcept;

}  // namespace longtake
