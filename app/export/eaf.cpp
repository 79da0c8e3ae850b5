// Annotations for ELAN: a tier of segments, and one for each kind of event. ELAN counts milliseconds.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "app/export/exporter.h"
#include "app/export/text.h"
#include "app/export/video_name.h"

namespace longtake {
namespace {

struct Annotation {
  std::int64_t from_ms = 0, to_ms = 0;
  std::string value;
};

struct Tier {
  std::string name;
  std::vector<Annotation> annotations;

  // Annotations of one tier may not overlap, and each lasts a millisecond at least.
  void add(std::int64_t from, std::int64_t to, std::string value) {
    if (!annotations.empty()) from = std::max(from, annotations.back().to_ms);
    annotations.push_back({from, std::max(to, from + 1), std::move(value)});
  }
};

std::vector<Tier> tiers_of(const Outline& outline) {
  std::vector<Tier> out{{"segments", {}}};
  for (const Passage& one : outline.passages) {
    out.front().add(outline.since_zero(one.start_pts, 1000), outline.since_zero(one.end_pts, 1000), one.title);
  }
  std::map<std::string, std::size_t> tier_of;
  for (const Happening& one : outline.events) {
    const auto [found, is_new] = tier_of.emplace(one.event.kind, out.size());
    if (is_new) out.push_back({one.event.kind, {}});
    out[found->second].add(outline.since_zero(one.start_pts, 1000), outline.since_zero(one.end_pts, 1000),
                           one.event.kind);
  }
  return out;
}

constexpr std::size_t kMostTiers = 100;

class Elan final : public Exporter {
 public:
  explicit Elan(const ExportOptions& options) : options_(options) {}

  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    const std::vector<Tier> tiers = tiers_of(outline);
    if (tiers.size() > kMostTiers) return Error{ErrorKind::kInput, "it has too many kinds of events for tiers"};
    std::vector<std::int64_t> times;
    std::size_t count = 0;
    for (const Tier& tier : tiers) {
      count += tier.annotations.size();
      for (const Annotation& one : tier.annotations) times.insert(times.end(), {one.from_ms, one.to_ms});
    }
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
    const auto slot = [&](std::int64_t ms) { return std::ranges::lower_bound(times, ms) - times.begin() + 1; };

    const std::string url = xml_text(video_url(options_.video, outline.header.source));
    const std::string beside = xml_text("./" + url_path(file_name_of(outline.header.source)));
    // The date is a required attribute; equal input shall give equal bytes, so it is always this one.
    std::string out = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<ANNOTATION_DOCUMENT AUTHOR=\"longtake {}\" DATE=\"1970-01-01T00:00:00+00:00\" FORMAT=\"3.0\" VERSION=\"3.0\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n"
        "  <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\">\n"
        "    <MEDIA_DESCRIPTOR MEDIA_URL=\"{}\" MIME_TYPE=\"{}\" RELATIVE_MEDIA_URL=\"{}\"/>\n"
        "    <PROPERTY NAME=\"lastUsedAnnotationId\">{}</PROPERTY>\n"
        "  </HEADER>\n  <TIME_ORDER>\n",
        xml_text(outline.header.longtake), url, mime_type_of(outline.header.source), beside, count);
    for (std::size_t i = 0; i < times.size(); ++i) {
      out += fmt::format("    <TIME_SLOT TIME_SLOT_ID=\"ts{}\" TIME_VALUE=\"{}\"/>\n", i + 1, times[i]);
    }
    out += "  </TIME_ORDER>\n";
    std::size_t number = 0;
    for (const Tier& tier : tiers) {
      out += fmt::format("  <TIER LINGUISTIC_TYPE_REF=\"default-lt\" TIER_ID=\"{}\">\n", xml_text(tier.name));
      for (const Annotation& one : tier.annotations) {
        out += fmt::format(
            "    <ANNOTATION>\n"
            "      <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a{}\" TIME_SLOT_REF1=\"ts{}\" TIME_SLOT_REF2=\"ts{}\">\n"
            "        <ANNOTATION_VALUE>{}</ANNOTATION_VALUE>\n"
            "      </ALIGNABLE_ANNOTATION>\n"
            "    </ANNOTATION>\n",
            ++number, slot(one.from_ms), slot(one.to_ms), xml_text(one.value));
      }
      out += "  </TIER>\n";
    }
    return out +
           "  <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" "
           "TIME_ALIGNABLE=\"true\"/>\n"
           "</ANNOTATION_DOCUMENT>\n";
  }

 private:
  const ExportOptions options_;
};

}  // namespace

std::unique_ptr<Exporter> make_eaf(const ExportOptions& options) { return std::make_unique<Elan>(options); }

}  // namespace longtake
