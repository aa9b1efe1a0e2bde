#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.hpp"
#include "report/local.hpp"
#include "spool/cursor.hpp"
#include "spool/dead.hpp"
#include "spool/layout.hpp"
#include "spool/mark.hpp"
#include "state/full_pass.hpp"
#include "state/incremental.hpp"
#include "state/marks.hpp"
#include "state/receipt.hpp"
#include "state/switches.hpp"
#include "state/tool_record.hpp"

namespace report {
namespace {

constexpr size_t most_events = 30;  // a screen of them

Time time_of(const std::string& text) {
  const int64_t time = base::parse_iso_time(text);
  return time < 0 ? Time() : Time(time);
}

void event(Snapshot& out, const Time& time, const char* level, const std::string& text) {
  if (time) out.events.push_back({*time, level, text});
}

// What services make belongs to their user, whoever looks now.
void look_at_owner(const config::Settings& settings, Snapshot& out) {
  struct stat known {};
  if (::stat(settings.state_directory.c_str(), &known) != 0 || known.st_uid == ::geteuid()) return;
  if (const passwd* const user = ::getpwuid(known.st_uid)) out.services_user = user->pw_name;
}

void look_at_switch(const config::Settings& settings, Snapshot& out) {
  out.auto_sync_enabled = settings.synchronization.auto_sync_enabled;
  // Without the file the configuration would count, and what somebody has switched off might go on: it is no file to
  // remove.
  look(out, {}, [&] {
    const state::AutoSync now = state::auto_sync(settings.state_directory, settings.synchronization.auto_sync_enabled);
    out.auto_sync_enabled = now.enabled;
    out.switched_by = now.by;
    out.switched = time_of(now.since);
    out.switch_reason = now.reason;
    if (!now.by.empty()) event(out, out.switched, now.enabled ? "info" : "warning", text_of(now));
  });
}

// When whatever brings changes over last left a trace: capture in the queue, apply in a cursor.
Time last_trace(const config::Settings& settings, const Snapshot& out) {
  const std::filesystem::path& spool = settings.spool.directory;
  Time last = changed(spool::mark_path(spool));
  try {
    // A large transaction grows for long until the mark moves.
    for (const spool::Segment& segment : spool::list_segments(spool)) last = std::max(last, changed(segment.path));
  } catch (const base::Error&) {
    // look_at_spool() tells
  }
  for (const auto& [name, of] : out.standbys) last = std::max(last, changed(spool::cursor_path(spool, name)));
  return last;
}

void look_at_passes(const config::Settings& settings, Snapshot& out) {
  const std::filesystem::path& state = settings.state_directory;
  const Time trace = last_trace(settings, out);
  look(out, state / "runs" / "incremental.json", [&] {
    const bool running = state::incremental_runs(state);
    const std::optional<state::IncrementalPass> last = state::last_incremental(state);
    const auto take = [&](Incremental& pass, const state::IncrementalPass* of) {
      pass.running = running;
      if (running) pass.progress = std::max(trace, changed(state / "incremental.lock"));  // it is written at the begin
      if (of == nullptr) return;
      pass.started = of->started;
      pass.ended = of->ended;
      pass.exit_code = of->exit_code;
      pass.failed = of->failed;
    };
    take(out.incremental, last ? &*last : nullptr);
    for (auto& [name, of] : out.standbys) {
      const bool known = last && last->nodes.contains(name);
      take(of.incremental, known ? &last->nodes.at(name) : nullptr);
    }
    if (last && last->exit_code > 1)
      event(out, last->ended, "error",
            "incremental pass: " + last->failed + " ended with " + std::to_string(last->exit_code));
  });
  for (auto& [name, of] : out.standbys)
    look(out, state::last_pass_path(state, name), [&, &node = name, &pass = of.full] {
      const std::optional<state::FullPass> last = state::last_pass(state, node);
      if (!last) return;
      pass.running = last->state == state::PassState::running || last->state == state::PassState::starting;
      pass.started = time_of(last->started);
      pass.ended = time_of(last->ended);
      if (pass.running)
        for (const Time& time : {trace, pass.started, changed(state::last_pass_path(state, node)),
                                 changed(state::receipt_path(state)), changed(state / ("repairs." + node + ".jsonl"))})
          pass.progress = std::max(pass.progress, time);
      pass.exit_code = last->exit_code;
      pass.failed = last->failed;
      pass.message = last->message;
      if (last->last_full_sync) pass.proven = *last->last_full_sync * 1'000'000;
      pass.lsn = last->lsn;
      for (const auto& [table, proof] : last->tables)
        if (!proof.proven) pass.unproven.push_back(table);
      event(out, pass.ended ? pass.ended : pass.started,
            last->state == state::PassState::failed || last->state == state::PassState::different ? "error" : "info",
            run_text(*last));
    });
}

void look_at_tables(const config::Settings& settings, Snapshot& out) {
  const std::filesystem::path& state = settings.state_directory;
  for (auto& [name, of] : out.standbys)
    for (const base::TableName& table : settings.synchronization.sync_tables)
      of.tables.push_back({.table = table.text(),
                           .equal = {},
                           .why = {},
                           .time = {},
                           .lsn = {},
                           .rows = {},
                           .equal_time = {},
                           .equal_lsn = {}});
  const size_t unreadable = out.unreadable.size();
  look(out, state::receipt_path(state), [&] {
    for (const auto& [node, receipt] : state::read_receipt(state)) {
      const auto found = out.standbys.find(node);
      if (found == out.standbys.end()) continue;
      for (TableState& table : found->second.tables) {
        const auto proof = receipt.tables.find(table.table);
        if (proof == receipt.tables.end()) continue;
        const state::TableProof& of = proof->second;
        table.equal = of.equal;
        table.why = of.why;
        table.time = time_of(of.time);
        table.lsn = of.lsn;
        if (!of.primary.digest.empty()) table.rows = of.primary.rows;
        table.equal_time = time_of(of.equal_time);
        table.equal_lsn = of.equal_lsn;
      }
    }
  });
  if (out.unreadable.size() > unreadable) out.unreadable.back().proofs = true;
  look(out, {}, [&] {
    for (const state::TableMark& mark : state::marked_tables(state)) {
      const auto found = out.standbys.find(mark.node);
      if (found == out.standbys.end()) continue;
      // One that is not synced now is marked for when it is listed again; no full pass could take that away.
      if (std::ranges::find(found->second.tables, mark.table, &TableState::table) == found->second.tables.end())
        continue;
      found->second.marked.push_back({mark.table, mark.reason, time_of(mark.time)});
      event(out, time_of(mark.time), "warning", mark.node + ": " + mark.table + " is marked: " + mark.reason);
    }
  });
  for (auto& [name, of] : out.standbys)
    look(out, {}, [&, &node = name, &count = of.quarantined] {
      // Counted by their names: there may be thousands, and only the last few are news.
      std::vector<std::filesystem::path> files = spool::list_dead(settings.spool.directory, node);
      count = files.size();
      if (count > most_events) files.erase(files.begin(), files.end() - most_events);
      for (const spool::DeadLetter& letter : spool::read_letters(files))
        event(out, letter.time, "error",
              letter.node + ": operation " + letter.id() + " on " + letter.table + " is in quarantine" +
                  (letter.sqlstate.empty() ? "" : " (" + letter.sqlstate + ")"));  // its message may quote a row
    });
}

// The newest error of any tool is the last error of all.
void take_error(const std::string& tool, const state::ToolFacts& facts, Snapshot& out) {
  if (facts.last_error.empty()) return;
  const std::string text = tool + ": " + facts.last_error;
  event(out, facts.last_error_time, "error", text);
  if (out.last_error_time.value_or(0) > facts.last_error_time) return;
  out.last_error_time = facts.last_error_time;
  out.last_error = text;
}

void look_at_tools(const config::Settings& settings, Snapshot& out) {
  const std::filesystem::path& state = settings.state_directory;
  look(out, state::tool_path(state, "capture"), [&] {
    const std::optional<state::ToolFacts> facts = state::tool_facts(state, "capture");
    if (!facts) return;
    out.capture_retries_total = facts->retries;
    out.spool.rate = facts->rate(out.time);
    if (out.slot.exists.value_or(false) && !out.slot.active) out.slot.inactive_since = facts->ended;
    take_error("capture", *facts, out);
  });
  for (auto& [name, of] : out.standbys) {
    const std::string tool = "apply." + name;
    look(out, state::tool_path(state, tool), [&, &standby = of] {
      const std::optional<state::ToolFacts> facts = state::tool_facts(state, tool);
      if (!facts) return;
      standby.retries_total = facts->retries;
      standby.conflicts = facts->conflicts;
      standby.quarantined_total = facts->quarantined;
      standby.rate = facts->rate(out.time);
      if (facts->operations > 0)
        standby.success_rate = 1 - static_cast<double>(std::min(facts->quarantined, facts->operations)) /
                                       static_cast<double>(facts->operations);
      take_error("apply", *facts, out);
    });
  }
}

}  // namespace

void look_at_state(const config::Settings& settings, Snapshot& out) {
  look_at_owner(settings, out);
  look_at_switch(settings, out);
  look_at_passes(settings, out);
  look_at_tables(settings, out);
  look_at_tools(settings, out);
  std::stable_sort(out.events.begin(), out.events.end(),
                   [](const Event& a, const Event& b) { return a.time > b.time; });
  if (out.events.size() > most_events) out.events.resize(most_events);
}

}  // namespace report
