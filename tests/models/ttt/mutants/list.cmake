# name, what it is, the text in the source, what stands there instead

# Nothing wrong: shows that planting itself changes nothing.
kernel_mutant(none_kernel "(none, inner loop)" "-(tau * rows_.lr[j]) * score;" "score * -(tau * rows_.lr[j]);")
layer_mutant(none_layer "(none, layer)" "gate[i % config.heads] * sigmoid(lr[i])" "sigmoid(lr[i]) * gate[i % config.heads]")

# The scores
kernel_mutant(no_one "no +1 (bias) in the scores" "in_width) + 1;" "in_width);")
kernel_mutant(strict_triangle "own token left out of the triangle"
  "f_, g_rows, width, open + i + 1," "f_, g_rows, width, open + i,")
kernel_mutant(strict_triangle_2 "own token left out, second layer only"
  "h_, rows_.g, f_, open + i + 1," "h_, rows_.g, f_, open + i,")
kernel_mutant(no_triangle "no triangle" "f_, g_rows, width, open + i + 1," "f_, g_rows, width, open + n,")
kernel_mutant(tau_on_keys "token factor on keys instead of queries"
  "-(tau * rows_.lr[j]) * score" "-(call_.token_scale[j] * rows_.lr[j]) * score")
kernel_mutant(keys_in_score_2 "second score from the keys' hidden rows"
  "const T* const x = work_.hidden + i * h_;" "const T* const x = rows_.x + (open + i) * h_;")
kernel_mutant(no_first_correction "first layer's correction inside the mini-batch left out"
  "add_steps(q, rows_.k, f_, g_rows, width," "if (h_ == 0) add_steps(q, rows_.k, f_, g_rows, width,")

# The token factor
layer_mutant(tau_one "token factor 1 instead of 1/i" "T(1.0f / static_cast<float>(i + 1)) + offset[i]" "T(1) + offset[i]")
layer_mutant(no_offset "token-index offset forgotten" "static_cast<float>(i + 1)) + offset[i]" "static_cast<float>(i + 1))")
layer_mutant(no_clamp "no clamp at 0" "offset[i], T(0));" "offset[i], T(-1e9));")

# Target and gradient
kernel_mutant(target_v "target v instead of v - k" "target[c] = v[c] - k[c];" "target[c] = v[c];")
kernel_mutant(loss_mean "inner loss mean instead of half sum"
  "row[c] = rho * (u[c] - along_one" "row[c] = T(2) / f_ * rho * (u[c] - along_one")
kernel_mutant(no_gamma "inner norm weight left out of the gradient"
  "for (int c = 0; c < f_; ++c) u[c] *= gamma_[c];" "")
kernel_mutant(no_norm_backward "norm backward treated as identity"
  "row[c] = rho * (u[c] - along_one - normed[c] * along_normed);" "row[c] = u[c];")
kernel_mutant(no_gelu_slope "gelu derivative left out" " * work_.slope[i * h_ + c];" ";")
kernel_mutant(unbiased_target_std "normalised target with the biased deviation" "f_) / (f_ - 1));" "f_) / f_);")
kernel_mutant(plain_target "normalised target left out"
  "if (shape_.target == TttTarget::kResidual) continue;" "continue;")

# Norms and gelu
kernel_mutant(unbiased_variance "unbiased variance in the inner norm" "normed, f) / f;" "normed, f) / (f - 1);")
kernel_mutant(inner_eps "inner norm eps 1e-5" "std::sqrt(variance + eps)" "std::sqrt(variance + T(1e-5))")
kernel_mutant(inner_eps_frame "inner norm eps 1e-6 for 1e-8" "std::sqrt(variance + eps)" "std::sqrt(variance + T(1e-6))")
kernel_mutant(erf_gelu "erf gelu instead of tanh"
  "plain::gelu<T>(work_.hidden, nullptr, std::size_t(n) * h_);"
  "for (int j = 0; j < n * h_; ++j) work_.hidden[j] *= T(0.5) * (1 + std::erf(work_.hidden[j] / std::sqrt(T(2))));")
layer_mutant(post_eps "post-norm eps 1e-5" "layer_norm<T>(w.post_norm, z, z);"
  "layer_norm<T>(LayerNorm<T>{w.post_norm.weight, w.post_norm.bias, 1e-5}, z, z);")
