#include "models/baselines/frame_memories.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>

#include "models/baselines/frame_table.h"

namespace longtake {
namespace {

class RunningMean final : public FrameMemory {
 public:
  // 1: the last frame.
  explicit RunningMean(double frames) : frames_(frames) {}

  at::Tensor read(const at::Tensor& x) const override { return mean_.defined() ? mean_ : at::zeros_like(x); }
  void write(const at::Tensor& x) override {
    ++count_;
    if (!mean_.defined()) mean_ = at::zeros_like(x);
    mean_ = mean_ + std::max(1 / frames_, 1 / static_cast<double>(count_)) * (x - mean_);
  }
  std::size_t state_bytes() const override {
    return (mean_.defined() ? static_cast<std::size_t>(mean_.numel()) * mean_.element_size() : 0) + sizeof count_;
  }
  std::unique_ptr<FrameMemory> copy() const override { return std::make_unique<RunningMean>(*this); }

 private:
  double frames_;
  at::Tensor mean_;  // never written in place: copies share it
  std::int64_t count_ = 0;
};

class Knn final : public FrameMemory {
 public:
  at::Tensor read(const at::Tensor& x) const override { return table_.filled_in(x); }
  void write(const at::Tensor& x) override { table_.append(x); }
  std::size_t state_bytes() const override { return table_.bytes(); }
  std::unique_ptr<FrameMemory> copy() const override {
    auto out = std::make_unique<Knn>();
    out->table_ = table_.clone();
    return out;
  }

 private:
  FrameTable table_;
};

class Slots : public FrameMemory {
 public:
  explicit Slots(int slots) : slots_(slots) {}
  at::Tensor read(const at::Tensor& x) const override { return table_.filled_in(x); }
  std::size_t state_bytes() const override { return table_.bytes() + notes_.size() * sizeof(notes_[0]); }

 protected:
  bool full() const { return table_.size() == slots_; }

  std::int64_t slots_;
  FrameTable table_;
  std::vector<std::int64_t> notes_;  // one a slot: what a policy goes by
};

// Notes: when a slot was last written or of use.
class RecentSlots final : public Slots {
 public:
  // A frame that differs from a slot by less than `known` is not written; 0: all are.
  RecentSlots(int slots, double known) : Slots(slots), known_(known) {}

  void write(const at::Tensor& x) override {
    ++now_;
    if (table_.size() > 0) {
      const at::Tensor apart = table_.squares(x);
      const std::int64_t nearest = apart.argmin().item<std::int64_t>();
      const bool known = apart[nearest].item<double>() < known_;
      if (known || known_ == 0) notes_[static_cast<std::size_t>(nearest)] = now_;
      if (known) return;
    }
    if (!full()) {
      table_.append(x);
      notes_.push_back(now_);
      return;
    }
    const auto oldest = std::min_element(notes_.begin(), notes_.end());
    table_.replace(oldest - notes_.begin(), x);
    *oldest = now_;
  }
  std::unique_ptr<FrameMemory> copy() const override {
    auto out = std::make_unique<RecentSlots>(*this);
    out->table_ = table_.clone();
    return out;
  }

 private:
  double known_;
  std::int64_t now_ = 0;
};

// Notes: frames a slot is the mean of.
class MergedSlots final : public Slots {
 public:
  explicit MergedSlots(int slots) : Slots(slots), apart_(static_cast<std::size_t>(slots * slots)) {}

  void write(const at::Tensor& x) override {
    if (!full()) {
      table_.append(x);
      notes_.push_back(1);
      measure(table_.size() - 1);
      return;
    }
    std::int64_t a = 0, b = 1;
    for (std::int64_t i = 0; i < slots_; ++i) {
      for (std::int64_t j = i + 1; j < slots_; ++j) {
        if (apart(i, j) < apart(a, b)) a = i, b = j;
      }
    }
    const at::Tensor to_x = table_.squares(x);
    const std::int64_t nearest = to_x.argmin().item<std::int64_t>();
    if (to_x[nearest].item<double>() <= apart(a, b)) {
      absorb(nearest, x, 1);
      return;
    }
    absorb(a, table_.frame(b), count(b));
    table_.replace(b, x);
    count(b) = 1;
    measure(b);
  }
  std::unique_ptr<FrameMemory> copy() const override {
    auto out = std::make_unique<MergedSlots>(*this);
    out->table_ = table_.clone();
    return out;
  }

 private:
  double& apart(std::int64_t i, std::int64_t j) { return apart_[static_cast<std::size_t>(i * slots_ + j)]; }
  std::int64_t& count(std::int64_t slot) { return notes_[static_cast<std::size_t>(slot)]; }

  void absorb(std::int64_t slot, const at::Tensor& x, std::int64_t frames) {
    count(slot) += frames;
    const at::Tensor mean = table_.frame(slot);
    table_.replace(slot, mean + static_cast<double>(frames) / static_cast<double>(count(slot)) * (x - mean));
    measure(slot);
  }
  void measure(std::int64_t slot) {
    const at::Tensor squares = table_.squares(table_.frame(slot)).to(at::kDouble).contiguous();
    for (std::int64_t i = 0; i < table_.size(); ++i) apart(slot, i) = apart(i, slot) = squares.data_ptr<double>()[i];
  }

  std::vector<double> apart_;  // [slots][slots] mean squared difference of a number
};

class RecallFrames final : public FrameMemory {
 public:
  explicit RecallFrames(std::shared_ptr<const RecallNet> net) : net_(std::move(net)), state_(net_->start(1)) {}

  at::Tensor read(const at::Tensor& x) const override {
    const at::NoGradGuard no_grad;
    return net_->forward(as_stream(x), state_, {}).predictions[0][0];
  }
  void write(const at::Tensor& x) override {
    const at::NoGradGuard no_grad;
    state_ = net_->forward(as_stream(x), state_, at::ones({1, 1}, x.options())).state;
  }
  std::size_t state_bytes() const override { return net_->state_bytes(); }
  std::unique_ptr<FrameMemory> copy() const override { return std::make_unique<RecallFrames>(*this); }

 private:
  static at::Tensor as_stream(const at::Tensor& x) { return x.unsqueeze(0).unsqueeze(0); }

  std::shared_ptr<const RecallNet> net_;
  at::Tensor state_;  // never written in place: copies share it
};

}  // namespace

std::vector<std::string> frame_memory_names() {
  return {"running-mean", "persistence", "knn", "slots-lru", "slots-merge", "slots-abstain"};
}

std::unique_ptr<FrameMemory> make_frame_memory(const std::string& name, const FrameMemoryOptions& options) {
  if (!(options.mean_frames >= 1) || options.slots < 2 || options.slots > 4096 || !(options.known >= 0)) {
    throw std::invalid_argument("make_frame_memory: options without sense");
  }
  if (name == "running-mean") return std::make_unique<RunningMean>(options.mean_frames);
  if (name == "persistence") return std::make_unique<RunningMean>(1);
  if (name == "knn") return std::make_unique<Knn>();
  if (name == "slots-lru") return std::make_unique<RecentSlots>(options.slots, 0);
  if (name == "slots-merge") return std::make_unique<MergedSlots>(options.slots);
  if (name == "slots-abstain") return std::make_unique<RecentSlots>(options.slots, options.known);
  throw std::invalid_argument("make_frame_memory: no memory is called \"" + name + "\"");
}

std::unique_ptr<FrameMemory> recall_frame_memory(std::shared_ptr<const RecallNet> net) {
  return std::make_unique<RecallFrames>(std::move(net));
}

}  // namespace longtake
