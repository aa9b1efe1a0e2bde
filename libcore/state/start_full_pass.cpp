#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/stop.hpp"
#include "state/full_pass.hpp"

namespace state {
namespace {

using base::Error;
using base::Exit;

constexpr double patience = 3;       // s for the script to begin; an HTTP client waits for 5
constexpr double look_every = 0.02;  // s

// "full-20261123T040506Z-4711-2": the order of names is that of time. Of two by one process in one second the number.
std::string new_run_id(const std::string& time) {
  static std::atomic<unsigned> count{0};
  std::string run = "full-";
  for (const char c : time.substr(0, 19))
    if (c != '-' && c != ':') run += c;
  return run + "Z-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

std::filesystem::path script() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  std::filesystem::path script = self.parent_path() / "sync-full";
  if (::access(script.c_str(), X_OK) != 0)
    throw Error(Exit::config, "there is no " + script.string() + " to start; install pgtandem as a whole");
  return script;
}

// So that the run can be asked for from its first moment; the script's own record takes its place.
void announce(const std::filesystem::path& state, const FullPass& pass) {
  const nlohmann::ordered_json json = {
      {"pass", "full"},   {"run", pass.run},         {"by", pass.by},    {"node", pass.node},
      {"starting", true}, {"started", pass.started}, {"stopped", false}, {"tables", nlohmann::ordered_json::object()}};
  base::make_directories(state / "runs");
  base::replace_file(run_path(state, pass.run, ".json"),
                     json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n",
                     base::Durable::no);
}

// What spawn() needs, freed however it ends.
struct Spawning {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  Spawning() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  Spawning(const Spawning&) = delete;
};

// In a session of its own, with no file of ours but the log, and signals as if started by hand.
pid_t spawn(const std::vector<std::string>& words, const std::filesystem::path& log) {
  constexpr int append = O_WRONLY | O_CREAT | O_APPEND;
  base::open_file(log, append, 0600);  // messages may quote rows
  Spawning s;
  ::posix_spawn_file_actions_addopen(&s.files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&s.files, 1, log.c_str(), append, 0600);
  ::posix_spawn_file_actions_adddup2(&s.files, 1, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&s.files, 3);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&s.attributes, &signals);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  ::posix_spawnattr_setsigdefault(&s.attributes, &signals);
  ::posix_spawnattr_setflags(&s.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  errno = ::posix_spawn(&pid, argv[0], &s.files, &s.attributes, argv.data(), environ);
  if (errno != 0) base::throw_errno("cannot start " + words.front());
  return pid;
}

std::string last_line(const std::filesystem::path& log) {
  std::string text = base::read_file(log).value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Started start_full_pass(const config::Settings& settings, const std::string& node, const std::string& by) {
  const std::filesystem::path& state = settings.state_directory;
  if (const std::optional<FullPass> running = running_pass(state)) return {*running, true};
  FullPass pass;
  const bool all = node.empty() && settings.secondaries().size() > 1;
  if (!all) pass.node = settings.secondary(node).name;
  pass.started = base::iso_time(base::unix_microseconds());
  pass.run = new_run_id(pass.started);
  pass.by = by;
  pass.state = PassState::starting;
  std::vector<std::string> words = {script(), "-c", settings.file, "--force", "--run", pass.run, "--by", by};
  if (!all) words.insert(words.end(), {"--node", pass.node});
  announce(state, pass);
  const std::filesystem::path log = run_path(state, pass.run, ".log");
  const pid_t pid = spawn(words, log);
  // Somebody has to wait for it, or it stays a zombie for as long as a server runs; where this process ends first,
  // init.
  const auto ended = std::make_shared<std::atomic<int>>(-1);
  std::thread([pid, ended] {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    *ended = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(Exit::bug);
  }).detach();
  const double deadline = base::monotonic_seconds() + patience;
  while (base::monotonic_seconds() < deadline && !base::sleep_or_stop(look_every)) {
    const int code = *ended;  // before the record is read: what has ended has written its last one
    const std::optional<FullPass> now = run_of(state, pass.run);
    if (now && now->state != PassState::starting) return {*now, false};
    if (code < 0) continue;
    const std::string said = last_line(log);
    for (const char* suffix : {".json", ".log"}) std::filesystem::remove(run_path(state, pass.run, suffix));
    const std::optional<FullPass> other = running_pass(state);  // it was quicker
    if (code == static_cast<int>(Exit::try_later) && other) return {*other, true};
    throw Error(static_cast<Exit>(code == 0 ? static_cast<int>(Exit::bug) : code),
                "the full pass did not begin: " + (said.empty() ? "exit code " + std::to_string(code) : said));
  }
  return {pass, false};
}

}  // namespace state