layer_mutant(post_per_head "post-norm per head" "layer_norm<T>(w.post_norm, z, z);"
  "LayerNorm<T> plain{std::vector<T>(f, T(1)), std::vector<T>(f, T(0)), 1e-6}; layer_norm<T>(plain, z, z);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = z[i] * w.post_norm.weight[i % config.width] + w.post_norm.bias[i % config.width];")
kernel_mutant(residual_k "residual k instead of q at the output"
  "const T* const q = q_.row(i);
      T* const z = at" "const T* const q = k_.row(i);
      T* const z = at")

# The carried state
kernel_mutant(carry_one "carried state with factor 1 instead of the last token's"
  ": call_.token_scale[b_ - 1];" ": T(1);")
kernel_mutant(no_bias_update "biases never updated"
  "plain::multiply_add({1, b_, out_width}, {work_.score, 0, 1}, g, out_width, bias, out_width);" "")
kernel_mutant(no_update "state reset at each mini-batch"
  "std::copy_n(work_.weights, size, weights_);" "")
kernel_mutant(remainder_updates "an open mini-batch updates the state as well"
  "if (!update()) ++report.refused;
    }"
  "if (!update()) ++report.refused;
    } else if (shape_.form == TttForm::kCausal) {
      std::fill(rows_.lr + open + n, rows_.lr + b_, T(0));
      std::fill(rows_.k + (open + n) * f_, rows_.k + b_ * f_, T(0));
      std::fill(rows_.g + (open + n) * f_, rows_.g + b_ * f_, T(0));
      if (h_ != 0) std::fill(rows_.x + (open + n) * h_, rows_.x + b_ * h_, T(0));
      if (h_ != 0) std::fill(rows_.g1 + (open + n) * h_, rows_.g1 + b_ * h_, T(0));
      update();
    }")
kernel_mutant(frame_reads_before "frame form reads the state before the frame"
  "    if (ends) {
      ++report.closed;
      if (!update()) ++report.refused;
    }
    if (shape_.form == TttForm::kFrame) read_after(first, n);
"
  "    if (shape_.form == TttForm::kFrame) read_after(first, n);
    if (ends) {
      ++report.closed;
      if (!update()) ++report.refused;
    }
")
kernel_mutant(frame_sum "frame form sums instead of averaging" "T(1) / b_ : call_" "T(1) : call_")

# Learning rate
layer_mutant(no_one_over_f "rate without 1/f" "T(config.base_rate) / (config.width / config.heads)" "T(config.base_rate)")
layer_mutant(no_rate_bias "rate bias forgotten" "apply_dense<T>(w.rate, x, lr);"
  "apply_dense<T>(Dense<T>{w.rate.in, w.rate.out, w.rate.a, {}}, x, lr);")

