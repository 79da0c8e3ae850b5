// How a live run is doing, as a `stats` line of its result. See assets/longtake.schema.json.
#pragma once

#include <chrono>
#include <string>

#include "core/live/live_source.h"

namespace longtake {

// With its '\n'. `why`: of the state, empty if there is nothing to say.
std::string stats_line(const LiveCounts& counts, const std::string& why, std::chrono::system_clock::time_point now);

// The same for people, without the state: "received 250, …".
std::string in_words(const LiveCounts& counts);

// 2026-11-24T03:15:00.123Z
std::string utc_time(std::chrono::system_clock::time_point when);

}  // namespace longtake
