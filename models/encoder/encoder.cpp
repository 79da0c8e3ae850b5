#include "models/encoder/encoder.h"

#include <cmath>
#include <stdexcept>

#include "models/encoder/classes.h"
#include "models/encoder/network.h"

namespace longtake {
namespace {

constexpr std::size_t kShownClasses = 3;

}  // namespace

struct Encoder::Net {
  std::unique_ptr<const EncoderNetwork> network;
  std::string backend;
  std::vector<float> token_mean;
  std::vector<float> token_scale;
};

struct Encoder::Workspace::Buffers {
  const Net* owner;
  std::unique_ptr<EncoderNetwork::Buffers> network;
};

Encoder::Encoder(std::unique_ptr<const Net> net) : net_(std::move(net)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Encoder::Workspace::Workspace(const Encoder& encoder)
    : buffers_(new Buffers{encoder.net_.get(), encoder.net_->network->make_buffers()}) {}
Encoder::Workspace::~Workspace() = default;
Encoder::Workspace::Workspace(Workspace&&) noexcept = default;
Encoder::Workspace& Encoder::Workspace::operator=(Workspace&&) noexcept = default;

Result<Encoder> Encoder::load(const std::filesystem::path& safetensors, Form form) {
  auto weights = read_encoder_weights(safetensors);
  if (!weights) return std::move(weights).error();

  // The tokens are what goes into the last convolution, so their normalisation is that of the one before it.
  // Its output has mean beta and deviation |gamma| in every channel, over the data it was trained on. The
  // last block has no residual sum that would change that.
  auto net = std::make_unique<Net>();
  const ConvWeights& last = weights->convs[weights->convs.size() - 2];
  net->token_mean = last.beta;
  for (const float gamma : last.gamma) net->token_scale.push_back(std::abs(gamma));

  if (form == Form::kFastest) net->network = make_onednn_network(*weights);
  if (!net->network) net->network = make_plain_network(*weights);
  if (!net->network) {
    return Error{ErrorKind::kDevice, "oneDNN has nothing fast for this processor; longtake-lab runs the encoder here, slowly"};
  }
  net->backend = net->network->backend();
  return Encoder(std::move(net));
}

void Encoder::encode(std::span<const std::uint8_t> rgb, Workspace& workspace, EncoderOutput& out) const {
  if (rgb.size() != std::size_t{kInputSide} * kInputSide * 3) {
    throw std::invalid_argument("Encoder::encode: the picture is not [224][224][3]");
  }
  if (!workspace.buffers_ || workspace.buffers_->owner != net_.get()) {
    throw std::invalid_argument("Encoder::encode: the workspace belongs to another encoder");
  }
  net_->network->run(rgb, *workspace.buffers_->network, out);
}

std::span<const float> Encoder::token_mean() const noexcept { return net_->token_mean; }
std::span<const float> Encoder::token_scale() const noexcept { return net_->token_scale; }
std::string_view Encoder::backend() const noexcept { return net_->backend; }

std::vector<NamedScore> Encoder::top_classes_of(std::span<const float> probabilities) {
  return top_classes(probabilities, kShownClasses);
}

std::string_view tensor_library_version() noexcept { return LONGTAKE_TORCH_VERSION; }

}  // namespace longtake
