// Times and names as the text formats write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace longtake {

// UTF-8, with U+FFFD for what is broken and for control characters other than tab and line breaks, which no format takes.
std::string clean_text(std::string_view text);
// The same on one line: what breaks lines becomes one space.
std::string one_line(std::string_view text);
// `text` with `with` for every `what`.
std::string replaced(std::string text, std::string_view what, std::string_view with);
// Fit for the text and for the attributes of XML and HTML.
std::string xml_text(std::string_view text);
// In quotation marks where a comma, quotation mark or line break asks for it (RFC 4180).
std::string csv_field(std::string_view text);

// "00:01:02.500" with `point` before the milliseconds; hours have two digits or more.
std::string clock_of_ms(std::int64_t ms, char point);
// "1:02" or "1:00:02".
std::string short_clock(std::int64_t seconds);
// A path, with what has a meaning in URLs as %XX.
std::string url_path(std::string_view path);
std::string base64(std::string_view bytes);

}  // namespace longtake
