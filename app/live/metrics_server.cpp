#include "app/live/metrics_server.h"

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace longtake {
namespace {

constexpr char kHttpText[] = "text/plain; charset=utf-8";

// A few threads, and few connections that wait for them: further ones wait with the system, which turns them away.
class FewTasks final : public httplib::TaskQueue {
 public:
  FewTasks() {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { work(); });
  }
  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return tasks_.size() < kMostWaiting || over_; });
    tasks_.push_back(std::move(task));  // after the end too: it closes its socket
    filled_.notify_one();
  }
  void shutdown() override {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    filled_.notify_all();
    room_.notify_all();
    for (std::thread& one : threads_) one.join();
  }

 private:
  static constexpr std::size_t kMostWaiting = 8;

  void work() {
    while (true) {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [this] { return !tasks_.empty() || over_; });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      room_.notify_one();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<std::function<void()>> tasks_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

struct Place {
  std::string address;
  int port = 0;
};

Result<Place> parse_place(const std::string& where) {
  Place out{"127.0.0.1", 0};
  std::string_view port = where;
  if (const auto colon = where.rfind(':'); colon != std::string::npos) {
    out.address = where.substr(0, colon);
    port = std::string_view(where).substr(colon + 1);
    if (out.address.starts_with('[') && out.address.ends_with(']'))
      out.address = out.address.substr(1, out.address.size() - 2);
    if (out.address.empty()) out.address = "127.0.0.1";
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || out.port < 0 || out.port > 65535) {
    return Error{ErrorKind::kUsage, fmt::format("--metrics: \"{}\" is not ADDRESS:PORT", where)};
  }
  return out;
}

// Without its port.
std::string host_of(const std::string& header) {
  if (header.starts_with('[')) return header.substr(0, header.find(']') + 1);
  return header.substr(0, header.find(':'));
}

bool is_address(const std::string& host) {
  if (host.starts_with('[')) return true;
  return !host.empty() && host.find_first_not_of("0123456789.") == std::string::npos;
}

std::string machine_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(Place place, Answers answers)
      : place_(std::move(place)), answers_(std::move(answers)), machine_(machine_name()) {
    server_.new_task_queue = [] { return new FewTasks; };  // deleted by the server
    server_.set_payload_max_length(0);
    server_.set_keep_alive_max_count(5);
    server_.set_read_timeout(5);
    server_.set_write_timeout(5);
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (may_ask(request)) return httplib::Server::HandlerResponse::Unhandled;
      response.status = 403;
      response.set_content("not for web pages\n", kHttpText);
      return httplib::Server::HandlerResponse::Handled;
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(answers_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      response.status = answers_.healthy() ? 200 : 503;
      response.set_content(answers_.state() + '\n', kHttpText);
    });
  }
  ~Impl() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start() {
    const bool bound = place_.port != 0 ? server_.bind_to_port(place_.address.c_str(), place_.port)
                                        : (place_.port = server_.bind_to_any_port(place_.address.c_str())) > 0;
    if (!bound) {
      return Error{ErrorKind::kUsage,
                   fmt::format("--metrics: cannot listen at {}:{}: is it taken, or not this machine's?", place_.address,
                               place_.port)};
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // so that stop() finds it running
    return {};
  }

  std::string address() const {
    const bool six = place_.address.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}", six ? "[" : "", place_.address, six ? "]" : "", place_.port);
  }

 private:
  bool may_ask(const httplib::Request& request) const {
    if (request.has_header("Origin") || request.get_header_value_count("Host") != 1) return false;
    const std::string host = host_of(request.get_header_value("Host"));
    return is_address(host) || host == "localhost" || host == machine_ || host == place_.address;
  }

  Place place_;
  const Answers answers_;
  const std::string machine_;
  httplib::Server server_;
  std::thread thread_;
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& where, Answers answers) {
  auto place = parse_place(where);
  if (!place) return std::move(place).error();
  auto impl = std::make_unique<Impl>(std::move(*place), std::move(answers));
  if (auto done = impl->start(); !done) return std::move(done).error();
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
}

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;
std::string MetricsServer::address() const { return impl_->address(); }

}  // namespace longtake
