// Whatever is accepted as a safetensors file can be written again and read back as the same contents and
// bytes.
//
// An input that starts with "{" is a header up to its last "}" and the data behind it; the length before the
// header, which blind changes would break every time, is put there. Any other input is a whole file as it
// stands.
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "core/store/safetensors.h"
#include "tests/fuzz/property.h"

using namespace longtake;

namespace {

std::vector<std::byte> file_of(std::span<const std::byte> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  std::vector<std::byte> file(input.begin(), input.end());
  if (text.starts_with('{')) {
    const std::uint64_t length = text.rfind('}') + 1;  // 0 where there is none
    const std::span bytes = std::as_bytes(std::span(&length, 1));
    file.insert(file.begin(), bytes.begin(), bytes.end());
  }
  return file;
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.shape == b.shape && a.bytes == b.bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto first = parse_tensors(file_of(std::as_bytes(std::span(data, size))), "input");
  if (!first) {
    demand(first.error().kind == ErrorKind::kModel && !first.error().message.empty(),
           "a refusal has its reason");
    return 0;
  }
  for (const auto& [name, tensor] : first->tensors) {
    demand(static_cast<std::uint64_t>(tensor.count()) * size_in_bytes(tensor.type) == tensor.bytes.size(),
           "a tensor has the bytes of its shape");
    (void)first->floats(name, tensor.shape);
    (void)first->doubles(name, tensor.shape);
    (void)first->integers(name, {-1});
  }
  const std::vector<std::byte> written = serialize_tensors(*first);
  const auto second = parse_tensors(written, "written");
  demand(second.ok(), "what was written is accepted");
  demand(second->metadata == first->metadata, "metadata stay the same");
  demand(second->tensors.size() == first->tensors.size(), "no tensor is lost");
  for (const auto& [name, tensor] : first->tensors) {
    demand(second->contains(name) && equal(second->tensors.find(name)->second, tensor),
           "tensors stay the same");
  }
  demand(serialize_tensors(*second) == written, "equal contents give equal bytes");
  return 0;
}