# Rotary positions
set(rope "call.rope = {w.rope.cos.data(), w.rope.sin.data(), w.rope.period, state.position};")
set(turn_back "std::vector<float> minus = w.rope.sin;
  for (float& sine : minus) sine = -sine;
  const TttRope back{w.rope.cos.data(), minus.data(), w.rope.period, state.position};")
layer_mutant(rope_halves "rotary pairs split in halves" "${rope}"
  "for (const std::span<T> rows : {q, k}) {
    for (std::size_t at = 0; at < rows.size(); at += f) {
      const std::size_t row = (state.position + at / config.width) % w.rope.period * w.rope.pairs;
      for (int m = 0; m < w.rope.pairs; ++m) {
        const T cosine = w.rope.cos[row + m], sine = w.rope.sin[row + m];
        const T even = rows[at + m], odd = rows[at + w.rope.pairs + m];
        rows[at + m] = even * cosine - odd * sine;
        rows[at + w.rope.pairs + m] = even * sine + odd * cosine;
      }
    }
  }
  const std::vector<float> ones(w.rope.pairs, 1.0f), zeros(w.rope.pairs);
  call.rope = {ones.data(), zeros.data(), 1, 0};")
layer_mutant(rope_sign "rotation the other way" "${rope}" "${turn_back}
  call.rope = back;")
layer_mutant(rope_absolute "position not modulo the mini-batch" "${rope}"
  "std::vector<float> cosines, sines;
  for (std::size_t i = 0; i < n; ++i) {
    for (int m = 0; m < w.rope.pairs; ++m) {
      const float angle = (state.position + i) * std::atan2(w.rope.sin[w.rope.pairs + m], w.rope.cos[w.rope.pairs + m]);
      cosines.push_back(std::cos(angle));
      sines.push_back(std::sin(angle));
    }
  }
  call.rope = {cosines.data(), sines.data(), static_cast<int>(n), 0};")
layer_mutant(no_rope "keys not turned" "${rope}" "${turn_back}
  for (std::size_t at = 0; at < k.size(); at += f) {
    ttt_turn(back, static_cast<int>(at / config.width), f, k.data() + at, k.data() + at);
  }
  ${rope}")
layer_mutant(no_unit "keys not of unit length" "to_unit_length(k, config.width / config.heads);" "")

# Gate and convolutions
layer_mutant(gate_before "gate before the post-norm"
  "layer_norm<T>(w.post_norm, z, z);
  if (config.gate) {"
  "if (!config.gate) layer_norm<T>(w.post_norm, z, z);
  if (config.gate) {
    typename TttScratch<T>::Scope gate_scope(scratch);
    const auto early = gate_scope.take(x.size());
    apply_dense<T>(w.g, x, early);
    gelu<T>(early.data(), nullptr, early.size());
    for (std::size_t i = 0; i < z.size(); ++i) z[i] *= early[i];
    layer_norm<T>(w.post_norm, z, z);
  }
  if (false) {")
layer_mutant(silu_gate "SiLU gate" "gelu<T>(g.data(), nullptr, g.size());"
  "for (T& value : g) value *= sigmoid(value);")
layer_mutant(conv_reversed "convolution taps reversed" "apply_conv<T>(w.conv_q, state.conv_tail, shared, q);"
  "DepthwiseConv<T> reversed = w.conv_q;
    for (int tap = 0; tap < reversed.taps; ++tap) {
      std::copy_n(w.conv_q.a.begin() + tap * config.width, config.width, reversed.a.begin() + (reversed.taps - 1 - tap) * config.width);
    }
    apply_conv<T>(reversed, state.conv_tail, shared, q);")
layer_mutant(conv_shared "k convolution with q's weights" "apply_conv<T>(w.conv_k, state" "apply_conv<T>(w.conv_q, state")
layer_mutant(conv_silu "SiLU after the convolution" "apply_conv<T>(w.conv_q, state.conv_tail, shared, q);"
  "apply_conv<T>(w.conv_q, state.conv_tail, shared, q);
    for (T& value : q) value *= sigmoid(value);")
layer_mutant(conv_no_tail "convolution forgets what was before the piece" "push_tail<T>(state.conv_tail, shared);" "")

# The backward pass
gradient_mutant(none_gradient "(none, gradient)" "const T d_e = gamma_[c] * d_u[c];" "const T d_e = d_u[c] * gamma_[c];")
gradient_mutant(grad_no_curve "gelu'' left out of the gradient" " * work_.back[i] * work_.curve[i];" " * 0;")
gradient_mutant(grad_no_rho "norm's factor taken for a constant" "d_z[c] -= d_rho * normed[c];" "d_z[c] -= 0;")
gradient_mutant(grad_first_order "gradient through the norm's own derivative left out"
  "gamma_[c] * d_e - rho * (d_g[c] * u_along + d_normed[c] * d_along);" "gamma_[c] * d_e;")
gradient_mutant(grad_no_step_rate "rate's gradient by way of the state's step left out"
  "work_.d_lr[j] += step_scale() * d_c;" "")
gradient_mutant(grad_no_step_factor "last token factor's gradient by way of the state's step left out"
  "if (causal_) work_.d_tau[b_ - 1] += work_.lr[j] * d_c;" "")
gradient_mutant(grad_no_back_weights "W2 taken for a constant in g1"
  "Math::multiply_add({h_, n_, f_}, {work_.rows, 1, h_}, last().g, f_, d_weights_ + last().w, f_);" "")
gradient_mutant(grad_truncated "gradient cut between mini-batches"
  "    if (ends) {\n      settle_back();" "    std::fill_n(d_weights_, size_, T(0));\n    if (ends) {\n      settle_back();")
gradient_mutant(grad_no_target_key "key's gradient by way of the target left out"
  "work_.layers[0].d_in[i * f_ + c] - d_target[c];" "work_.layers[0].d_in[i * f_ + c];")
gradient_mutant(grad_gamma_once "norm weight's gradient by way of u only"
  "d_u[c] * (e[c] + gamma_[c] * normed[c]);" "d_u[c] * e[c];")
gradient_mutant(grad_no_beta "norm bias's gradient left out" "work_.d_beta[c] += d_e;" "")
