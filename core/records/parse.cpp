#include "core/records/parse.h"

#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/records/members.h"

namespace longtake {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order of options

// Fills the members of a record from an object. The first failure is kept; what follows it is passed over.
class LineReader {
 public:
  template <class T>
  void read(const Json& object, T& record) {
    const Json* outer = std::exchange(object_, &object);
    members(*this, record);
    object_ = outer;
  }

  template <class T>
  void operator()(std::string_view key, T& member) {
    const auto found = object_->find(key);
    if (found == object_->end()) {
      fail("\"" + std::string(key) + "\" is missing");
    } else if (!value(*found, member)) {
      fail("\"" + std::string(key) + "\" has a value of the wrong kind");
    }
  }

  template <class T>
  void operator()(std::string_view key, std::optional<T>& member) {
    if (object_->contains(key)) (*this)(key, member.emplace(T{}));
  }

  void constant(std::string_view key, int wanted) {
    int number = 0;
    (*this)(key, number);
    if (number != wanted) fail("its " + std::string(key) + " is not " + std::to_string(wanted));
  }

  const std::string& failure() const noexcept { return failure_; }

 private:
  bool value(const Json& json, bool& into) {
    if (!json.is_boolean()) return false;
    into = json.get<bool>();
    return true;
  }

  bool value(const Json& json, std::string& into) {
    if (!json.is_string()) return false;
    into = json.get_ref<const std::string&>();
    return true;
  }

  template <std::signed_integral T>
  bool value(const Json& json, T& into) {
    if (!json.is_number_integer()) return false;
    // Numbers above the largest signed one are kept apart as unsigned and would wrap.
    if (json.is_number_unsigned() ? !std::in_range<T>(json.get<std::uint64_t>())
                                  : !std::in_range<T>(json.get<std::int64_t>())) {
      return false;
    }
    into = json.get<T>();
    return true;
  }

  template <std::floating_point T>
  bool value(const Json& json, T& into) {
    if (json.is_null()) {
      into = std::numeric_limits<T>::quiet_NaN();
      return true;
    }
    if (!json.is_number()) return false;
    const double number = json.get<double>();
    if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<T>::max()))) return false;
    into = static_cast<T>(number);
    return true;
  }

  bool value(const Json& json, OptionValue& into) {
    switch (json.type()) {
      case Json::value_t::boolean:
        return value(json, into.emplace<bool>());
      case Json::value_t::number_integer:
      case Json::value_t::number_unsigned:
        return value(json, into.emplace<std::int64_t>());
      case Json::value_t::number_float:
      case Json::value_t::null:
        return value(json, into.emplace<double>());
      default:
        return value(json, into.emplace<std::string>());
    }
  }

  bool value(const Json& json, NamedScore& into) {
    return json.is_array() && json.size() == 2 && value(json[0], into.name) && value(json[1], into.score);
  }

  template <class T, std::size_t N>
  bool value(const Json& json, std::array<T, N>& into) {
    if (!json.is_array() || json.size() != N) return false;
    for (std::size_t i = 0; i < N; ++i) {
      if (!value(json[i], into[i])) return false;
    }
    return true;
  }

  template <class T>
  bool value(const Json& json, std::vector<T>& into) {
    if (!json.is_array()) return false;
    for (const Json& item : json) {
      if (!value(item, into.emplace_back())) return false;
    }
    return true;
  }

  template <class T>
  bool value(const Json& json, std::vector<std::pair<std::string, T>>& into) {
    if (!json.is_object()) return false;
    for (const auto& [name, held] : json.items()) {
      if (!value(held, into.emplace_back(name, T{}).second)) return false;
    }
    return true;
  }

  template <class T>
  requires requires(LineReader& reader, T& record) { members(reader, record); }
  bool value(const Json& json, T& into) {
    if (!json.is_object()) return false;
    read(json, into);
    return true;
  }

  void fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
  }

  const Json* object_ = nullptr;
  std::string failure_;
};

Error refuse(const std::string& reason) {
  return Error{ErrorKind::kInput, "not a record of a result: " + reason};
}

template <class T>
Result<std::optional<Record>> read_record(const Json& object) {
  LineReader reader;
  T record;
  reader.read(object, record);
  if (!reader.failure().empty()) {
    return refuse("in its \"" + std::string(kTypeName<T>) + "\", " + reader.failure());
  }
  return std::optional<Record>(std::move(record));
}

// The alternatives of Record, one after the other, until one has this name.
template <std::size_t kIndex = 0>
Result<std::optional<Record>> read_named(std::string_view type, const Json& object) {
  if constexpr (kIndex == std::variant_size_v<Record>) {
    return std::optional<Record>();
  } else {
    using T = std::variant_alternative_t<kIndex, Record>;
    return type == kTypeName<T> ? read_record<T>(object) : read_named<kIndex + 1>(type, object);
  }
}

}  // namespace

Result<std::optional<Record>> parse_json_line(std::string_view line) {
  if (line.size() > kMaxJsonLineBytes) return refuse("it is longer than any record");
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return refuse("it is not a JSON object");
  const auto type = object.find("type");
  if (type == object.end() || !type->is_string()) return refuse("\"type\" is missing");
  return read_named(type->get_ref<const std::string&>(), object);
}

}  // namespace longtake
