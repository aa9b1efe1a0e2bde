#include "compare/verify.hpp"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "compare/give_way.hpp"
#include "compare/key_sums.hpp"
#include "compare/scrub.hpp"
#include "compare/table_diff.hpp"
#include "compare/verify_sample.hpp"
#include "spool/mark.hpp"
#include "spool/proof.hpp"
#include "state/marks.hpp"
#include "state/receipt.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;
using nlohmann::ordered_json;

// To be raised with every change in what a row's digest is: sums of different versions do not compare.
std::string version_of(Digest digest) { return digest == Digest::native ? "native-2" : "portable-1"; }

std::string hex(const Sum& sum) { return base::hex16(sum.high) + base::hex16(sum.low); }

std::string system_of(pg::Session& session) {
  return std::string(session.query("SELECT system_identifier FROM pg_catalog.pg_control_system()").get(0, 0));
}

// A line of the answer, and what the receipt says of the table.
struct Judged {
  std::string table;
  std::string text;
  state::TableProof proof;
};

class Verify {
 public:
  Verify(const config::Settings& settings, const VerifyOptions& options)
      : settings_(settings),
        options_(options),
        node_(settings.secondary(options.asked.node).name),
        tables_(chosen_tables(settings, options.asked.tables)),
        lock_(lock_in(settings.state_directory)),
        receipt_(state::read_receipt(settings.state_directory)),
        entry_(receipt_[node_]),
        meter_(options.show) {}

  Exit run() {
    began_us_ = base::unix_microseconds();
    entry_.run = {};
    entry_.run.started = base::iso_time(began_us_);
    state::write_receipt(settings_.state_directory, receipt_);  // should this run die, it says so
    bool equal = false;
    try {
      equal = compare_all();
      want();
      if (not_compared_.tables().empty())
        end(equal ? "equal" : "different", "");
      else
        end("incomplete", not_compared_.tables().front().what());
      if (options_.json) options_.print(json());
    } catch (const Error& failure) {
      end(not_exact_ ? "unproven" : "failed", failure.what());
      throw;
    }
    not_compared_.end();
    return equal ? Exit::done : Exit::finding;
  }

 private:
  // Before tables are read, so that what is applied meanwhile is not pruned; and when they are proven. Without the
  // scrub nobody wants it, and it would be kept for nothing.
  void want() const {
    change::Lsn cut;
    const bool scrubs = options_.scrub || spool::is_wanted(settings_.spool.directory, node_);
    if (scrubs && change::Lsn::parse(entry_.run.lsn, cut)) want_stream(settings_, node_, entry_, cut);
  }

  static base::FileLock lock_in(const std::filesystem::path& state) {
    base::make_directories(state);
    return {state / "verify.lock", "verify"};
  }

  bool compare_all() {
    Asked asked = options_.asked;
    asked.node = node_;
    for (const base::TableName& table : tables_) entry_.run.tables.push_back(table.text());
    const PausedTables paused = paused_at_first();
    std::erase_if(tables_, [&](const base::TableName& table) { return paused.contains(table.text()); });
    // A paused table seldom has a shape that could be compared, and its rows wait.
    for (const std::string& name : entry_.run.tables)
      if (const auto found = paused.find(name); found != paused.end()) take_paused(name, found->second);
    cut_time_ = base::iso_time(base::unix_microseconds());
    if (tables_.empty()) {
      for (const Judged& judged : std::exchange(judged_, {})) take(judged);
      return false;
    }
    asked.tables.clear();
    for (const base::TableName& table : tables_) asked.tables.push_back(table.text());

    Comparison comparison(settings_, asked);
    Cut& cut = comparison.cut();
    if (!cut.exact()) {
      not_exact_ = true;
      throw Error(Exit::try_later, "nothing is proven, since the comparison would not be exact: " + cut.why_not());
    }
    entry_.run.lsn = cut.lsn().text();
    entry_.run.exact = true;
    want();
    cut_time_ = base::iso_time(cut.time_us());
    std::vector<std::string> synced;
    for (const base::TableName& table : settings_.synchronization.sync_tables) synced.push_back(table.text());
    state::go_on_for(entry_, system_of(cut.primary()), system_of(cut.standby()), synced);
    for (const Judged& judged : std::exchange(judged_, {})) take(judged);  // paused ones, now that there is a cut
    not_compared_ = comparison.not_compared();
    for (const NotComparable& table : not_compared_.tables()) take_not_compared(table);
    bool equal = tables_.size() == entry_.run.tables.size() && comparison.paused().empty();
    GiveWay way(cut);
    if (options_.scrub) return scrub(comparison, way) && equal;
    for (const Pairing& pairing : comparison.pairings())
      equal = compare_or_leave_out(comparison, pairing, way) && equal;
    return equal;
  }

