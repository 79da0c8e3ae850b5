#include "tests/models/baselines/mixer_oracles.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace longtake::oracle {
namespace {

using Vector = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double silu(double x) { return x * sigmoid(x); }

// The numbers of a tensor by their indices.
class Numbers {
 public:
  explicit Numbers(const at::Tensor& tensor) : tensor_(tensor.detach().contiguous()) {}
  template <class... Index>
  double operator()(Index... index) const {
    const std::int64_t indices[] = {static_cast<std::int64_t>(index)...};
    std::int64_t at = 0;
    for (std::size_t i = 0; i < sizeof...(index); ++i)
      at = at * tensor_.size(static_cast<std::int64_t>(i)) + indices[i];
    return tensor_.data_ptr<double>()[at];
  }
  std::int64_t extent(std::int64_t i) const { return tensor_.size(i); }

 private:
  at::Tensor tensor_;
};

// W x, W [out][in]
Vector product(const Numbers& weight, const Vector& x) {
  Vector out;
  for (std::int64_t o = 0; o < weight.extent(0); ++o) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += weight(o, i) * x[i];
    out.push_back(sum);
  }
  return out;
}

struct Problem {
  std::size_t frames, tokens, channels, heads, window;
  const definition::Parameters& parameters;
  std::vector<std::vector<Vector>> x;  // [T][tokens][C]
  std::vector<std::vector<Vector>> y;  // likewise

  Numbers operator[](const char* name) const { return Numbers(parameters.at(name)); }
};

void gru(Problem& p) {
  const Numbers wi = p["input.weight"], bi = p["input.bias"], wh = p["recurrent.weight"], bh = p["recurrent.bias"];
  for (std::size_t n = 0; n < p.tokens; ++n) {
    Vector h(p.channels);
    for (std::size_t t = 0; t < p.frames; ++t) {
      const Vector i = product(wi, p.x[t][n]), j = product(wh, h);
      for (std::size_t c = 0; c < p.channels; ++c) {
        const std::size_t r_at = c, z_at = p.channels + c, n_at = 2 * p.channels + c;
        const double r = sigmoid(i[r_at] + bi(r_at) + j[r_at] + bh(r_at));
        const double z = sigmoid(i[z_at] + bi(z_at) + j[z_at] + bh(z_at));
        h[c] = (1 - z) * std::tanh(i[n_at] + bi(n_at) + r * (j[n_at] + bh(n_at))) + z * h[c];
      }
      p.y[t][n] = product(p["o_proj.weight"], h);
    }
  }
}

void lstm(Problem& p) {
  const Numbers wi = p["input.weight"], b = p["input.bias"], wh = p["recurrent.weight"];
  for (std::size_t n = 0; n < p.tokens; ++n) {
    Vector h(p.channels), cell(p.channels);
    for (std::size_t t = 0; t < p.frames; ++t) {
      const Vector i = product(wi, p.x[t][n]), j = product(wh, h);
      const auto gate = [&](std::size_t which, std::size_t c) {
        const std::size_t at = which * p.channels + c;
        return i[at] + j[at] + b(at);
      };
      for (std::size_t c = 0; c < p.channels; ++c) {
        cell[c] = sigmoid(gate(0, c) + 1) * cell[c] + sigmoid(gate(1, c)) * std::tanh(gate(2, c));
        h[c] = sigmoid(gate(3, c)) * std::tanh(cell[c]);
      }
      p.y[t][n] = product(p["o_proj.weight"], h);
    }
  }
}

