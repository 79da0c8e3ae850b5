#include "app/studio/loss_table.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/store/atomic_file.h"

namespace longtake {
namespace {

std::vector<float> means_of(const CurvePyramid& curve, const std::vector<Sample>& samples) {
  std::vector<float> out;
  out.reserve(samples.size());
  for (const auto& extent : extents(curve, samples))
    out.push_back(extent.empty() ? std::numeric_limits<float>::quiet_NaN() : extent.mean);
  return out;
}

std::string field(float value) { return std::isfinite(value) ? fmt::format(",{}", value) : std::string(","); }

}  // namespace

LossTable loss_table(const Findings& findings, const LayerModel& layers, const Samples& samples) {
  LossTable out;
  out.mean_seconds = layers.mean_seconds();
  for (const Sample& sample : samples.all) {
    out.t.push_back(sample.t);
    out.first.push_back(std::floor(sample.first));
    out.frames.push_back(std::max(1.0, std::round(sample.step)));
  }
  const auto& all = findings.curves().layers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!layers.shows(static_cast<int>(i))) continue;
    out.layers.push_back({static_cast<int>(i) + 1, means_of(all[i].before, samples.all),
                          means_of(all[i].after, samples.all),
                          running_mean(findings, all[i].before, samples.all, layers.mean_seconds()),
                          means_of(all[i].drift, samples.all)});
  }
  return out;
}

Result<void> write_csv(const std::filesystem::path& file, const LossTable& table) {
  std::string text = "t_s,frame,frames";
  for (const LossTable::Layer& layer : table.layers)
    text += fmt::format(",layer{0}_before,layer{0}_after,layer{0}_mean_{1}s,layer{0}_drift", layer.number,
                        table.mean_seconds);
  text += '\n';
  for (std::size_t row = 0; row < table.t.size(); ++row) {
    text += fmt::format("{:.6f},{:.0f},{:.0f}", table.t[row], table.first[row], table.frames[row]);
    for (const LossTable::Layer& layer : table.layers)
      text += field(layer.before[row]) + field(layer.after[row]) + field(layer.mean[row]) + field(layer.drift[row]);
    text += '\n';
  }
  return write_file_atomically(file, text);
}

Result<void> write_curves(const std::filesystem::path& file, const LossTable& table, bool drift, bool logarithmic) {
  Plot plot;
  plot.title = drift ? "Drift of the fast weights" : "Inner loss of every layer";
  plot.x_label = "time [s]";
  plot.y_label = drift ? "change since the start, as a share" : "squared error per token element";
  plot.log_y = logarithmic;
  const auto curve = [&](const std::string& name, const std::vector<float>& y, bool faint) {
    plot.curves.push_back({name, table.t, {y.begin(), y.end()}, faint});
  };
  for (const LossTable::Layer& layer : table.layers) {
    const std::string name = fmt::format("layer {}", layer.number);
    if (drift) {
      curve(name, layer.drift, false);
    } else {
      curve(name + ", before the update", layer.before, true);
      curve(fmt::format("{}, mean over {} s", name, table.mean_seconds), layer.mean, false);
    }
  }
  return write_plots(file, std::span(&plot, 1));
}

}  // namespace longtake