  bool scrub(Comparison& comparison, GiveWay& way) {
    Scrub scrub(settings_, comparison, base::parse_iso_time(cut_time_), node_, entry_, meter_, way);
    scrub.run();
    for (const Pairing& pairing : comparison.pairings()) {
      if (!scrub.whole(pairing).empty()) continue;
      comparison.check_parts(pairing.pair.table);
      Judged judged = judged_of(comparison, pairing);
      judged.proof.equal = true;
      judged.proof.scrub = scrub.proof(pairing);
      judged.proof.left_out = judged.proof.scrub->left_out();
      judged.text = judged.table + "  equal  " + scrub.text(pairing);
      add(judged);
      print(judged);
    }
    state::write_receipt(settings_.state_directory, receipt_);
    bool equal = true;
    for (const Pairing& pairing : comparison.pairings())
      if (!scrub.whole(pairing).empty()) equal = compare_or_leave_out(comparison, pairing, way) && equal;
    return equal;
  }

  PausedTables paused_at_first() const {
    base::Backoff backoff(settings_.synchronization.max_retry_attempts, settings_.synchronization.retry_delay);
    for (;;) {
      try {
        return paused_now(settings_, node_);
      } catch (const base::Transient& failure) {
        if (!backoff.wait(failure.what())) throw;
      }
    }
  }

  void take_paused(const std::string& name, const Paused& paused) {
    Judged judged;
    judged.table = name;
    judged.proof.why = paused.text();
    judged.text = paused.line(name);
    judged_.push_back(std::move(judged));
    print(judged_.back());
  }

  void take_not_compared(const NotComparable& table) {
    Judged judged;
    judged.table = table.table();
    judged.proof.why = std::string("cannot be compared: ") + table.what();
    judged.text = judged.table + "  not compared  " + table.what();
    take(judged);
    print(judged);
  }

  Judged judged_of(const Comparison& comparison, const Pairing& pairing) const {
    Judged judged;
    judged.table = pairing.pair.relation.text;
    judged.proof.digest = version_of(comparison.digest());
    for (const change::Column& column : pairing.pair.relation.columns) judged.proof.columns.push_back(column.name);
    return judged;
  }

  bool compare_or_leave_out(Comparison& comparison, const Pairing& pairing, GiveWay& way) {
    try {
      return compare_one(comparison, pairing, way);
    } catch (const Error& failure) {
      comparison.leave_out(pairing.pair.table, failure);
    }
    not_compared_ = comparison.not_compared();
    take_not_compared(not_compared_.tables().back());
    return false;
  }

  bool compare_one(Comparison& comparison, const Pairing& pairing, GiveWay& way) {
    Judged judged = judged_of(comparison, pairing);
    state::TableProof& proof = judged.proof;
    Sums ours(1);
    Sums theirs(1);
    sum_up(comparison, pairing, way, ours, theirs);
    proof.primary = {ours[0].rows, hex(ours[0])};
    proof.standby = {theirs[0].rows, hex(theirs[0])};
    proof.equal = ours[0] == theirs[0];
    judged.text = judged.table + "  equal  " + std::to_string(ours[0].rows) + " rows";
    if (!proof.equal) {
      Sieve sieve(settings_, comparison.cut().lsn());
      // A digest narrows, values decide; and how many rows differ is worth another pass.
      TableDiff diff(comparison.primary(), comparison.standby(), pairing.pair, comparison.digest(), nullptr, UINT64_MAX,
                     meter_, {.way = &way, .sieve = &sieve});
      const TableResult result = diff.run(pairing.primary, pairing.standby);
      proof.equal = result.equal();
      proof.left_out = result.left_out;
      judged.text = text_of(judged.table, result);
      if (!proof.equal) proof.why = judged.text.substr(judged.text.find(": ") + 2);
    }
    comparison.check_parts(pairing.pair.table);
    if (proof.equal) {
      judged.text += ", digest " + proof.primary.digest;
      proof.scrub = whole_proof(settings_, comparison, pairing, ours[0].rows, proof.left_out, cut_time_);
    }
    take(judged);
    print(judged);
    if (proof.equal && state::clear_mark(settings_.state_directory, node_, judged.table, began_us_))
      base::log(base::Level::info, node_ + ": " + judged.table + " is equal; its mark for the full pass is gone");
    return proof.equal;
  }

