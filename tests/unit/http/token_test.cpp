#include "http/token.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"

namespace {

struct File {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("pgtandem-token." + std::to_string(::getpid()));
  ~File() { std::filesystem::remove(path); }
  void write(std::string_view text, unsigned mode = 0600) const {
    std::filesystem::remove(path);
    base::replace_file(path, text, base::Durable::no, mode);
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
  }
  base::Exit refused() const {
    try {
      http::read_token(path);
    } catch (const base::Error& error) {
      CHECK(std::string(error.what()).find("secret") == std::string::npos);
      return error.kind();
    }
    return base::Exit::done;
  }
};

}  // namespace

TEST_CASE("a token is one line of its file") {
  const File file;
  file.write("  0123456789abcdef \r\nnot this\n");
  CHECK(http::read_token(file.path) == "0123456789abcdef");
  file.write("0123456789abcdef");
  CHECK(http::read_token(file.path) == "0123456789abcdef");
  file.write("0123456789abcdef", 0400);
  CHECK(http::read_token(file.path) == "0123456789abcdef");
}

TEST_CASE("a token's file that is missing, open to others, or holds none is refused") {
  const File file;
  CHECK(file.refused() == base::Exit::config);
  for (const unsigned mode : {0640U, 0604U, 0644U, 0620U, 0601U}) {
    file.write("secret-0123456789abcdef\n", mode);
    CHECK(file.refused() == base::Exit::no_right);
  }
  for (const char* const text : {"", "\n", "   \n", "secret-short\n", "secret 0123456789abcdef\n",
                                 "\nsecret-0123456789abcdef\n", "secret-0123456789\x01zzzzzz\n"}) {
    file.write(text);
    CHECK(file.refused() == base::Exit::config);
  }
}

TEST_CASE("a folder is no token's file") {
  CHECK_THROWS_AS(http::read_token(std::filesystem::temp_directory_path()), base::Error);
}
