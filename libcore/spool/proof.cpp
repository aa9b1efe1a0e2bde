#include "spool/proof.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "spool/layout.hpp"

namespace spool {

void want_from(const std::filesystem::path& spool, const std::string& node, change::Lsn lsn) {
  base::make_directories(proofs_path(spool));
  // Not durable: without it the next pass reads more, and that is all.
  base::replace_file(proof_path(spool, node), lsn.text() + "\n", base::Durable::no, private_file);
}

bool is_wanted(const std::filesystem::path& spool, const std::string& node) {
  return std::filesystem::exists(proof_path(spool, node));
}

std::optional<change::Lsn> wanted_from(const config::Settings& settings) {
  std::optional<change::Lsn> lowest;
  for (const std::string& node : settings.secondaries()) {
    std::optional<std::string> text = base::read_file(proof_path(settings.spool.directory, node));
    if (!text) continue;
    if (text->ends_with('\n')) text->pop_back();
    change::Lsn lsn;
    if (change::Lsn::parse(*text, lsn)) lowest = std::min(lowest.value_or(lsn), lsn);
  }
  return lowest;
}

void forget_wanted(const config::Settings& settings) {
  for (const std::string& node : settings.secondaries())
    std::filesystem::remove(proof_path(settings.spool.directory, node));
}

}  // namespace spool