// The two sums as they stand in the paper, from the first frame on each time.
void rwkv(Problem& p) {
  for (std::size_t n = 0; n < p.tokens; ++n) {
    std::vector<Vector> k, v;
    for (std::size_t t = 0; t < p.frames; ++t) {
      const auto mixed = [&](const char* mix, const char* weight) {
        Vector in(p.channels);
        for (std::size_t c = 0; c < p.channels; ++c) {
          const double mu = p[mix](c), before = t == 0 ? 0 : p.x[t - 1][n][c];
          in[c] = mu * p.x[t][n][c] + (1 - mu) * before;
        }
        return product(p[weight], in);
      };
      const Vector r = mixed("r_mix", "r_proj.weight");
      k.push_back(mixed("k_mix", "k_proj.weight"));
      v.push_back(mixed("v_mix", "v_proj.weight"));
      Vector out(p.channels);
      for (std::size_t c = 0; c < p.channels; ++c) {
        const double now = std::exp(p["bonus"](c) + k[t][c]), w = std::exp(p["decay"](c));
        double above = now * v[t][c], below = now;
        for (std::size_t i = 0; i < t; ++i) {
          const double share = std::exp(k[i][c] - static_cast<double>(t - 1 - i) * w);
          above += share * v[i][c];
          below += share;
        }
        out[c] = sigmoid(r[c]) * above / below;
      }
      p.y[t][n] = product(p["o_proj.weight"], out);
    }
  }
}

void gla(Problem& p) {
  const std::size_t f = p.channels / p.heads;
  std::vector<Vector> s(p.channels, Vector(f));  // row c belongs to head c / f
  for (std::size_t t = 0; t < p.frames; ++t) {
    Vector mean(p.channels);
    std::vector<Vector> q, k, v, g;
    for (const Vector& x : p.x[t]) {
      for (std::size_t c = 0; c < p.channels; ++c) mean[c] += x[c] / static_cast<double>(p.tokens);
      q.push_back(product(p["q_proj.weight"], x));
      k.push_back(product(p["k_proj.weight"], x));
      v.push_back(product(p["v_proj.weight"], x));
      g.push_back(product(p["g_proj.weight"], x));
    }
    const Vector decay = product(p["decay.weight"], mean);
    for (std::size_t c = 0; c < p.channels; ++c) {
      const double keep = sigmoid(decay[c] + p["decay.bias"](c));
      for (std::size_t j = 0; j < f; ++j) {
        double pairs = 0;
        for (std::size_t n = 0; n < p.tokens; ++n) pairs += silu(k[n][c]) * v[n][c / f * f + j];
        s[c][j] = keep * s[c][j] + (1 - keep) * pairs / static_cast<double>(p.tokens);
      }
    }
    for (std::size_t n = 0; n < p.tokens; ++n) {
      Vector out(p.channels);
      for (std::size_t head = 0; head < p.heads; ++head) {
        double square = 0;
        for (std::size_t j = 0; j < f; ++j) {
          double& o = out[head * f + j];
          for (std::size_t i = 0; i < f; ++i) o += q[n][head * f + i] * s[head * f + i][j];
          square += o * o / static_cast<double>(f);
        }
        for (std::size_t j = 0; j < f; ++j) {
          out[head * f + j] *= p["norm.weight"](j) / std::sqrt(square + 1e-6) * silu(g[n][head * f + j]);
        }
      }
      p.y[t][n] = product(p["o_proj.weight"], out);
    }
  }
}

void mamba(Problem& p) {
  const Numbers conv = p["conv.weight"], a_log = p["a_log"];
  const auto inner = static_cast<std::size_t>(a_log.extent(0)), states = static_cast<std::size_t>(a_log.extent(1));
  const std::size_t rank = static_cast<std::size_t>(p["dt_proj.weight"].extent(1));
  for (std::size_t n = 0; n < p.tokens; ++n) {
    std::vector<Vector> in;  // by frame
    std::vector<Vector> s(inner, Vector(states));
    for (std::size_t t = 0; t < p.frames; ++t) {
      in.push_back(product(p["in_proj.weight"], p.x[t][n]));
      Vector u(inner);
      for (std::size_t e = 0; e < inner; ++e) {
        double sum = p["conv.bias"](e);
        for (std::size_t back = 0; back < 4 && back <= t; ++back) sum += conv(e, 3 - back) * in[t - back][e];
        u[e] = silu(sum);
      }
      const Vector parts = product(p["x_proj.weight"], u);
      const Vector step = product(p["dt_proj.weight"], Vector(parts.begin(), parts.begin() + static_cast<long>(rank)));
      Vector out(inner);
      for (std::size_t e = 0; e < inner; ++e) {
        const double delta = std::log1p(std::exp(step[e] + p["dt_proj.bias"](e)));
        for (std::size_t i = 0; i < states; ++i) {
          const double b = parts[rank + i], c = parts[rank + states + i];
          s[e][i] = std::exp(-delta * std::exp(a_log(e, i))) * s[e][i] + delta * b * u[e];
          out[e] += c * s[e][i];
        }
        out[e] = (out[e] + p["skip"](e) * u[e]) * silu(in[t][inner + e]);
      }
      p.y[t][n] = product(p["out_proj.weight"], out);
    }
  }
}

