// What every machine has. Where a table of /etc is missing, the test of it says so and passes.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "names/names.hpp"

using namespace weir::names;

namespace {

bool missing(const std::string& table) {
  if (std::filesystem::exists(table)) return false;
  MESSAGE("skipped: there is no " << table);
  return true;
}

}  // namespace

TEST_CASE("localhost and numeric names") {
  if (missing("/etc/hosts")) return;
  const auto names = system_names();
  const auto local = names->host("localhost");
  REQUIRE(local);
  CHECK((std::ranges::count(local->ipv4, 0x7f000001u) == 1 || !local->ipv6.empty()));
  CHECK(std::ranges::is_sorted(local->ipv4));
  CHECK(names->host("10.1.2.3").value().ipv4 == std::vector<std::uint32_t>{0x0a010203});
  CHECK(names->host("::1").value().ipv6 == std::vector<Ipv6>{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}});
}

TEST_CASE("an unknown host is an empty answer, or an error that says why") {
  const auto found = system_names()->host("no-such-host.invalid");
  if (found) {
    CHECK(found->ipv4.empty());
    CHECK(found->ipv6.empty());
  } else {
    CHECK(found.error().code == weir::Code::System);
    CHECK(found.error().message.starts_with("cannot look up host 'no-such-host.invalid': "));
    CHECK(found.error().hint.find("/etc/hosts") != std::string::npos);
  }
}

TEST_CASE("services of the system") {
  if (missing("/etc/services")) return;
  const auto names = system_names();
  CHECK(names->port("domain").value().tcp == 53);
  CHECK(names->port("domain").value().udp == 53);
  CHECK(names->port("no-such-service").value().tcp == std::nullopt);
}

TEST_CASE("a number is a service of every transport") {
  const auto names = system_names();
  for (const char* name : {"80", "080"}) {
    const auto ports = names->port(name).value();
    CHECK((ports.tcp == 80 && ports.udp == 80));
  }
  CHECK(names->port("65535").value().udp == 65535);
  for (const char* name : {"65536", "80x", "0x50", "-1"}) CHECK(names->port(name).value().tcp == std::nullopt);
}

TEST_CASE("protocols of the system") {
  if (missing("/etc/protocols")) return;
  const auto names = system_names();
  CHECK(names->protocol("tcp").value() == 6u);
  CHECK(names->protocol("udp").value() == 17u);
  CHECK(names->protocol("no-such-protocol").value() == std::nullopt);
}

TEST_CASE("networks and ethers of the system") {
  const auto names = system_names();
  CHECK(names->ether("no-such-host.invalid").value() == std::nullopt);
  if (missing("/etc/networks")) return;
  const auto loopback = names->network("loopback").value();
  if (loopback) CHECK(*loopback == 0x7f000000u);
}

TEST_CASE("look-ups from several threads") {
  if (missing("/etc/services") || missing("/etc/protocols")) return;
  const auto names = system_names();
  std::vector<std::jthread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n)
        right += names->port("domain").value().udp == 53 && names->protocol("tcp").value() == 6u &&
                 names->protocol("no-such-protocol").value() == std::nullopt;
    });
  threads.clear();
  CHECK(right == 200);
}
