#include "capture/output_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.hpp"

using namespace weir;
using namespace weir::capture;

TEST_CASE("a file appears when it is complete") {
  Scratch scratch;
  const auto path = scratch.path("out");
  auto file = OutputFile::create(path);
  REQUIRE(file);
  REQUIRE(file->write("all of it"));
  REQUIRE(file->flush());
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(file->commit());
  CHECK(content(path) == "all of it");
  CHECK(scratch.files() == 1);
}

TEST_CASE("without a commit the old file stays and nothing else is left") {
  Scratch scratch;
  const auto path = scratch.path("out");
  put(path, "old");
  {
    auto file = OutputFile::create(path);
    REQUIRE(file);
    REQUIRE(file->write(std::string(1'000'000, 'x')));
  }
  CHECK(content(path) == "old");
  CHECK(scratch.files() == 1);
}

TEST_CASE("a replaced file keeps its mode, a link its place") {
  Scratch scratch;
  const auto path = scratch.path("out"), link = scratch.path("link");
  put(path, "old");
  ::chmod(path.c_str(), 0640);
  std::filesystem::create_symlink(path, link);
  auto file = OutputFile::create(link);
  REQUIRE(file);
  REQUIRE(file->write("new"));
  REQUIRE(file->commit());
  struct stat now = {};
  REQUIRE(::stat(path.c_str(), &now) == 0);
  CHECK((now.st_mode & 0777) == 0640);
  CHECK(content(path) == "new");
  CHECK(std::filesystem::is_symlink(link));
}

TEST_CASE("names of any length that the system takes") {
  Scratch scratch;
  const auto path = scratch.path(std::string(255, 'n'));
  auto file = OutputFile::create(path);
  REQUIRE(file);
  REQUIRE(file->commit());
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a full device is an error once the bytes go out, and stays one") {
  auto file = OutputFile::create("/dev/full");
  REQUIRE(file);
  REQUIRE(file->write("small enough to wait in the buffer"));
  const auto committed = file->commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code == Code::System);
  CHECK(committed.error().message == "cannot write /dev/full: No space left on device");
  CHECK_FALSE(file->write("more"));
}

TEST_CASE("what cannot be created") {
  Scratch scratch;
  CHECK(OutputFile::create(scratch.path("none/out")).error().message.ends_with("No such file or directory"));
  CHECK(OutputFile::create(scratch.path("")).error().message.ends_with("Is a directory"));
}

TEST_CASE("after a failure, what went out whole can be kept") {
  Scratch scratch;
  const auto path = scratch.path("out");
  auto file = OutputFile::create(path);
  REQUIRE(file);
  REQUIRE(file->write("whole"));
  REQUIRE(file->flush());
  REQUIRE(file->write("never flushed"));
  CHECK(file->salvage());
  CHECK(content(path) == "whole");
  CHECK(scratch.files() == 1);
  CHECK_FALSE(OutputFile::create("/dev/full")->salvage());
}