void attention(Problem& p) {
  const std::size_t f = p.channels / p.heads;
  const auto prepared = [&](const char* weight, const char* norm, std::size_t t, std::size_t n) {
    Vector all = product(p[weight], p.x[t][n]);
    for (std::size_t head = 0; head < p.heads; ++head) {
      double* part = &all[head * f];
      double square = 0;
      for (std::size_t i = 0; i < f; ++i) square += part[i] * part[i] / static_cast<double>(f);
      for (std::size_t i = 0; i < f; ++i) part[i] *= p[norm](i) / std::sqrt(square + 1e-6);
      for (std::size_t i = 0; i < f; i += 2) {
        const double angle = static_cast<double>(t) * std::pow(1e4, -static_cast<double>(i) / static_cast<double>(f));
        const double a = part[i], b = part[i + 1];
        part[i] = a * std::cos(angle) - b * std::sin(angle);
        part[i + 1] = a * std::sin(angle) + b * std::cos(angle);
      }
    }
    return all;
  };
  for (std::size_t t = 0; t < p.frames; ++t) {
    for (std::size_t n = 0; n < p.tokens; ++n) {
      const Vector q = prepared("q_proj.weight", "q_norm.weight", t, n);
      Vector out(p.channels);
      for (std::size_t head = 0; head < p.heads; ++head) {
        double total = 0;
        for (std::size_t s = p.window > 0 && t + 1 > p.window ? t + 1 - p.window : 0; s <= t; ++s) {
          for (std::size_t m = 0; m < p.tokens; ++m) {
            const Vector k = prepared("k_proj.weight", "k_norm.weight", s, m),
                         v = product(p["v_proj.weight"], p.x[s][m]);
            double score = 0;
            for (std::size_t i = head * f; i < (head + 1) * f; ++i) score += q[i] * k[i];
            const double share = std::exp(score / std::sqrt(static_cast<double>(f)));
            total += share;
            for (std::size_t i = head * f; i < (head + 1) * f; ++i) out[i] += share * v[i];
          }
        }
        for (std::size_t i = head * f; i < (head + 1) * f; ++i) out[i] /= total;
      }
      p.y[t][n] = product(p["o_proj.weight"], out);
    }
  }
}

}  // namespace

at::Tensor mixer(const ModelConfig& config, const definition::Parameters& parameters, const at::Tensor& x) {
  Problem p{static_cast<std::size_t>(x.size(1)),
            static_cast<std::size_t>(x.size(2)),
            static_cast<std::size_t>(x.size(3)),
            static_cast<std::size_t>(config.heads),
            0,
            parameters,
            {},
            {}};
  const Numbers numbers(x);
  for (std::size_t t = 0; t < p.frames; ++t) {
    p.x.emplace_back(p.tokens, Vector(p.channels));
    for (std::size_t n = 0; n < p.tokens; ++n) {
      for (std::size_t c = 0; c < p.channels; ++c) p.x[t][n][c] = numbers(0, t, n, c);
    }
  }
  p.y = p.x;
  if (config.inner == "gru")
    gru(p);
  else if (config.inner == "lstm")
    lstm(p);
  else if (config.inner == "rwkv")
    rwkv(p);
  else if (config.inner == "gla")
    gla(p);
  else if (config.inner == "mamba")
    mamba(p);
  else if (config.inner == "attention")
    attention(p);
  else if (config.inner == "attention-window")
    p.window = static_cast<std::size_t>(config.window_frames), attention(p);
  else
    throw std::invalid_argument("oracle: no mixer " + config.inner);
  const at::Tensor y = at::empty_like(x);
  double* to = y.data_ptr<double>();
  for (const auto& frame : p.y) {
    for (const Vector& token : frame) to = std::copy(token.begin(), token.end(), to);
  }
  return y;
}

}  // namespace longtake::oracle
