// Runs a Tool in this process, or a program in another, and keeps what went to stdout and stderr.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/tool.hpp"

namespace capture {

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pgtandem_cli_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name) << content;
    return file(name);
  }
  std::string read(const std::string& name) const {
    std::stringstream content;
    content << std::ifstream(path_ / name).rdbuf();
    return content.str();
  }

 private:
  std::filesystem::path path_;
};

// A configuration that is right, and `more` lines.
inline std::string configuration(const std::string& more = "") {
  return "local_node: b\nnodes:\n  a: {role: primary, database_url: \"postgresql://u:hunter2@h/d\"}\n"
         "  b: {role: secondary, database_url: service=b}\nsynchronization: {sync_tables: [images]}\n" +
         more;
}

inline Result of(const std::function<int()>& body) {
  const Folder folder;
  Result result;
  const auto to_file = [&](int fd, const char* name) {
    const int saved = ::dup(fd);
    const int file = ::open(folder.file(name).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, fd);
    ::close(file);
    return saved;
  };
  const int out = to_file(STDOUT_FILENO, "out");
  const int err = to_file(STDERR_FILENO, "err");
  result.code = body();
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::close(out);
  ::close(err);
  result.out = folder.read("out");
  result.err = folder.read("err");
  return result;
}

inline Result tool(cli::Tool& tool, std::vector<std::string> arguments) {
  std::string name = "tool";
  std::vector<char*> argv = {name.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return of([&] { return tool.run(static_cast<int>(argv.size()) - 1, argv.data()); });
}

// A shell command line; its exit code is the shell's.
inline Result shell(const std::string& line) {
  return of([&] {
    const int status = ::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  });
}

}  // namespace capture
