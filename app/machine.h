// The machine and the libraries that figures come from.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>

namespace longtake {

nlohmann::ordered_json describe_machine();   // cpu, cores, memory_bytes, device, instruction_set
nlohmann::ordered_json describe_versions();  // longtake and the libraries it runs with
// What every JSON object of figures begins with: schema, command, machine, versions.
nlohmann::ordered_json headed(const char* command);

std::int64_t resident_bytes();       // of this process, now
std::int64_t peak_resident_bytes();  // at most so far

}  // namespace longtake
