// GET /metrics and /healthz, and nothing else, over HTTP.
//
// Note: Who may ask
// It listens where it is told, on loop-back unless an address says otherwise. A web page that somebody has open must not read it:
// requests with an Origin are refused, and so are those whose Host is a name that is not this machine's (a page may point its own
// name here). Two threads, eight connections that wait, five seconds for each to speak, nothing to be sent here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.h"

namespace longtake {

class MetricsServer {
 public:
  struct Answers {
    std::function<std::string()> metrics;  // any thread
    std::function<bool()> healthy;         // any thread
    std::function<std::string()> state;    // any thread; a word for /healthz
  };

  // `where`: ADDRESS:PORT, [ADDRESS]:PORT, or PORT on 127.0.0.1; port 0: any that is free. Errors: kUsage (no such address,
  // taken).
  static Result<std::unique_ptr<MetricsServer>> start(const std::string& where, Answers answers);
  ~MetricsServer();

  std::string address() const;  // http://ADDRESS:PORT

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace longtake
