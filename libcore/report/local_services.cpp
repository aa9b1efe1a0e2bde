#include <map>
#include <optional>

#include "report/local.hpp"
#include "state/service.hpp"

namespace report {
namespace {

// What a configuration is now: by its fingerprint, or why nobody could begin with it. Nothing: we may not read it.
struct Now {
  std::optional<uint64_t> fingerprint;
  std::string error;
};

std::optional<Now> read_now(const std::filesystem::path& file) {
  try {
    return Now{config::load(file).fingerprint, {}};
  } catch (const base::Error& error) {
    if (error.kind() == base::Exit::no_right) return {};
    return Now{{}, error.what()};
  }
}

}  // namespace

void look_at_services(const config::Settings& settings, Snapshot& out) {
  look(out, {}, [&] {
    std::map<std::filesystem::path, std::optional<Now>> read;  // each once: most have the same
    for (const state::RunningService& service : state::running_services(settings.state_directory)) {
      const auto [found, is_new] = read.try_emplace(service.file);
      if (is_new) found->second = read_now(service.file);
      const std::optional<Now>& now = found->second;
      if (now && now->fingerprint != service.fingerprint)
        out.outdated.push_back({service.name, service.file, changed(service.file), now->error});
    }
  });
}

}  // namespace report
