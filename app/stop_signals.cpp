#include "app/stop_signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace longtake {
namespace {

// A handler can reach nothing but globals: where it writes, and whether it was here before.
std::atomic<int> handler_pipe{-1};
std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (signals_seen.fetch_add(1) > 0) _exit(128 + signal);
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  if (write(handler_pipe, &byte, 1) != 1) _exit(128 + signal);
  errno = saved;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

sigset_t both_signals() {
  sigset_t out;
  sigemptyset(&out);
  sigaddset(&out, SIGINT);
  sigaddset(&out, SIGTERM);
  return out;
}

}  // namespace

StopSignals::StopSignals() {
  if (pipe2(pipe_.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  signals_seen = 0;
  handler_pipe = pipe_[1];
  const sigset_t both = both_signals();
  pthread_sigmask(SIG_BLOCK, &both, &mask_before_);
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  waiter_ = std::thread([this] { wait(); });
}

StopSignals::~StopSignals() {
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  handler_pipe = -1;
  close(pipe_[1]);
  waiter_.join();
  close(pipe_[0]);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

int StopSignals::exit_code() const {
  const int signal = signal_;
  return signal == 0 ? 0 : 128 + signal;
}

void StopSignals::wait() {
  const sigset_t both = both_signals();
  pthread_sigmask(SIG_UNBLOCK, &both, nullptr);
  unsigned char byte = 0;
  if (read(pipe_[0], &byte, 1) != 1) return;  // closed: nobody asked for a stop
  signal_ = byte;
  stop_.request_stop();
  pollfd end{pipe_[0], POLLIN, 0};
  if (poll(&end, 1, kCleanUpSeconds * 1000) == 0) _exit(128 + byte);
}

}  // namespace longtake
