#include "spool/proof.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "spool/layout.hpp"

namespace spool {

void want_from(const std::filesystem::path& spool, const std::string& node, change::Lsn lsn) {
  try {
    base::make_directories(proofs_path(spool));
    base::replace_file(proof_path(spool, node), lsn.text() + "\n", base::Durable::no, private_file);
  } catch (const base::Error& error) {
    // Without it the next pass reads more, and that is all: no reason for a proof to fail.
    base::log(base::Level::warn, std::string(error.what()) + "; the next full pass reads whole tables");
  }
}

bool is_wanted(const std::filesystem::path& spool, const std::string& node) {
  std::error_code unknown;
  return std::filesystem::exists(proof_path(spool, node), unknown);
}

std::optional<change::Lsn> wanted_from(const config::Settings& settings) {
  std::optional<change::Lsn> lowest;
  for (const std::string& node : settings.secondaries()) {
    std::optional<std::string> text;
    try {
      text = base::read_file(proof_path(settings.spool.directory, node));
    } catch (const base::Error& error) {  // another user's, say; what is applied must not wait for that
      base::log(base::Level::debug, error.what());
    }
    if (!text) continue;
    if (text->ends_with('\n')) text->pop_back();
    change::Lsn lsn;
    if (change::Lsn::parse(*text, lsn)) lowest = std::min(lowest.value_or(lsn), lsn);
  }
  return lowest;
}

void forget_wanted(const config::Settings& settings) {
  std::error_code unknown;
  for (const std::string& node : settings.secondaries())
    std::filesystem::remove(proof_path(settings.spool.directory, node), unknown);
}

}  // namespace spool
