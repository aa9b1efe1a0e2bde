#include "compare/repair.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apply/fold.hpp"
#include "apply/list_source.hpp"
#include "base/arena.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "base/tame.hpp"
#include "compare/copy_tables.hpp"
#include "compare/paused.hpp"
#include "compare/recheck.hpp"
#include "compare/repair_changes.hpp"
#include "compare/repair_counts.hpp"
#include "compare/row_key.hpp"
#include "compare/sieve.hpp"
#include "compare/superseded.hpp"
#include "pg/error.hpp"
#include "pg/session.hpp"
#include "spool/dead.hpp"
#include "spool/mark.hpp"
#include "state/journal.hpp"

namespace compare {
namespace {

using base::Exit;
using change::Event;
using change::EventType;
using change::Relation;
using change::Value;

// Rows looked at in one hold: enough that the hold (some 0.1 s) hardly shows, few enough that the applier is soon back.
constexpr size_t batch_rows = 1000;
constexpr uint64_t most_told = 10;       // refused rows of one table, each with a line of its own
constexpr size_t key_width = 200;        // of what such a line shows of a key
constexpr size_t batch_bytes = 8 << 20;  // of the lines that name them; the rows come once more from each side

class Repair {
 public:
  Repair(const config::Settings& settings, const apply::Options& options, apply::Source& stream, const Print& print)
      : settings_(settings),
        options_(options),
        stream_(stream),
        print_(print),
        node_(settings.secondary(options.node).name),
        source_(spool::require_mark(settings.spool.directory).source),
        journal_(settings.state_directory / ("repairs." + node_ + ".jsonl")) {
    // The primary's row is meant to win: what is mended differs, whatever the policy for conflicts made of it.
    mending_ = settings;
    mending_.synchronization.conflict_resolution = config::ConflictResolution::primary_wins;
    if (!options.report.empty() && !print) base::open_file(options.report, O_WRONLY | O_CREAT | O_TRUNC);
  }

  Exit run() {
    if (const std::optional<change::Source> named = stream_.named(); named && *named != source_)
      throw base::Error(Exit::data, "stdin: the comparison was of " + named->id() + ", the queue is of " +
                                        source_.id() + "; run diff with this configuration");
    bool open = false;
    try {
      open = take_all();
    } catch (...) {
      tell();  // what was committed before
      throw;
    }
    tell();
    if (open && !base::stop_requested())
      throw base::Error(Exit::data, "stdin: the comparison broke off; what it had named is mended, run it again");
    return anything_left(totals_) || !paused_.empty() ? Exit::finding : Exit::done;
  }

 private:
  // True where the stream ends within a transaction.
  bool take_all() {
    stream_.rewind({{}, {UINT64_MAX}, 0, 0});
    bool open = false;
    while (const Event* event = stream_.next(arena_)) {
      if (event->type == EventType::begin) open = true;
      if (event->type == EventType::commit) open = false;
      take(*event);
    }
    if (!base::stop_requested()) mend();
    return open;
  }

  void take(const Event& event) {
    switch (event.type) {
      case EventType::insert:
        suspect(*event.relation, event.relation->identity == change::Identity::full ? whole(event) : key_after(event));
        break;
      case EventType::update:
        suspect(*event.relation, {event.key.begin(), event.key.end()});
        suspect(*event.relation, event.relation->identity == change::Identity::full ? whole(event) : key_after(event));
        break;
      case EventType::remove:
        suspect(*event.relation, {event.key.begin(), event.key.end()});
        break;
      case EventType::copy: {
        const std::vector<base::TableName> tables = event.tables;
        mend();
        for (const base::TableName& table : tables) copy(table);
        break;
      }
      case EventType::truncate:
        throw base::Error(Exit::data, "stdin: a truncate in a comparison's stream, which none writes");
      default:
        break;
    }
    if (suspects_.size() >= batch_rows || arena_.used() >= batch_bytes) mend();
  }

  static std::vector<Value> whole(const Event& event) { return {event.row.begin(), event.row.end()}; }

  void suspect(const Relation& relation, std::vector<Value> key) {
    if (relation.key.empty() && relation.identity != change::Identity::full)
      throw base::Error(Exit::data, "stdin: " + relation.text +
                                        " has no key in its relation line, so no row of it can "
                                        "be found; a table without one is compared by all its columns");
    suspects_.push_back({&relation, std::move(key)});
  }

  // The rows named so far.
  void mend() {
    base::Backoff backoff(settings_.synchronization.max_retry_attempts, settings_.synchronization.retry_delay);
    drop_doubles(suspects_);
    while (!suspects_.empty() && !base::stop_requested()) {
      RepairCounts counts;
      try {
        // What a paused table is now may not even fit the lines.
        const PausedTables paused = paused_now(settings_, node_);
        std::erase_if(suspects_, [&](const Suspect& s) { return left_out(s.relation->text, paused); });
        if (suspects_.empty()) break;
        const RecheckOptions how{.primary = {}, .node = node_, .limit = 0, .exact = true, .rounds = 5};
        const std::vector<Verdict> verdicts =
            recheck(settings_, how, suspects_, [&](const Looked& looked) { write(looked, counts); });
        for (size_t i = 0; i < verdicts.size(); ++i)
          if (verdicts[i].kind == Verdict::Kind::unsettled) ++counts[suspects_[i].relation->text].unsettled;
        add(counts, totals_);
        break;
      } catch (const base::Error& failure) {
        // What was settled and written stays, and is found equal by the next look.
        const bool heals = dynamic_cast<const base::Transient*>(&failure) != nullptr ||
                           failure.kind() == Exit::try_later || failure.kind() == Exit::unreachable;
        if (!base::stop_requested() && (!heals || !backoff.wait(failure.what()))) throw;
      }
    }
    suspects_.clear();
    arena_.reset();
  }

