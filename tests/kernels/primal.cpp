#include <complex>
#include <numbers>

#include "tests/kernels/problem.h"

namespace longtake {
namespace {

using Row = std::vector<double>;

struct Layer {
  std::vector<Row> w;  // [in][out]
  Row bias;            // [out]
};
using Model = std::vector<Layer>;

Row times(const Row& x, const Layer& layer) {
  Row y = layer.bias;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) y[j] += x[i] * layer.w[i][j];
  }
  return y;
}

double gelu(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}
// By central differences of the fourth order, so that the formula of the derivative is checked as well. Good
// to 1e-12: differences are taken of what this is part of.
double gelu_slope(double x) {
  const double step = 1e-3;
  return (8 * (gelu(x + step) - gelu(x - step)) - (gelu(x + 2 * step) - gelu(x - 2 * step))) / (12 * step);
}

Row layer_norm(const Row& z, const Row& gamma, const Row& beta, double eps, Row* normed = nullptr,
               double* rho = nullptr) {
  double mean = 0;
  for (const double value : z) mean += value / z.size();
  double variance = 0;
  for (const double value : z) variance += (value - mean) * (value - mean) / z.size();
  const double scale = 1 / std::sqrt(variance + eps);
  Row out(z.size());
  if (normed != nullptr) normed->resize(z.size());
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double value = (z[i] - mean) * scale;
    if (normed != nullptr) (*normed)[i] = value;
    out[i] = gamma[i] * value + beta[i];
  }
  if (rho != nullptr) *rho = scale;
  return out;
}

struct Pass {
  Row hidden_in;  // before gelu
  Row hidden;     // after it; empty for a linear model
  Row z;
};
Pass infer(const Model& model, const Row& x) {
  Pass pass;
  pass.z = times(x, model[0]);
  if (model.size() == 2) {
    pass.hidden_in = pass.z;
    for (const double value : pass.hidden_in) pass.hidden.push_back(gelu(value));
    pass.z = times(pass.hidden, model[1]);
  }
  return pass;
}

Row target(const Problem& p, const Row& k, const Row& v, const Row& gamma, const Row& beta) {
  const std::size_t f = k.size();
  Row d(f);
  for (std::size_t i = 0; i < f; ++i) d[i] = v[i] - k[i];
  if (p.shape.target == TttTarget::kResidual) return d;
  double mean = 0;
  for (const double value : d) mean += value / f;
  double square = 0;
  for (const double value : d) square += (value - mean) * (value - mean);
  const double deviation = std::sqrt(square / (f - 1));
  for (std::size_t i = 0; i < f; ++i) d[i] = gamma[i] * (d[i] - mean) / (deviation + 1e-8) + beta[i];
  return d;
}

// model − factor · step, entry by entry.
Model stepped(const Model& model, const Model& step, double factor) {
  Model out = model;
  for (std::size_t n = 0; n < model.size(); ++n) {
    for (std::size_t j = 0; j < model[n].bias.size(); ++j) out[n].bias[j] -= factor * step[n].bias[j];
    for (std::size_t i = 0; i < model[n].w.size(); ++i) {
      for (std::size_t j = 0; j < model[n].bias.size(); ++j) out[n].w[i][j] -= factor * step[n].w[i][j];
    }
  }
  return out;
}

double loss(const Model& model, const Row& k, const Row& wanted, const Row& gamma, const Row& beta, double eps) {
  const Row out = layer_norm(infer(model, k).z, gamma, beta, eps);
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) sum += (out[i] - wanted[i]) * (out[i] - wanted[i]);
  return sum / out.size();
}

// sum += lr · gradient of ½‖LN(z) − wanted‖² at one key.
void add_gradient(const Model& model, const Row& k, const Row& wanted, const Row& gamma, const Row& beta, double eps,
                  double lr, Model& sum) {
  const Pass pass = infer(model, k);
  const std::size_t f = k.size();
  Row normed;
  double rho = 0;
  const Row out = layer_norm(pass.z, gamma, beta, eps, &normed, &rho);
  // Through LN by its full Jacobian: ∂x̂_i/∂z_j = ρ (δ_ij − 1/f − x̂_i x̂_j / f).
  Row g(f, 0);
  for (std::size_t i = 0; i < f; ++i) {
    const double upstream = gamma[i] * (out[i] - wanted[i]);
    for (std::size_t j = 0; j < f; ++j) {
      g[j] += upstream * rho * ((i == j ? 1.0 : 0.0) - 1.0 / f - normed[i] * normed[j] / f);
    }
  }
  Layer& last = sum.back();
  const Row& in = model.size() == 2 ? pass.hidden : k;
  for (std::size_t j = 0; j < f; ++j) last.bias[j] += lr * g[j];
  for (std::size_t i = 0; i < in.size(); ++i) {
    for (std::size_t j = 0; j < f; ++j) last.w[i][j] += lr * in[i] * g[j];
  }
  if (model.size() == 1) return;
  for (std::size_t h = 0; h < in.size(); ++h) {
    double back = 0;
    for (std::size_t j = 0; j < f; ++j) back += g[j] * model[1].w[h][j];
    back *= gelu_slope(pass.hidden_in[h]);
    sum[0].bias[h] += lr * back;
    for (std::size_t i = 0; i < f; ++i) sum[0].w[i][h] += lr * k[i] * back;
  }
}

