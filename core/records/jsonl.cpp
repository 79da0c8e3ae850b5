#include <cmath>
#include <concepts>
#include <iterator>

#include <fmt/format.h>

#include "core/records/members.h"
#include "core/records/records.h"
#include "core/records/utf8.h"

namespace longtake {
namespace {

// Appends one JSON value after another, each with a comma before it unless it is the first of its object or
// array or follows its key, which the last character written tells. Needs no memory but the text itself.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}

  template <class T>
  void write_line(const T& record) {
    out_ += '{';
    (*this)("type", kTypeName<T>);
    members(*this, record);
    out_ += "}\n";
  }

  template <class T>
  void operator()(std::string_view key, const T& member) {
    value(key);
    out_ += ':';
    value(member);
  }

  template <class T>
  void operator()(std::string_view key, const std::optional<T>& member) {
    if (member) (*this)(key, *member);
  }

  void constant(std::string_view key, int number) { (*this)(key, number); }

 private:
  void value(std::string_view text) {
    separate();
    quote(text);
  }
  void value(const std::string& text) { value(std::string_view(text)); }

  void value(bool truth) {
    separate();
    out_ += truth ? "true" : "false";
  }

  template <std::integral T>
  void value(T number) {
    separate();
    fmt::format_to(std::back_inserter(out_), "{}", number);
  }

  // The shortest text that reads back as the same float or double, always to be told from an integer.
  template <std::floating_point T>
  void value(T number) {
    separate();
    if (!std::isfinite(number)) {
      out_ += "null";
      return;
    }
    const std::size_t start = out_.size();
    fmt::format_to(std::back_inserter(out_), "{}", number == 0 ? T{0} : number);  // no sign on a zero
    if (out_.find_first_of(".e", start) == std::string::npos) out_ += ".0";
  }

  void value(const OptionValue& option) {
    std::visit([this](const auto& held) { value(held); }, option);
  }

  void value(const NamedScore& named) {
    open('[');
    value(named.name);
    value(named.score);
    out_ += ']';
  }

  template <class T, std::size_t N>
  void value(const std::array<T, N>& items) {
    open('[');
    for (const T& item : items) value(item);
    out_ += ']';
  }

  template <class T>
  void value(const std::vector<T>& items) {
    open('[');
    for (const T& item : items) value(item);
    out_ += ']';
  }

  // Pairs of a name and a value are an object that keeps its order.
  template <class T>
  void value(const std::vector<std::pair<std::string, T>>& pairs) {
    open('{');
    for (const auto& [name, held] : pairs) (*this)(name, held);
    out_ += '}';
  }

  template <class T>
  requires requires(LineWriter& writer, const T& record) { members(writer, record); }
  void value(const T& record) {
    open('{');
    members(*this, record);
    out_ += '}';
  }

  void open(char bracket) {
    separate();
    out_ += bracket;
  }

  void separate() {
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }

  void quote(std::string_view text) {
    out_ += '"';
    while (!text.empty()) {
      const Utf8Piece piece = next_utf8(text);
      if (!piece.valid) {
        out_ += kReplacementCharacter;
      } else if (piece.bytes > 1) {
        out_ += text.substr(0, piece.bytes);
      } else {
        escape(text.front());
      }
      text.remove_prefix(piece.bytes);
    }
    out_ += '"';
  }

  void escape(char ascii) {
    constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const std::size_t known = kShort.find(ascii); known != std::string_view::npos) {
      out_ += '\\';
      out_ += kLetters[known];
    } else if (ascii < 0x20) {
      fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(ascii));
    } else {
      out_ += ascii;
    }
  }

  std::string& out_;
};

}  // namespace

void append_json_line(const Record& record, std::string& out) {
  std::visit([&out](const auto& held) { LineWriter(out).write_line(held); }, record);
}

}  // namespace longtake
