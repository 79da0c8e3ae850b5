// Exit codes, as --help and the manual give them.
#pragma once

#include "core/result.h"

namespace longtake {

enum ExitCode : int {
  kExitDone = 0,
  kExitUnexpected = 1,
  kExitUsage = 2,
  kExitSomeInputsFailed = 3,
  kExitInput = 4,
  kExitModel = 5,
  kExitDevice = 6,
  kExitSourceLost = 7,
  kExitInterrupted = 130,  // SIGINT
  kExitTerminated = 143,   // SIGTERM
};

inline int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return kExitUsage;
    case ErrorKind::kInput:
      return kExitInput;
    case ErrorKind::kModel:
      return kExitModel;
    case ErrorKind::kDevice:
      return kExitDevice;
    case ErrorKind::kSource:
      return kExitSourceLost;
    case ErrorKind::kStopped:
      return kExitInterrupted;
    case ErrorKind::kUnexpected:
      break;
  }
  return kExitUnexpected;
}

}  // namespace longtake
