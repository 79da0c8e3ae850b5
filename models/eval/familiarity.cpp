#include "models/eval/familiarity.h"

#include <algorithm>
#include <cmath>


namespace longtake {

std::optional<FamiliarityFigures> familiarity_figures(std::span<const AskedOnce> asked) {
  constexpr std::size_t kAges = 4;
  std::vector<AskedOnce> seen;
  std::vector<double> known, strange;
  std::vector<Ranking::Scored> ranked;
  std::vector<Judged> judged;
  for (const AskedOnce& one : asked) {
    judged.push_back({one.familiarity, one.seen});
    (one.seen ? known : strange).push_back(one.odds);
    ranked.push_back({one.odds, one.seen, ranked.size()});
    if (one.seen) seen.push_back(one);
  }
  if (known.empty() || strange.empty()) return std::nullopt;
  FamiliarityFigures out;
  out.seen = std::ssize(known);
  out.unseen = std::ssize(strange);
  out.auroc = auroc(known, strange);
  const Ranking ranking(ranked);
  out.interval = bootstrap(ranked.size(), 0.95, 0x6175726f63ULL, [&](std::span<const double> drawn) {
                   return std::vector<double>{ranking.figures(drawn).auroc};
                 }).front();
  out.calibration_error = calibration_error(judged);

  std::ranges::stable_sort(seen, {}, &AskedOnce::age_s);
  const std::size_t parts = std::min(kAges, seen.size());
  for (std::size_t part = 0; part < parts; ++part) {
    FamiliarityFigures::Age age;
    std::vector<double> odds;
    const std::size_t end = (part + 1) * seen.size() / parts;
    for (std::size_t i = part * seen.size() / parts; i < end; ++i) {
      odds.push_back(seen[i].odds);
      age.age_s += seen[i].age_s;
      age.familiarity += seen[i].familiarity;
    }
    age.seen = std::ssize(odds);
    age.age_s /= static_cast<double>(odds.size());
    age.familiarity /= static_cast<double>(odds.size());
    age.auroc = auroc(odds, strange);
    out.decay.push_back(age);
  }
  return out;
}

std::vector<AskedOnce> ask_itself(FrozenMemory& memory) {
  std::vector<AskedOnce> out;
  const auto note = [&](const Evidence& evidence, bool seen, double age_s) {
    out.push_back({seen, memory.scale().familiarity(evidence), memory.scale().odds(evidence), age_s});
  };
  const SampleState& samples = memory.samples();
  for (std::int64_t i = 0; i < samples.count(); ++i) {
    note(memory.ask(samples.sample(i)), true, memory.landmarks().watched_s - samples.at[static_cast<std::size_t>(i)]);
  }
  for (const Evidence& evidence : memory.background()) note(evidence, false, 0);
  return out;
}

Acquaintance acquaintance(FrozenMemory& knower, const LandmarkState& landmarks) {
  Acquaintance out;
  out.landmarks = landmarks.count;
  double sum = 0;
  for (std::int64_t i = 0; i < landmarks.count; ++i) {
    const double familiarity = knower.scale().familiarity(knower.ask(landmark(landmarks, i).latents));
    sum += familiarity;
    if (familiarity >= 0.5) ++out.known;
  }
  out.familiarity = sum / static_cast<double>(landmarks.count);  // NaN of none
  return out;
}

double learned_distance(const RecallWeights& weights, const RecallState& a, const RecallState& b) {
  double apart = 0, lengths = 0;
  for (std::size_t half = 0; half < a.halves.size(); ++half) {
    const auto& start = weights.halves[half].start;
    for (std::size_t i = 0; i < start.size(); ++i) {
      const double of_a = static_cast<double>(a.halves[half][i]) - start[i];
      const double of_b = static_cast<double>(b.halves[half][i]) - start[i];
      apart += (of_a - of_b) * (of_a - of_b);
      lengths += of_a * of_a + of_b * of_b;
    }
  }
  return std::sqrt(2 * apart / lengths);
}

}  // namespace longtake
