#include "app/live/stats_line.h"

#include <cmath>
#include <numeric>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace longtake {
namespace {

double ms(double seconds) { return std::round(1e6 * seconds) / 1e3; }

nlohmann::ordered_json quantiles(const Latency& latency) {
  nlohmann::ordered_json out;
  for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}})
    out[name] = ms(latency.quantile_s(q));
  return out;
}

}  // namespace

std::string utc_time(std::chrono::system_clock::time_point when) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(when);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (whole - seconds).count());
}

std::string stats_line(const LiveCounts& counts, const std::string& why, std::chrono::system_clock::time_point now) {
  nlohmann::ordered_json out;
  out["type"] = "stats";
  out["wall"] = utc_time(now);
  out["state"] = name_of(counts.state);
  if (!why.empty()) out["why"] = why;
  out["received"] = counts.received;
  out["processed"] = counts.processed;
  auto& dropped = out["dropped"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < counts.dropped.size(); ++i) {
    if (counts.dropped[i] > 0) dropped[std::string(FrameBuffer::kReasonNames[i])] = counts.dropped[i];
  }
  out["decode_errors"] = counts.decode_errors;
  out["under_way"] = counts.under_way();
  out["reconnects"] = counts.reconnects;
  out["failures"] = counts.failures;
  if (counts.silent_s) out["silent_s"] = std::round(1e3 * *counts.silent_s) / 1e3;
  if (counts.whole.count() > 0) {
    out["latency_ms"] = {
        {"queue", quantiles(counts.queued)}, {"watch", quantiles(counts.watching)}, {"whole", quantiles(counts.whole)}};
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::string in_words(const LiveCounts& counts) {
  const std::int64_t dropped = std::accumulate(counts.dropped.begin(), counts.dropped.end(), std::int64_t{0});
  std::string out = fmt::format("received {} = watched {} + dropped {} + decode errors {}", counts.received,
                                counts.processed, dropped, counts.decode_errors);
  if (counts.under_way() > 0) out += fmt::format(" + under way {}", counts.under_way());
  out += fmt::format("; reconnected {} times", counts.reconnects);
  if (counts.whole.count() > 0) {
    out += fmt::format("; latency p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms", 1e3 * counts.whole.quantile_s(0.5),
                       1e3 * counts.whole.quantile_s(0.95), 1e3 * counts.whole.quantile_s(0.99));
  }
  return out;
}

}  // namespace longtake
