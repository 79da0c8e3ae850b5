#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/studio/edits.h"
#include "core/records/parse.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr std::array kFates{"kept", "deleted", "not_an_event", "merged"};
constexpr std::array kStarts{"found", "split", "merged"};

Json event_json(const NamedEvent& event) {
  std::string line;
  append_json_line(EventRecord(event), line);
  Json out = Json::parse(line);
  if (event.name) out["name"] = *event.name;
  return out;
}

// Takes members out of an object; once one is missing or of another type, ok() is false and stays so.
class Reader {
 public:
  bool ok() const { return ok_; }

  const Json& member(const Json& object, const char* name) {
    static const Json kNone;
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (object.is_object() && found != object.end()) return *found;
    ok_ = false;
    return kNone;
  }
  template <class T>
  T get(const Json& value) {
    bool fits = false;
    if constexpr (std::is_same_v<T, std::string>) {
      fits = value.is_string() && value.get_ref<const std::string&>().size() <= Edits::kNameBytes;
    } else if constexpr (std::is_same_v<T, double>) {
      fits = value.is_number() && std::isfinite(value.get<double>());
    } else {
      fits = value.is_number_integer();
    }
    ok_ = ok_ && fits;
    return fits ? value.get<T>() : T{};
  }
  template <class T>
  T get(const Json& object, const char* name) {
    return get<T>(member(object, name));
  }
  template <std::size_t N>
  std::size_t choice(const Json& object, const char* name, const std::array<const char*, N>& names) {
    const auto text = get<std::string>(object, name);
    for (std::size_t i = 0; i < N; ++i) {
      if (text == names[i]) return i;
    }
    ok_ = false;
    return 0;
  }
  const Json& list(const Json& object, const char* name, std::size_t most) {
    const Json& out = member(object, name);
    ok_ = ok_ && out.is_array() && out.size() <= most;
    return out;
  }
  NamedEvent event(const Json& value) {
    auto record = parse_json_line(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    auto* event = record && *record ? std::get_if<EventRecord>(&**record) : nullptr;
    if (event == nullptr) {
      ok_ = false;
      return {};
    }
    NamedEvent out{std::move(*event)};
    if (value.contains("name")) out.name = get<std::string>(value, "name");
    return out;
  }

 private:
  bool ok_ = true;
};

}  // namespace

std::string to_json(const Edits& edits, std::string_view video) {
  Json out{{"type", "project"}, {"schema", kSchema}, {"video", video}};
  Json& events = out["events"] = Json::array();
  for (const auto& [key, edit] : edits.events) {
    events.push_back({{"kind", key.kind},
                      {"pts", key.pts},
                      {"fate", kFates[static_cast<std::size_t>(edit.fate)]},
                      {"event", event_json(edit.event)}});
  }
  Json& segments = out["segments"] = Json::array();
  for (const auto& [pts, edit] : edits.segments) {
    segments.push_back({{"pts", pts},
                        {"start", kStarts[static_cast<std::size_t>(edit.start)]},
                        {"frame", edit.frame},
                        {"t", edit.t},
                        {"name", edit.name}});
  }
  Json& labels = out["labels"] = Json::array();
  for (const RangeLabel& label : edits.choices.labels) {
    labels.push_back({{"name", label.name}, {"from_s", label.from_s}, {"to_s", label.to_s}});
  }
  const Thresholds& thresholds = edits.choices.thresholds;
  out["thresholds"] = {{"surprise", thresholds.surprise ? Json(*thresholds.surprise) : Json()},
                       {"least_confidence", thresholds.least_confidence}};
  out["keys"] = edits.choices.keys;
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Edits> parse_edits(std::string_view json, std::string_view video) {
  const auto refuse = [](std::string why) { return Error{ErrorKind::kInput, std::move(why)}; };
  const Json all = Json::parse(json, nullptr, false);
  Reader read;
  if (all.is_discarded() || read.get<std::string>(all, "type") != "project" || !read.ok())
    return refuse("it is damaged");
  if (const auto schema = read.get<std::int64_t>(all, "schema"); read.ok() && schema > kSchema) {
    return refuse(fmt::format("it is of a newer program (schema {})", schema));
  }
  if (const auto of = read.get<std::string>(all, "video"); read.ok() && of != video)
    return refuse("it is of another video");

  Edits out;
  for (const Json& one : read.list(all, "events", Edits::kMostEvents)) {
    EventEdit edit;
    edit.fate = static_cast<EventEdit::Fate>(read.choice(one, "fate", kFates));
    edit.event = read.event(read.member(one, "event"));
    out.events.insert_or_assign({read.get<std::string>(one, "kind"), read.get<std::int64_t>(one, "pts")},
                                std::move(edit));
  }
  for (const Json& one : read.list(all, "segments", Edits::kMostSegments)) {
    SegmentEdit edit;
    edit.start = static_cast<SegmentEdit::Start>(read.choice(one, "start", kStarts));
    edit.frame = read.get<std::int64_t>(one, "frame");
    edit.t = read.get<double>(one, "t");
    edit.name = read.get<std::string>(one, "name");
    out.segments.insert_or_assign(read.get<std::int64_t>(one, "pts"), std::move(edit));
  }
  for (const Json& one : read.list(all, "labels", Edits::kMostLabels)) {
    out.choices.labels.push_back(
        {read.get<std::string>(one, "name"), read.get<double>(one, "from_s"), read.get<double>(one, "to_s")});
  }
  const Json& thresholds = read.member(all, "thresholds");
  const Json& surprise = read.member(thresholds, "surprise");
  if (!surprise.is_null()) out.choices.thresholds.surprise = read.get<double>(surprise);
  out.choices.thresholds.least_confidence = read.get<double>(thresholds, "least_confidence");
  const Json& keys = read.list(all, "keys", out.choices.keys.size());
  for (std::size_t i = 0; read.ok() && i < keys.size(); ++i) out.choices.keys[i] = read.get<std::string>(keys[i]);
  if (!read.ok()) return refuse("it is damaged");
  return out;
}

}  // namespace longtake
