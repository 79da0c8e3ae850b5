#include <cstring>

#include <ATen/ATen.h>

#include "models/golden/subjects.h"
#include "models/ttt/ttt_definition.h"

namespace longtake {
namespace {

template <class T>
at::Tensor tensor(const std::vector<double>& values, const std::vector<std::int64_t>& shape) {
  const auto type = std::is_same_v<T, double> ? at::kDouble : at::kFloat;
  return at::from_blob(const_cast<double*>(values.data()), shape, at::kDouble).to(type, false, /*copy=*/true);
}

template <class T>
std::vector<T> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<T>(), flat.data_ptr<T>() + flat.numel()};
}

template <class T>
class Run {
 public:
  Run(const GoldenFile& file, std::vector<SelftestLine>& lines)
      : file_(file), report_(lines, file, sizeof(T) == 8 ? "libtorch-f64" : "libtorch-f32") {}

  void core() {
    const TttShape shape = file_.block.layer.shape();
    const std::int64_t heads = shape.heads;
    const std::int64_t f = shape.head_width;
    const std::int64_t b = shape.mini_batch;
    const std::vector<std::int64_t> rows{file_.batch, heads, file_.length / b, b, f};
    const std::vector<std::int64_t> row_list{file_.batch, heads, file_.length, f};
    leaf("XQ", rows);
    leaf("XK", rows);
    leaf("XV", rows);
    leaf("lr_eta", {file_.batch, heads, file_.length / b, 1, b});
    leaf("token_eta", {b});
    for (const auto& [key, array] : file_.arrays) {
      if (key.starts_with("param/")) leaf(key, array.shape);
    }
    definition::InnerInputs in{
        leaves_.at("XQ").view(row_list), leaves_.at("XK").view(row_list),
        leaves_.at("XV").view(row_list), leaves_.at("lr_eta").view({file_.batch, heads, file_.length}),
        leaves_.at("token_eta"),         leaves_.at("ttt_norm_weight"),
        leaves_.at("ttt_norm_bias")};
    const auto result =
        definition::inner_loop(shape, in, definition::start_weights(file_.block.layer, leaves_, ""));
    const at::Tensor out = result.z.transpose(1, 2).reshape({file_.batch, file_.length, heads * f});
    at::Tensor loss = weighted(out, "R");
    compare("out", out, "out64");
    const auto end = [&](const char* name, const at::Tensor& weight) {
      if (!weight.defined()) return;
      compare(std::string("state_end ") + name, weight, std::string("state_end64/") + name);
      loss = loss + weighted(weight, std::string("RS/") + name);
    };
    end("W1", result.end.w1);
    end("b1", result.end.b1);
    end("W2", result.end.w2);
    end("b2", result.end.b2);
    gradients(loss);
  }

  void whole() {
    const std::int64_t width = file_.block.layer.width;
    leaf("x", {file_.batch, file_.length, width});
    for (const auto& [name, stored] : file_.parameters<double>().tensors) {
      std::vector<double> values(stored.count());
      std::memcpy(values.data(), stored.bytes.data(), stored.bytes.size());
      leaves_[name] = tensor<T>(values, stored.shape).requires_grad_(true);
    }
    const at::Tensor& x = leaves_.at("x");
    at::Tensor out = x;
    if (file_.level == GoldenLevel::kModel) {
      for (int i = 0; i < file_.layers; ++i) {
        const std::string prefix = "layers." + std::to_string(i) + ".";
        out = definition::block(file_.block, file_.rope, leaves_, prefix, out).y;
        compare("hidden " + std::to_string(i), out, "hidden64/" + std::to_string(i));
      }
      out = definition::rms_norm(out, leaves_.at("norm.weight"), file_.block.norm_eps);
    } else {
      const auto result = definition::layer(file_.block.layer, file_.rope, leaves_, "", x);
      out = result.y;
      if (file_.has("mid64/lr_eta")) {
        compare("XQ", result.inner.q, "mid64/XQ");
        compare("XK", result.inner.k, "mid64/XK");
        compare("XV", result.inner.v, "mid64/XV");
        compare("lr_eta", result.inner.lr, "mid64/lr_eta");
      }
    }
    compare("out", out, "out64");
    gradients(weighted(out, "R"));
  }

 private:
  // An input that gradients are wanted of. Parameters lose their "param/".
  void leaf(const std::string& key, const std::vector<std::int64_t>& shape) {
    const std::string name = key.starts_with("param/") ? key.substr(6) : key;
    leaves_[name] = tensor<T>(file_.values(key, shape), shape).requires_grad_(true);
  }

  // A file without weights of the loss has no gradients either.
  at::Tensor weighted(const at::Tensor& out, const std::string& key) const {
    if (!file_.has(key)) return out.sum();
    return (out * tensor<T>(file_.values(key, out.sizes().vec()), out.sizes().vec())).sum();
  }

  void compare(std::string what, const at::Tensor& got, const std::string& key) {
    report_.compare(std::move(what), numbers<T>(got), key, got.sizes().vec());
  }

  void gradients(const at::Tensor& loss) {
    if (!file_.has("R")) return;
    loss.backward();
    for (const auto& [name, leaf] : leaves_) {
      // No gradient at all counts as zeros.
      const auto got = leaf.grad().defined() ? numbers<T>(leaf.grad()) : std::vector<T>(leaf.numel());
      report_.compare_gradient(file_.name_in_file(name), got, leaf.sizes().vec());
    }
  }

  const GoldenFile& file_;
  Lines report_;
  definition::Parameters leaves_;
};

}  // namespace

template <class T>
void run_on_definition(const GoldenFile& file, std::vector<SelftestLine>& lines) {
  Run<T> run(file, lines);
  if (file.level == GoldenLevel::kCore) {
    run.core();
  } else {
    run.whole();
  }
}

template void run_on_definition<float>(const GoldenFile&, std::vector<SelftestLine>&);
template void run_on_definition<double>(const GoldenFile&, std::vector<SelftestLine>&);

}  // namespace longtake
