// What goes on until it is stopped, and by which configuration: STATE/services/NAME.lock, held for as long as the
// process lives, so that nobody has to clean up after one that was killed. Owns the file's form. For status, which
// tells when the configuration was edited after that: nothing here reads it again by itself, and nothing is decided by
// this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "config/settings.hpp"

namespace state {

class Service {
 public:
  // `name`: "capture", "apply.NODE" or "serve". One that cannot leave the note says so and goes on; one beside another
  // of its name leaves that one's.
  Service(const config::Settings& settings, const std::string& name);

 private:
  std::optional<base::FileLock> lock_;
};

struct RunningService {
  std::string name;
  std::filesystem::path file;  // the configuration that it has read
  uint64_t fingerprint = 0;    // of what stood there, see config::Settings
};
// Those that run now, by name. Throws Error(no_right) where we may not look.
std::vector<RunningService> running_services(const std::filesystem::path& state);

}  // namespace state
