// Reads a finished result from its file, record by record: for export and evaluation.
#pragma once

#include <filesystem>
#include <functional>

#include "core/records/records.h"
#include "core/result.h"

namespace longtake {

// Calls `take` with every record, the header first. A last line that was cut off, as by a full disk or a killed program,
// is passed over; so are records of unknown types. Returns whether the end record was there.
// Errors: kInput, with the file and the line: it cannot be read, it begins with no header of this schema, a line in the
// middle is damaged.
Result<bool> read_result(const std::filesystem::path& file, const std::function<void(Record&& record)>& take);

}  // namespace longtake
