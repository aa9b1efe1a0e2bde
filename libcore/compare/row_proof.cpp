#include "compare/row_proof.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "compare/equal_rows.hpp"
#include "compare/sieve.hpp"
#include "state/marks.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;
using nlohmann::ordered_json;

// Each cut holds the applier for a moment, however many rows are looked at; but keys are held until then. All are
// summed up at one, and of what is not equal by its sums the values are held, too, on both sides.
constexpr size_t batch_rows = 200000;
constexpr size_t batch_bytes = 16 << 20;
constexpr size_t batch_values = 5000;
constexpr size_t max_examples = 5;

}  // namespace

RowProof::RowProof(const config::Settings& settings, std::string node) : settings_(settings), node_(std::move(node)) {}

void RowProof::add(const change::Relation& relation, std::span<const change::Value> key) {
  if (relation.key.empty() && relation.identity != change::Identity::full)
    throw Error(Exit::data, relation.text +
                                " has no key, so no row of it can be found; verify it as a whole (verify "
                                "--table)");
  rows_.push_back({&relation, {key.begin(), key.end()}});
}

bool RowProof::full() const { return rows_.size() >= batch_rows || arena_.used() >= batch_bytes; }

void RowProof::look() {
  drop_doubles(rows_);
  if (rows_.empty()) return;
  bool exact = false;
  patiently([&] { exact = leave_equal_out(); });
  for (size_t from = 0; from < rows_.size(); from += batch_values)
    patiently([&] { look_at(exact, std::span(rows_).subspan(from, std::min(batch_values, rows_.size() - from))); });
  rows_.clear();
  arena_.reset();
}

PausedTables RowProof::paused() const {
  PausedTables out;
  patiently([&] { out = paused_now(settings_, node_); });
  return out;
}

void RowProof::patiently(const std::function<void()>& work) const {
  base::Backoff backoff(settings_.synchronization.max_retry_attempts, settings_.synchronization.retry_delay);
  for (;;) {
    if (base::stop_requested()) throw Error(Exit::try_later, "stopped before the proof was complete; start it again");
    try {
      return work();
    } catch (const Error& failure) {
      const bool heals = dynamic_cast<const base::Transient*>(&failure) != nullptr ||
                         failure.kind() == Exit::try_later || failure.kind() == Exit::unreachable;
      if (!heals || !backoff.wait(failure.what())) throw;
    }
  }
}

bool RowProof::leave_equal_out() {
  const EqualRows found = equal_rows(settings_, node_, rows_);
  size_t left = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    Count& count = counts_[rows_[i].relation->text];
    if (found.equal[i])
      ++count.equal;
    else
      std::swap(rows_[left++], rows_[i]);
  }
  rows_.resize(left);
  return found.exact;
}

void RowProof::look_at(bool exact, std::span<const Suspect> rows) {
  const std::vector<Verdict> verdicts = recheck(settings_, {.primary = {}, .node = node_, .exact = exact}, rows);
  std::vector<size_t> all(rows.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const std::vector<bool> kept = Sieve(settings_, {}).keep(rows, verdicts, all);
  // A table's changes may wait since before the look: then its rows are older than that.
  if (std::ranges::find(verdicts, Verdict::Kind::differs, &Verdict::kind) != verdicts.end())
    for (const auto& [table, why] : paused_now(settings_, node_))
      if (counts_.contains(table)) leave_out(table, why);
  for (size_t i = 0; i < rows.size(); ++i) {
    Count& count = counts_[rows[i].relation->text];
    if (verdicts[i].kind == Verdict::Kind::equal) ++count.equal;
    if (verdicts[i].kind == Verdict::Kind::unsettled) ++count.unsettled;
    if (verdicts[i].kind != Verdict::Kind::differs) continue;
    if (!kept[i]) {
      ++count.left_out;
      continue;
    }
    ++count.different;
    if (count.examples.size() < max_examples) count.examples.push_back(key_text(rows[i]));
  }
}

void RowProof::mark_tables() const {
  for (const auto& [table, count] : counts_) {
    if (count.paused || count.different == 0) continue;
    std::string why = std::to_string(count.different) + " rows that were read back differ, as";
    for (const std::string& key : count.examples) why += " " + key;
    state::mark_table(settings_.state_directory, node_, table, why, "");
  }
}

Exit RowProof::result() const {
  Exit out = Exit::done;
  for (const auto& [table, count] : counts_) {
    if (count.paused || count.different > 0) return Exit::finding;
    if (count.unsettled > 0) out = Exit::try_later;
  }
  return out;
}

std::string RowProof::text() const {
  std::string out;
  for (const auto& [table, count] : counts_) {
    if (count.paused) {
      out += count.paused->line(table) + '\n';
      continue;
    }
    const char* verdict = count.different > 0 ? "  different  " : count.unsettled > 0 ? "  unproven  " : "  equal  ";
    out += table + verdict + std::to_string(count.equal + count.different + count.unsettled + count.left_out) + " rows";
    if (count.different > 0) out += ": " + std::to_string(count.different) + " differ, as";
    for (const std::string& key : count.examples) out += " " + key;
    if (count.unsettled > 0) out += "; " + std::to_string(count.unsettled) + " are written too often to be sure of";
    out += left_out_by_program(count.left_out, count.different + count.unsettled > 0 ? "; " : ", ");
    out += '\n';
  }
  return out;
}

std::string RowProof::json() const {
  ordered_json tables = ordered_json::object();
  for (const auto& [table, count] : counts_) {
    ordered_json examples = ordered_json::array();
    for (const std::string& key : count.examples) examples.push_back(ordered_json::parse(key));
    tables[table] = {{"equal", count.equal},
                     {"different", count.different},
                     {"unsettled", count.unsettled},
                     {"left_out", count.left_out},
                     {"paused", count.paused ? ordered_json(count.paused->text()) : ordered_json()},
                     {"examples", examples}};
  }
  const Exit exit = result();
  const char* name = exit == Exit::done ? "equal" : exit == Exit::finding ? "different" : "unproven";
  return ordered_json({{"node", node_}, {"result", name}, {"tables", tables}}).dump(2) + "\n";
}

}  // namespace compare
