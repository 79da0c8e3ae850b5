// Reads back what records.h writes, for programs that work on finished results: export, evaluation.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

// No record of schema 1 comes near it.
inline constexpr std::size_t kMaxJsonLineBytes = 64u << 10;

// One line, with or without its line break. Every key of the record must be there with its own type of value;
// keys that are not known are passed over, and so is a whole record of a type that is not (`stats`, or a
// newer program's): nothing is returned for it. Where the writer put null for a number, NaN is read. Errors
// are of kind kInput and name the key, not the file or the line: the caller knows those.
Result<std::optional<Record>> parse_json_line(std::string_view line);

}  // namespace longtake
