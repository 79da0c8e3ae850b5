#include <cstdlib>
#include <exception>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/exit_code.h"
#include "app/stop_signals.h"

int main(int argc, char** argv) {
  try {
    const longtake::StopSignals signals;  // first of all: threads inherit its signal mask
    return longtake::run_command_line(argc, argv, signals);
  } catch (const std::exception& e) {
    fmt::print(stderr, "longtake: error: something unexpected happened: {}\n", e.what());
  } catch (...) {
    fmt::print(stderr, "longtake: error: something unexpected happened\n");
  }
  return longtake::kExitUnexpected;
}