Model zeros_like(const Model& model) { return stepped(model, model, 1); }

double length(const Row& row) {
  double square = 0;
  for (const double value : row) square += value * value;
  return std::sqrt(square);
}

// What follows the step of a mini-batch.
void settle(const Problem& p, int head, const Model& start, Model& model) {
  if (!p.alpha.empty()) {
    const Model away = stepped(model, start, 1);
    model = stepped(model, away, p.alpha[head]);
  }
  if (!p.shape.keep_row_norms) return;
  for (std::size_t r = 0; r < model.back().w.size(); ++r) {
    Row& row = model.back().w[r];
    const double scale = length(start.back().w[r]) / length(row);
    for (double& value : row) value *= scale;
  }
}

// The same problem with nothing left to do for its inputs.
Problem finished(Problem p) {
  const std::size_t pairs = p.shape.head_width / 2;
  const auto turn = [&](std::vector<double>& rows) {
    for (std::size_t pair = 0; pair < rows.size() / 2; ++pair) {
      const std::size_t token = pair / pairs % p.tokens;
      const std::size_t at = (p.position + token) % p.period * pairs + pair % pairs;
      const std::complex<double> turned =
          std::complex(rows[2 * pair], rows[2 * pair + 1]) * std::complex<double>(p.cos[at], p.sin[at]);
      rows[2 * pair] = turned.real();
      rows[2 * pair + 1] = turned.imag();
    }
  };
  if (!p.cos.empty()) {
    turn(p.q);
    turn(p.k);
  }
  for (std::size_t i = 0; i < p.lr.size() && !p.gate.empty(); ++i)
    p.lr[i] = p.gate[i / p.tokens] / (1 + std::exp(-p.lr[i]));
  return p;
}

}  // namespace

Results<double> primal(const Problem& unfinished) {
  const Problem p = finished(unfinished);
  const TttShape& s = p.shape;
  const std::size_t f = s.head_width;
  const int tokens = p.tokens;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Results<double> out;
  out.after.assign(std::size_t(s.heads) * tokens, nan);
  for (int head = 0; head < s.heads; ++head) {
    const double* next = nullptr;
    const auto take_layer = [&](std::size_t in, std::size_t columns) {
      Layer layer;
      for (std::size_t i = 0; i < in; ++i, next += columns) layer.w.emplace_back(next, next + columns);
      layer.bias.assign(next, next + columns);
      next += columns;
      return layer;
    };
    const auto take_model = [&](const std::vector<double>& from) {
      next = from.data() + head * ttt_weights_size(s);
      Model model;
      if (s.model == TttModel::kMlp) {
        model.push_back(take_layer(f, s.hidden_width));
        model.push_back(take_layer(s.hidden_width, f));
      } else {
        model.push_back(take_layer(f, f));
      }
      return model;
    };
    Model model = take_model(p.first_weights());
    const Model start = take_model(p.start);
    const Row gamma(p.gamma.begin() + head * f, p.gamma.begin() + (head + 1) * f);
    const Row beta(p.beta.begin() + head * f, p.beta.begin() + (head + 1) * f);
    const auto row = [&](const std::vector<double>& from, int t) {
      const auto at = from.begin() + (std::size_t(head) * tokens + t) * f;
      return Row(at, at + f);
    };
    const auto wanted = [&](int t) { return target(p, row(p.k, t), row(p.v, t), gamma, beta); };
    const auto read = [&](const Model& now, int t) {
      const Row q = row(p.q, t);
      const Row answer = layer_norm(infer(now, q).z, gamma, beta, s.norm_eps);
      for (std::size_t i = 0; i < f; ++i) out.z.push_back(q[i] + answer[i]);
    };
    for (int first = 0; first < tokens; first += s.mini_batch) {
      const int n = std::min(s.mini_batch, tokens - first);
      Model sum = zeros_like(model);
      for (int i = 0; i < n; ++i) {
        const int t = first + i;
        const Row k = row(p.k, t);
        out.before.push_back(loss(model, k, wanted(t), gamma, beta, s.norm_eps));
        out.init.push_back(loss(start, k, wanted(t), gamma, beta, s.norm_eps));
        add_gradient(model, k, wanted(t), gamma, beta, s.norm_eps, p.lr[std::size_t(head) * tokens + t], sum);
        if (s.update == TttUpdate::kLastLayer && sum.size() == 2) sum.front() = zeros_like(model).front();
        if (s.form == TttForm::kCausal) read(stepped(model, sum, p.tau[i]), t);
      }
      if (n < s.mini_batch) continue;
      model = stepped(model, sum, s.form == TttForm::kCausal ? p.tau[n - 1] : 1.0 / n);
      settle(p, head, start, model);
      for (int i = 0; i < n; ++i) {
        const int t = first + i;
        out.after[std::size_t(head) * tokens + t] = loss(model, row(p.k, t), wanted(t), gamma, beta, s.norm_eps);
        if (s.form == TttForm::kFrame) read(model, t);
      }
    }
    for (const Layer& layer : model) {
      for (const Row& weights : layer.w) out.weights.insert(out.weights.end(), weights.begin(), weights.end());
      out.weights.insert(out.weights.end(), layer.bias.begin(), layer.bias.end());
    }
  }
  return out;
}

}  // namespace longtake
