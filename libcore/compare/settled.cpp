#include "compare/settled.hpp"

#include <cstring>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "compare/alike.hpp"
#include "compare/repair_changes.hpp"

namespace compare {
namespace {

using change::EventType;
using change::Value;

constexpr size_t memory = 2U << 20;  // that candidates take before they go to a file
// Looked at in one hold: as a repair does, so that the applier is soon back.
constexpr size_t batch_rows = 1000;
constexpr size_t batch_bytes = 8U << 20;
constexpr int rounds = 6;  // looks, in each of which what was written meanwhile is tried again
constexpr uint32_t null_size = UINT32_MAX;

void put_size(std::string& out, size_t size) {
  const auto bytes = static_cast<uint32_t>(size);
  out.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
}
uint32_t take_size(std::string_view& from) {
  uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  from.remove_prefix(sizeof size);
  return size;
}

std::vector<Value> take_key(std::string_view& from, size_t columns) {
  std::vector<Value> key;
  for (size_t i = 0; i < columns; ++i) {
    const uint32_t size = take_size(from);
    if (size == null_size) {
      key.push_back(Value::null_value());
      continue;
    }
    key.push_back(Value::of(from.substr(0, size)));
    from.remove_prefix(size);
  }
  return key;
}

void tell(const Suspect& suspect, const Verdict& verdict, ChangeLines* lines, Outcome& outcome) {
  const Mending mending = mending_of(suspect, verdict);
  (mending.type == EventType::insert   ? outcome.missing
   : mending.type == EventType::remove ? outcome.extra
                                       : outcome.changed) += mending.copies;
  for (uint64_t i = 0; lines != nullptr && i < mending.copies; ++i)
    mending.type == EventType::insert   ? lines->insert(mending.key, mending.row)
    : mending.type == EventType::remove ? lines->remove(mending.key)
                                        : lines->update(mending.key, mending.row);
}

}  // namespace

Settled::Settled(const config::Settings& settings, std::string node, size_t tables)
    : settings_(settings), node_(std::move(node)), waiting_(tables, memory) {}

void Settled::begin_table(const TablePair& pair) { pairs_.push_back(&pair); }

void Settled::add(std::span<const Value> key) {
  record_.clear();
  for (const Value& value : key) {
    put_size(record_, value.kind == change::ValueKind::text ? value.size : null_size);
    if (value.kind == change::ValueKind::text) record_ += value.text();
  }
  std::string framed;
  put_size(framed, record_.size());
  waiting_.add(pairs_.size() - 1, framed += record_);
}

Outcome Settled::settle(size_t table, Sieve& sieve, ChangeLines* lines) {
  const TablePair& pair = *pairs_[table];
  if (lines != nullptr) lines->begin_table(pair.relation);
  Outcome outcome;
  std::string batch;
  size_t rows = 0;
  const auto flush = [&] {
    if (rows > 0 && !outcome.paused) take(pair, batch, rows, sieve, lines, outcome);
    batch.clear();
    rows = 0;
  };
  waiting_.read(table, [&](std::string_view records) {
    while (!records.empty()) {
      const uint32_t size = take_size(records);
      batch += records.substr(0, size);
      records.remove_prefix(size);
      if (++rows >= batch_rows || batch.size() >= batch_bytes) flush();
    }
  });
  flush();
  return outcome;
}

// `rows`: of a table without columns a key is of no bytes.
void Settled::take(const TablePair& pair, std::string_view keys, size_t rows, Sieve& sieve, ChangeLines* lines,
                   Outcome& outcome) {
  std::vector<Suspect> open;
  while (open.size() < rows) open.push_back({&pair.relation, take_key(keys, pair.relation.key.size())});
  std::vector<std::optional<Verdict>> before(open.size());
  for (int round = 0; round < rounds && !open.empty(); ++round) {
    std::vector<Verdict> now = look(open);
    std::vector<Suspect> still;
    std::vector<std::optional<Verdict>> differed;
    std::vector<size_t> proven;
    for (size_t i = 0; i < open.size(); ++i) {
      if (now[i].kind == Verdict::Kind::equal || compares_alike(pair, now[i])) continue;
      const bool differs = now[i].kind == Verdict::Kind::differs;
      if (differs && before[i] && unwritten(*before[i], now[i])) {
        proven.push_back(i);
        continue;
      }
      differed.push_back(differs ? std::optional(std::move(now[i])) : std::nullopt);
      still.push_back(open[i]);
    }
    // Its changes have waited since the look, or before: then the standby's rows are older than that.
    if (!proven.empty())
      for (const auto& [name, paused] : paused_now(settings_, node_))
        if (name == pair.relation.text) outcome.paused = paused;
    if (outcome.paused) return;
    const std::vector<bool> kept = sieve.keep(open, now, proven);
    for (size_t i = 0; i < proven.size(); ++i) {
      if (kept[i])
        tell(open[proven[i]], now[proven[i]], lines, outcome);
      else
        outcome.left_out += mending_of(open[proven[i]], now[proven[i]]).copies;
    }
    open = std::move(still);
    before = std::move(differed);
  }
  outcome.unsettled += open.size();
}

std::vector<Verdict> Settled::look(std::span<const Suspect> suspects) {
  base::Backoff backoff(settings_.synchronization.max_retry_attempts, settings_.synchronization.retry_delay);
  const RecheckOptions how{.primary = {}, .node = node_, .limit = 0, .exact = false, .rounds = 3, .twice = false};
  for (;;) {
    if (base::stop_requested())
      throw base::Error(base::Exit::try_later, "stopped before the comparison was complete; start it again");
    try {
      return recheck(settings_, how, suspects);
    } catch (const base::Transient& failure) {
      if (!base::stop_requested() && !backoff.wait(failure.what())) throw;
    }
  }
}

}  // namespace compare