  // With the applier held: what differs, in a transaction that it cannot overtake.
  void write(const Looked& looked, RepairCounts& counts) {
    base::Arena arena;
    RepairChanges changes(looked.lsn, arena, counts);
    const PausedTables paused = paused_now(settings_, node_);
    std::vector<size_t> which;
    for (const size_t i : looked.which)
      if (!left_out(suspects_[i].relation->text, paused)) which.push_back(i);
    leave_out(which, looked, counts);
    for (const size_t i : which) changes.add(suspects_[i], looked.verdicts[i]);
    if (changes.any()) {
      apply::ListSource source(changes.take(looked.lsn));
      apply::Options options = options_;
      options.pin = apply::Pin{source_, looked.standby_lsn};
      std::set<const Suspect*> refused;
      options.refused = [&](uint64_t ordinal, const std::string& why) {
        const Suspect* const suspect = changes.refused(ordinal);
        if (suspect == nullptr) return;
        refused.insert(suspect);
        tell_refused(*suspect, why);
      };
      looked.keep();
      if (print_)
        apply::dry_run(mending_, options, source, print_);
      else
        apply::from_source_to_standby(mending_, options, source);
      std::erase_if(which, [&](size_t i) { return refused.contains(&suspects_[i]); });
    }
    if (print_) return;
    MendedRows mended;
    for (const size_t i : which) mended[suspects_[i].relation].push_back(apply::key_hash(suspects_[i].key));
    supersede(settings_.spool.directory, node_, mended);
  }

  // Of a table that is refused as a whole the first few tell why.
  void tell_refused(const Suspect& suspect, const std::string& why) {
    const uint64_t told = ++told_refused_[suspect.relation->text];
    if (told > most_told) return;
    base::log(base::Level::warn, node_ + ": " + suspect.relation->text + ": the row " +
                                     base::tame(key_text(suspect), key_width) +
                                     " is refused, and left as it is: " + why +
                                     (told == most_told ? "; what else is refused of this table is only counted" : ""));
  }

  // What filters.program does not let through, as the rows are now, is meant to differ.
  void leave_out(std::vector<size_t>& which, const Looked& looked, RepairCounts& counts) {
    const std::vector<bool> kept = Sieve(settings_, looked.lsn).keep(suspects_, looked.verdicts, which);
    size_t next = 0;
    std::erase_if(which, [&](size_t i) {
      if (kept[next++]) return false;
      counts[suspects_[i].relation->text].left_out += mending_of(suspects_[i], looked.verdicts[i]).copies;
      return true;
    });
  }

  // A paused table's changes come after its repair, and would take rows back. With the applier held that can be told.
  bool left_out(const std::string& table, const PausedTables& paused) {
    const auto found = paused.find(table);
    if (found == paused.end()) return false;
    if (paused_.insert(table).second) base::log(base::Level::warn, left_out_text(table, node_, found->second));
    return true;
  }

  void copy(const base::TableName& table) {
    if (base::stop_requested()) return;
    uint64_t rows = 0;
    std::vector<spool::DeadLetter> held;  // by now, so of changes that the copy has
    try {
      for (spool::DeadLetter& letter : spool::dead_letters(settings_.spool.directory, node_))
        if (letter.table == table.text()) held.push_back(std::move(letter));
      if (left_out(table.text(), paused_now(settings_, node_))) return;
      const CopyTold told{.copied = [&](const base::TableName&, uint64_t count) { rows = count; }, .failed = {}};
      copy_tables(settings_, {.primary = {}, .node = node_, .tables = {table}, .limit = 0}, told, print_);
    } catch (const pg::SqlError& refused) {
      if (!pg::is_refusal_of_rows(refused)) throw;
      base::log(base::Level::warn, node_ + ": " + table.text() +
                                       ": the copy of it is refused, and the table left as it is: " + refused.reason());
      RepairCounts counts;
      counts[table.text()].refused = 1;  // no more of it was tried
      return add(counts, totals_);
    } catch (const base::Error& failure) {
      if (!base::stop_requested()) throw;
      base::log(base::Level::info, failure.what());
      return;
    }
    if (print_) return;
    for (const spool::DeadLetter& letter : held) supersede(settings_.spool.directory, node_, letter);
    RepairCounts counts;
    counts[table.text()].copied = rows;
    add(counts, totals_);
  }

  void tell() {
    compare::tell(totals_, node_, static_cast<bool>(print_));
    if (!print_) record(totals_, *stream_.cut(), journal_);
  }

  const config::Settings& settings_;
  const apply::Options& options_;
  apply::Source& stream_;
  const Print& print_;
  const std::string node_;
  const change::Source source_;
  config::Settings mending_;
  state::Journal journal_;
  base::Arena arena_;  // values of the suspects
  std::vector<Suspect> suspects_;
  RepairCounts totals_;                           // by table
  std::map<std::string, uint64_t> told_refused_;  // rows, by table
  std::set<std::string> paused_;                  // left out, and told
};

}  // namespace

base::Exit apply_stdin(const config::Settings& settings, const apply::Options& options, int fd, const Print& print) {
  const std::unique_ptr<apply::Source> stream = apply::from_descriptor(fd, "stdin");
  if (stream->cut()) return Repair(settings, options, *stream, print).run();
  if (!print) return apply::from_stream_to_standby(settings, options, *stream);
  apply::dry_run(settings, options, stream.get(), print);
  return Exit::done;
}

}  // namespace compare
