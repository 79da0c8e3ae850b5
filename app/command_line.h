// The command line of `longtake`: parses it and runs the verb.
#pragma once

#include "app/stop_signals.h"

namespace longtake {

// Returns the exit code.
int run_command_line(int argc, char** argv, const StopSignals& signals);

}  // namespace longtake
