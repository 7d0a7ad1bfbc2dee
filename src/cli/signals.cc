#include "cli/signals.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <initializer_list>

namespace weir::cli {
namespace {

volatile std::sig_atomic_t came = 0;
volatile std::sig_atomic_t event = -1;

void take(int) {
  came = 1;
  const std::uint64_t one = 1;
  if (event >= 0) (void)!::write(event, &one, sizeof one);  // safe in a handler; cannot fail with so few
}

}  // namespace

void finish_on_signals() {
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler = take;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return came != 0; }
int interruption() { return event; }

}  // namespace weir::cli
