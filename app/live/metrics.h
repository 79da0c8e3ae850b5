// The numbers of a live run as Prometheus reads them (text exposition format 0.0.4).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/live/live_source.h"

namespace longtake {

struct LiveFacts {
  std::string version, model;  // of the program; 12 hex digits
  std::string source;          // a name, never the URL
  LiveCounts counts;
  std::map<std::string, std::int64_t> events;  // by their kind
  std::int64_t state_bytes = 0;                // of the memory
};

std::string prometheus_text(const LiveFacts& facts);

// As a label's value: quotation marks, backslashes and line breaks escaped.
std::string label_value(const std::string& text);

}  // namespace longtake
