#include "check/local.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/margin.hpp"
#include "base/size_text.hpp"
#include "capture/filter.hpp"
#include "spool/mark.hpp"
#include "spool/report.hpp"
#include "state/marks.hpp"
#include "state/receipt.hpp"
#include "state/switches.hpp"

namespace check {
namespace {

using base::size_text;

void look_at_configuration(const config::Settings& settings, Findings& findings) {
  for (const std::string& warning : settings.warnings)
    findings.add(Severity::warning, "config", "", warning);  // "FILE:LINE:COLUMN: what; what to do"
  bool secret = false;
  for (const auto& [name, node] : settings.nodes)
    secret = secret || config::redact(node.database_url) != node.database_url;
  struct stat file {};
  if (secret && ::stat(settings.file.c_str(), &file) == 0 && (file.st_mode & S_IROTH) != 0)
    findings.add({Severity::warning, "config", settings.file.string(), "it holds a password, and everybody may read it",
                  "chmod o-r " + settings.file.string() + ", or keep the password in ~/.pgpass"});
}

bool is_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0;
  std::istringstream path(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin");
  for (std::string directory; std::getline(path, directory, ':');)
    if (::access((directory + "/" + name).c_str(), X_OK) == 0) return true;
  return false;
}

void look_at_programs(const config::Settings& settings, Findings& findings) {
  const auto look = [&](const std::string& key, const std::vector<std::string>& argv) {
    if (argv.empty() || is_program(argv.front())) return true;
    findings.add({Severity::error, "config", key, "there is no program " + argv.front() + " that may be run",
                  "install it, or correct " + key + " in " + settings.file.string()});
    return false;
  };
  look("hooks.on_sync_complete", settings.hooks.on_sync_complete);
  look("hooks.on_failure", settings.hooks.on_failure);
  look("hooks.on_conflict", settings.hooks.on_conflict);
  look("hooks.on_alert", settings.hooks.on_alert);
  const std::vector<std::string>& filter = settings.filters.program;
  if (filter.empty() || !look("filters.program", filter)) return;
  try {
    constexpr double patience = 5;  // s
    capture::Filter::try_out(filter, patience);
  } catch (const base::Error& failure) {
    findings.add(Severity::error, "config", "filters.program", failure.what());
  }
}

// By doing it: what a mode or an owner lets us do, a read-only file system may not.
void try_to_write(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / (".check." + std::to_string(::getpid()));
  struct Gone {
    const std::filesystem::path& path;
    ~Gone() { ::unlink(path.c_str()); }
  } const gone{file};
  const base::Fd fd = base::open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
  base::write_all(fd.get(), "pgtandem status check\n", file.string());
  base::sync_data(fd.get(), file.string());
}

// False where nothing more can be asked of it.
bool look_at_directory(const char* key, const std::filesystem::path& directory, Findings& findings) {
  std::error_code failed;
  if (!std::filesystem::exists(directory, failed)) {
    // Whoever is first there makes it, if that may be done.
    std::filesystem::path parent = directory.parent_path();
    while (!std::filesystem::exists(parent, failed) && parent.has_relative_path()) parent = parent.parent_path();
    if (::access(parent.c_str(), W_OK) != 0)
      findings.add({Severity::error, "disk", directory.string(), "it does not exist, and may not be made here",
                    "install -d -m 750 -o pgtandem -g pgtandem " + directory.string() + ", or set " + key});
    return false;
  }
  try {
    try_to_write(directory);
    return true;
  } catch (const base::Error& failure) {
    findings.add({Severity::error, "disk", directory.string(), failure.what(),
                  "give it to the user of pgtandem (chown), or make room"});
    return false;
  }
}

uint64_t spool_bytes(const config::Settings& settings, Findings& findings) {
  try {
    if (spool::read_mark(settings.spool.directory)) return spool::stat(settings).bytes;
  } catch (const base::Error& damaged) {
    findings.add(Severity::error, "state", settings.spool.directory.string(), damaged.what());
  }
  return 0;
}

void look_at_room(const std::filesystem::path& directory, uint64_t max_bytes, uint64_t used, Findings& findings) {
  struct statvfs fs {};
  if (::statvfs(directory.c_str(), &fs) != 0) return;
  const auto bytes = [&](auto blocks) { return static_cast<uint64_t>(blocks) * fs.f_frsize; };
  judge_room({bytes(fs.f_blocks), bytes(fs.f_bavail), used}, max_bytes, directory, findings);
}

// Files that other tools read; each has its own words for what is wrong with it.
void look_at_state(const config::Settings& settings, Findings& findings) {
  const std::filesystem::path& state = settings.state_directory;
  const auto read = [&](const auto& one) {
    try {
      one();
    } catch (const std::exception& damaged) {  // of the library, too: a file where a directory should be
      findings.add(Severity::error, "state", state.string(), damaged.what());
    }
  };
  read([&] {
    const state::AutoSync now = state::auto_sync(state, settings.synchronization.auto_sync_enabled);
    if (!now.enabled) findings.add({Severity::note, "state", "", text_of(now), "pgtandem status enable"});
  });
  read([&] { state::read_receipt(state); });
  read([&] { state::marked_tables(state); });
}

}  // namespace

void judge_room(const Room& room, uint64_t max_bytes, const std::filesystem::path& directory, Findings& findings) {
  const base::Room left = base::room_on(room.free, room.total);
  if (left != base::Room::enough)
    return findings.add(
        {left == base::Room::none ? Severity::error : Severity::warning, "disk", directory.string(),
         "its disk is almost full: " + size_text(room.free) + " of " + size_text(room.total) + " are free",
         "make room there, or move it to another disk"});
  if (max_bytes > room.used + room.free)
    findings.add({Severity::note, "disk", directory.string(),
                  "the queue may grow to " + size_text(max_bytes) + ", and its disk has room for " +
                      size_text(room.used + room.free) + ": the disk is full first",
                  "a smaller spool.max_bytes, or a larger disk"});
}

void look_at_machine(const config::Settings& settings, Findings& findings) {
  look_at_configuration(settings, findings);
  look_at_programs(settings, findings);
  const std::filesystem::path& spool = settings.spool.directory;
  if (look_at_directory("spool.directory", spool, findings))
    look_at_room(spool, static_cast<uint64_t>(settings.spool.max_bytes), spool_bytes(settings, findings), findings);
  if (!look_at_directory("state.directory", settings.state_directory, findings)) return;
  look_at_room(settings.state_directory, 0, 0, findings);
  look_at_state(settings, findings);
}

}  // namespace check
