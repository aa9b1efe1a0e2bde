#include "state/service.hpp"

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/locked.hpp"
#include "base/log.hpp"

namespace state {
namespace {

constexpr unsigned private_file = 0600;  // a password may have gone into the fingerprint

std::filesystem::path folder_in(const std::filesystem::path& state) { return state / "services"; }

// "pid 4711 capture 00c0ffee00c0ffee /etc/pgtandem/pgtandem.yaml": a lock names its holder, and that is ours to word.
bool parse(const std::string& line, RunningService& out) {
  const size_t name = line.find(out.name + " ");
  if (name == std::string::npos) return false;
  const size_t digits = name + out.name.size() + 1;
  const size_t file = line.find(' ', digits);
  if (file == std::string::npos || !base::parse_hex16(line.substr(digits, file - digits), out.fingerprint))
    return false;
  out.file = line.substr(file + 1, line.find('\n') - file - 1);
  return true;
}

}  // namespace

Service::Service(const config::Settings& settings, const std::string& name) {
  try {
    const std::filesystem::path folder = folder_in(settings.state_directory);
    base::make_directories(folder);
    lock_.emplace(folder / (name + ".lock"),
                  name + " " + base::hex16(settings.fingerprint) + " " + settings.file.string(), private_file);
  } catch (const base::Error& error) {
    const bool another = error.kind() == base::Exit::try_later;
    base::log(another ? base::Level::debug : base::Level::warn,
              std::string(error.what()) + "; status will not tell when the configuration is edited");
  }
}

std::vector<RunningService> running_services(const std::filesystem::path& state) {
  std::vector<RunningService> out;
  const std::filesystem::path folder = folder_in(state);
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const std::filesystem::path& file = entry->path();
    if (file.extension() != ".lock" || !base::is_locked(file)) continue;
    RunningService service{file.stem(), {}, 0};
    if (parse(base::read_file(file).value_or(""), service)) out.push_back(std::move(service));
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    errno = failed.value();
    base::throw_errno("cannot look into " + folder.string());
  }
  std::ranges::sort(out, {}, &RunningService::name);
  return out;
}

}  // namespace state
