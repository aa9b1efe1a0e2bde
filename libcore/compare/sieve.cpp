#include "compare/sieve.hpp"

#include "capture/filter.hpp"
#include "change/writer.hpp"
#include "compare/repair_changes.hpp"

namespace compare {
namespace {

// Bytes of lines for one run: its start costs some milliseconds, and they are held.
constexpr size_t most = 4U << 20;

}  // namespace

std::string_view Sieve::add(change::EventType type, const change::Relation& relation,
                            std::span<const change::Value> key, std::span<const change::Value> row) {
  line_.clear();
  if (type == change::EventType::insert)
    change::append_insert(line_, relation, key, row);
  else if (type == change::EventType::update)
    change::append_update(line_, relation, key, row);
  else
    change::append_remove(line_, relation, key);
  chunk_.change(line_, lsn_, ++added_);
  return line_;
}

bool Sieve::full() const { return chunk_.bytes() >= most; }

std::vector<bool> Sieve::ask() {
  if (chunk_.changes() == 0) return {};
  std::vector<bool> kept =
      active() ? capture::Filter::ask(settings_.filters.program, settings_.synchronization.sync_timeout, chunk_)
               : std::vector<bool>(chunk_.changes(), true);
  chunk_ = {};
  return kept;
}

std::vector<bool> Sieve::keep(std::span<const Suspect> suspects, std::span<const Verdict> verdicts,
                              std::span<const size_t> which) {
  std::vector<bool> out(which.size(), true);
  if (!active()) return out;
  std::vector<size_t> asked;
  const auto take = [&] {
    const std::vector<bool> kept = ask();
    for (size_t i = 0; i < kept.size(); ++i) out[asked[i]] = kept[i];
    asked.clear();
  };
  for (size_t i = 0; i < which.size(); ++i) {
    const Verdict& verdict = verdicts[which[i]];
    if (verdict.kind != Verdict::Kind::differs) continue;
    const Mending mending = mending_of(suspects[which[i]], verdict);
    add(mending.type, *suspects[which[i]].relation, mending.key, mending.row);
    asked.push_back(i);
    if (full()) take();
  }
  take();
  return out;
}

std::string left_out_by_program(uint64_t rows, const char* before) {
  return rows == 0 ? "" : before + std::to_string(rows) + " left out by filters.program";
}

}  // namespace compare
