#include "http/token.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"

namespace http {
namespace {

using base::Error;
using base::Exit;

// Guessed at a thousand a second it lasts longer than anybody tries, if it is random at all.
constexpr size_t least = 16;

// Whoever runs it, and whatever their umask: nobody else can read it for a moment, and this user can.
std::string how_to_make(const std::string& file) {
  const passwd* user = ::getpwuid(::geteuid());
  const std::string name = user != nullptr ? user->pw_name : std::to_string(::geteuid());
  return "install -m 600 -o " + name + " /dev/null " + file + " && openssl rand -hex 32 > " + file;
}

}  // namespace

std::string read_token(const std::filesystem::path& file) {
  const std::string name = "api.token_file " + file.string();
  struct stat known {};
  if (::stat(file.c_str(), &known) != 0 && errno == ENOENT) {
    throw Error(Exit::config, name + " does not exist; make it: " + how_to_make(file.string()));
  }
  const base::Fd fd = base::open_file(file, O_RDONLY);
  // Of what was opened, and not of what the name stood for a moment ago.
  if (::fstat(fd.get(), &known) != 0) base::throw_errno("cannot look at " + file.string());
  if (!S_ISREG(known.st_mode)) throw Error(Exit::config, name + " is no file");
  if ((known.st_mode & 077) != 0) {
    throw Error(Exit::no_right, name + " can be opened by others than its owner; run: chmod 600 " + file.string());
  }
  std::string text(4096, '\0');
  text.resize(base::read_some(fd.get(), text.data(), text.size(), file.string()));
  text.resize(std::min(text.size(), text.find('\n')));
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (text.size() < least || !plain) {
    throw Error(Exit::config, name + " holds no token: one line of at least " + std::to_string(least) +
                                  " characters without blanks, as openssl rand -hex 32 prints");
  }
  return text;
}

}  // namespace http
