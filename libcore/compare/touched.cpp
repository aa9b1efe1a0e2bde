#include "compare/touched.hpp"

#include <algorithm>
#include <utility>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "compare/key_sums.hpp"
#include "pg/error.hpp"
#include "spool/reader.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;
using change::Event;
using change::EventType;

// Looked up in one statement a table; so many keys are held.
constexpr size_t batch_keys = 5000;
constexpr size_t batch_bytes = 8 << 20;
// A row through its index costs several times as much as in the order of pages.
constexpr uint64_t part_of_table = 4;

}  // namespace

void Touched::add(TouchedTable table) {
  const TablePair& pair = table.pairing->pair;
  waiting_.emplace(pair.relation.text, TouchedKeys(pair.relation));
  tables_.emplace(pair.relation.text, std::move(table));
}

// Tables whose stream is not all there any more are left out of it, those that want the oldest first.
void Touched::look() {
  for (;;) {
    const TouchedTable* oldest = nullptr;
    for (const auto& [name, table] : tables_)
      if (table.whole.empty() && (oldest == nullptr || table.since < oldest->since)) oldest = &table;
    if (oldest == nullptr || read(oldest->since)) return;
  }
}

bool Touched::read(change::Lsn since) {
  for (auto& [name, keys] : waiting_) keys.clear();
  for (auto& [name, table] : tables_) table.keys = 0;
  try {
    // What commits at a cut's LSN is after it.
    spool::Reader reader(settings_.spool.directory, {since.value - 1}, since);
    base::Arena arena;
    change::Lsn commit;
    while (const Event* event = reader.next(arena)) {
      if (base::stop_requested()) throw Error(Exit::try_later, "stopped before the proof was complete; start it again");
      if (event->type == EventType::begin) {
        commit = event->lsn;
        way_.look();
      }
      if (event->type == EventType::begin && commit >= comparison_.cut().lsn()) break;
      take(*event, commit);
      arena.reset();
    }
  } catch (const pg::SqlError&) {
    throw;  // of a look-up, not of the queue
  } catch (const Error& failure) {
    if (failure.kind() != Exit::data) throw;
    base::log(base::Level::debug, failure.what());
    for (auto& [name, table] : tables_)
      if (table.whole.empty() && table.since == since) table.whole = "the queue has not all that changed since";
    return false;
  }
  look_up();
  return true;
}

void Touched::take(const Event& event, change::Lsn commit) {
  const auto counts = [&](const std::string& name) -> TouchedTable* {
    const auto found = tables_.find(name);
    return found == tables_.end() || !found->second.whole.empty() || commit < found->second.since ? nullptr
                                                                                                  : &found->second;
  };
  if (event.type == EventType::truncate || event.type == EventType::copy) {
    for (const base::TableName& name : event.tables)
      if (TouchedTable* table = counts(name.text())) table->whole = "it was truncated";
    return;
  }
  if (event.type != EventType::insert && event.type != EventType::update && event.type != EventType::remove) return;
  TouchedTable* table = counts(event.relation->text);
  if (table == nullptr) return;
  if (table->pairing->pair.key.empty() || !waiting_.at(event.relation->text).add(event)) {
    table->whole = "it has no key by which its changed rows are found";
    return;
  }
  size_t keys = 0;
  size_t bytes = 0;
  for (const auto& [name, waiting] : waiting_) {
    keys += waiting.keys().size();
    bytes += waiting.bytes();
  }
  if (keys >= batch_keys || bytes >= batch_bytes) look_up();
}

void Touched::look_up() {
  for (auto& [name, waiting] : waiting_) {
    TouchedTable& table = tables_.at(name);
    if (table.whole.empty() && !waiting.keys().empty()) try {
        table.keys += waiting.keys().size();
        if (table.keys > std::max(table.rows / part_of_table, uint64_t{1000}))
          table.whole = "more than a quarter of it changed";
        else if (!same_rows(comparison_, *table.pairing, waiting.keys(), way_) &&
                 !sift_.rows(*table.pairing, waiting.keys()))
          table.whole = "rows that changed differ, or cannot be asked for by their keys";
      } catch (const Error& failure) {
        if (!is_unreadable(failure)) throw;
        comparison_.look_again();
        table.whole = std::string("rows that changed could not be read: ") + failure.what();
      }
    waiting.clear();
  }
}

}  // namespace compare
