#include "app/machine.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "app/version.h"
#include "core/media/versions.h"
#include "models/encoder/encoder.h"
#include "models/instruction_set.h"

namespace longtake {
namespace {

std::string value_after(const char* path, const std::string& key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const auto colon = line.find(':');
    const auto first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return {};
}

}  // namespace

nlohmann::ordered_json describe_machine() {
  nlohmann::ordered_json out;
  out["cpu"] = value_after("/proc/cpuinfo", "model name");
  out["cores"] = std::thread::hardware_concurrency();
  out["memory_bytes"] = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  out["device"] = "cpu";
  const auto kernels = instruction_set();
  out["instruction_set"] = kernels ? *kernels : "none";
  return out;
}

nlohmann::ordered_json describe_versions() {
  nlohmann::ordered_json out;
  out["longtake"] = kVersion;
  out["ffmpeg"] = media_library_version();
  out["libtorch"] = tensor_library_version();
  out["compiler"] = __VERSION__;
  return out;
}

nlohmann::ordered_json headed(const char* command) {
  nlohmann::ordered_json out;
  out["schema"] = 1;
  out["command"] = command;
  out["machine"] = describe_machine();
  out["versions"] = describe_versions();
  return out;
}

std::int64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  in >> total >> resident;
  return resident * sysconf(_SC_PAGE_SIZE);
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace longtake
