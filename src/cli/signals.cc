#include "cli/signals.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "cli/report.hpp"

namespace weir::cli {
namespace {

constexpr std::array ending = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t came[NSIG] = {};
volatile std::sig_atomic_t any_came = 0;
volatile std::sig_atomic_t event = -1;

/// What the handler needs of on_second_signal().
struct SecondSignal {
  std::string remove;
  std::string message;
};
const SecondSignal* volatile second = nullptr;

/// Calls only what signal-safety(7) allows.
void end_at_once(int signal) {
  if (const SecondSignal* todo = second) {
    if (!todo->remove.empty()) ::unlink(todo->remove.c_str());
    (void)!::write(STDERR_FILENO, todo->message.data(), todo->message.size());
  }
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);  // comes when this handler returns
}

void take(int signal) {
  const int error = errno;
  if (came[signal]) end_at_once(signal);
  came[signal] = 1;
  any_came = 1;
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);  // cannot fail with so few
  errno = error;
}

}  // namespace

Result<void> finish_on_signals() {
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return fail(Code::System, {}, fmt::format("cannot prepare for signals: {}", std::strerror(errno)));
  struct sigaction action = {};
  action.sa_handler = take;
  for (const int signal : ending) {
    struct sigaction before = {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
  return {};
}

bool interrupted() { return any_came != 0; }
int interruption() { return event; }

void on_second_signal(Unfinished what, const std::string& path) {
  const std::unique_ptr<const SecondSignal> before(second);  // freed when the handler cannot see it any more
  second = nullptr;
  if (path.empty()) return;
  if (what == Unfinished::Remove) {
    second = new SecondSignal{path, ""};
  } else {
    second = new SecondSignal{"", visible(fmt::format("weir: ended at once; what was written until then is in {}\n", path))};
  }
}

void outlive_readers() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace weir::cli
