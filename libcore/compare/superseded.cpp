#include "compare/superseded.hpp"

#include <algorithm>

#include "apply/quarantine.hpp"
#include "apply/row_keys.hpp"
#include "base/log.hpp"

namespace compare {
namespace {

bool is_of(const spool::DeadLetter& letter, const change::Relation& relation, const std::vector<uint64_t>& rows) {
  if (letter.table != relation.text) return false;
  const apply::HeldOperation held(letter);
  return std::ranges::any_of(apply::row_keys(held.operation(), apply::key_names(relation)),
                             [&](uint64_t key) { return std::ranges::find(rows, key) != rows.end(); });
}

}  // namespace

void supersede(const std::filesystem::path& spool, const std::string& node, const MendedRows& mended) {
  for (const spool::DeadLetter& letter : spool::dead_letters(spool, node))
    if (std::ranges::any_of(mended, [&](const auto& rows) { return is_of(letter, *rows.first, rows.second); }))
      supersede(spool, node, letter);
}

void supersede(const std::filesystem::path& spool, const std::string& node, const spool::DeadLetter& letter) {
  spool::remove_dead(spool, letter, "superseded");
  base::log(base::Level::info,
            node + ": operation " + letter.id() + " on " + letter.table + " leaves quarantine: its row was mended");
}

}  // namespace compare
