#include "models/baselines/frame_table.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "models/recall/recall_net.h"

namespace longtake {

FrameTable::FrameTable() : tokens_{at::tensor(recall_hidden_tokens(0)), at::tensor(recall_hidden_tokens(1))} {}

std::size_t FrameTable::bytes() const {
  if (size_ == 0) return 0;
  return 2 * static_cast<std::size_t>(half(0).numel()) * halves_[0].element_size();
}

void FrameTable::append(const at::Tensor& x) {
  const std::int64_t room = halves_[0].defined() ? halves_[0].size(0) : 0;
  if (size_ == room) {
    for (at::Tensor& rows : halves_) {
      const at::Tensor larger = at::empty({std::max<std::int64_t>(16, 2 * room), x.numel() / 2}, x.options());
      if (room > 0) larger.narrow(0, 0, room).copy_(rows);
      rows = larger;
    }
  }
  ++size_;
  replace(size_ - 1, x);
}

void FrameTable::replace(std::int64_t frame, const at::Tensor& x) {
  for (int which = 0; which < 2; ++which) half(which)[frame].copy_(numbers(which, x));
}

at::Tensor FrameTable::frame(std::int64_t frame) const {
  const at::Tensor first = half(0)[frame].view({RecallNet::kTokens / 2, -1});
  at::Tensor out = at::empty({RecallNet::kTokens, first.size(1)}, first.options());
  out.index_copy_(0, tokens_[0], first);
  out.index_copy_(0, tokens_[1], half(1)[frame].view_as(first));
  return out;
}

FrameTable FrameTable::clone() const {
  FrameTable out = *this;
  for (at::Tensor& rows : out.halves_) {
    if (rows.defined()) rows = rows.clone();
  }
  return out;
}

at::Tensor FrameTable::filled_in(const at::Tensor& x) const {
  at::Tensor out = at::zeros_like(x);
  for (int hidden = 0; hidden < 2 && size_ > 0; ++hidden) {
    const at::Tensor nearest = half(hidden)[distances(1 - hidden, x).argmin().item<std::int64_t>()];
    out.index_copy_(0, tokens_[static_cast<std::size_t>(hidden)], nearest.view({-1, x.size(1)}));
  }
  return out;
}

at::Tensor FrameTable::squares(const at::Tensor& x) const {
  return (distances(0, x).square() + distances(1, x).square()) / static_cast<double>(x.numel());
}

at::Tensor FrameTable::half(int which) const { return halves_[static_cast<std::size_t>(which)].narrow(0, 0, size_); }

at::Tensor FrameTable::numbers(int which, const at::Tensor& x) const {
  return x.index_select(0, tokens_[static_cast<std::size_t>(which)]).flatten();
}

at::Tensor FrameTable::distances(int visible, const at::Tensor& x) const {
  constexpr std::int64_t kFromDifferences = 2;  // not |a|² − 2 a·b + |b|², which is wrong where frames are alike
  return at::cdist(numbers(visible, x).unsqueeze(0), half(visible), 2, kFromDifferences).squeeze(0);
}

}  // namespace longtake
