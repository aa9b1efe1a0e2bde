// A small configuration that is right, to be spoiled line by line; and files that are gone after the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace sample {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pgtandem_config_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline const std::vector<std::string> lines = {
    /* 1 */ "local_node: b",
    /* 2 */ "nodes:",
    /* 3 */ "  a: {role: primary, database_url: \"postgresql://u:hunter2@h/d\"}",
    /* 4 */ "  b: {role: secondary, database_url: \"postgresql://u:hunter2@h2/d\"}",
    /* 5 */ "synchronization:",
    /* 6 */ "  sync_tables: [images]",
    /* 7 */ "  batch_size: 100",
};

// The sample with line `number` (from 1) replaced; 0 replaces none, one past the end appends.
inline std::string with(size_t number, const std::string& line) {
  std::string out;
  for (size_t i = 1; i <= lines.size(); ++i) out += (i == number ? line : lines[i - 1]) + "\n";
  if (number > lines.size()) out += line + "\n";
  return out;
}

inline config::Settings load(const std::string& content) {
  const Folder folder;
  return config::load(folder.write("pg.yaml", content));
}

// The message of the error that `content` ends in, with the folder's name cut off: "pg.yaml:3:4: …".
inline std::string error_of(const std::string& content) {
  const Folder folder;
  try {
    config::load(folder.write("pg.yaml", content));
  } catch (const base::Error& e) {
    if (e.kind() != base::Exit::config) return "an error of another kind";
    return std::string(e.what()).substr(folder.path().string().size() + 1);
  }
  return "no error";
}

}  // namespace sample