  // One bucket: what is asked here is whether all rows are equal, not where they are not.
  void sum_up(Comparison& comparison, const Pairing& pairing, GiveWay& way, Sums& our_sums, Sums& their_sums) {
    const Recipe recipe = recipe_of(comparison, pairing);
    const TableRead ours = primary_read(pairing.pair, pairing.primary);
    const TableRead theirs = standby_read(pairing.pair, pairing.standby);
    std::atomic<uint64_t> rows{0};
    meter_.begin(pairing.pair.relation.text, static_cast<uint64_t>(ours.rows + theirs.rows));
    SumTasks primary(comparison.primary(), ours, recipe, our_sums, rows);
    SumTasks standby(comparison.standby(), theirs, recipe, their_sums, rows);
    std::vector<std::function<void()>> tasks;
    primary.add_to(tasks);
    standby.add_to(tasks);
    run_together(std::move(tasks), [&] {
      meter_.at(rows);
      way.look();
    });
    if (should_end()) throw Error(Exit::try_later, "stopped before the proof was complete; start it again");
    meter_.at(rows);
  }

  void take(const Judged& judged) {
    add(judged);
    state::write_receipt(settings_.state_directory, receipt_);
  }

  void add(Judged judged) {
    judged.proof.lsn = entry_.run.lsn;
    judged.proof.time = cut_time_;
    state::add_proof(entry_, judged.table, judged.proof);
    judged_.push_back(std::move(judged));
  }

  void print(const Judged& judged) {
    if (!options_.json) options_.print(judged.text + "\n");
  }

  void end(const std::string& result, const std::string& why) {
    entry_.run.ended = base::iso_time(base::unix_microseconds());
    entry_.run.result = result;
    entry_.run.why = why;
    state::write_receipt(settings_.state_directory, receipt_);
  }

  // This run's part of the receipt.
  std::string json() const {
    state::NodeReceipt run = entry_;
    std::erase_if(run.tables, [&](const auto& entry) {
      return std::ranges::find(entry_.run.tables, entry.first) == entry_.run.tables.end();
    });
    return state::receipt_text({{node_, run}});
  }

  const config::Settings& settings_;
  const VerifyOptions& options_;
  const std::string node_;
  std::vector<base::TableName> tables_;  // to be compared
  const base::FileLock lock_;
  state::Receipt receipt_;
  state::NodeReceipt& entry_;
  ProgressMeter meter_;
  int64_t began_us_ = 0;
  std::string cut_time_;
  bool not_exact_ = false;
  NotCompared not_compared_;
  std::vector<Judged> judged_;
};

}  // namespace

Exit verify(const config::Settings& settings, const VerifyOptions& options) {
  if (options.scrub && options.sample > 0)
    throw Error(Exit::usage, "--sample proves nothing, and --scrub does; leave one of them out");
  return options.sample > 0 ? verify_sample(settings, options) : Verify(settings, options).run();
}

std::string marked_text(const config::Settings& settings, const std::string& node, bool json) {
  const std::string name = settings.secondary(node).name;
  std::string out;
  for (const state::TableMark& mark : state::marked_tables(settings.state_directory)) {
    if (mark.node != name) continue;
    if (json)
      out += ordered_json({{"node", mark.node},
                           {"table", mark.table},
                           {"reason", mark.reason},
                           {"operation_id", mark.operation_id},
                           {"time", mark.time}})
                 .dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
             "\n";
    else
      out += mark.time + "  " + mark.table + "  " + mark.reason + "\n";
  }
  return out;
}

}  // namespace compare
