#include "state/full_pass.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/locked.hpp"
#include "base/stop.hpp"

namespace state {
namespace {

using nlohmann::ordered_json;

constexpr int64_t starting_for_us = 60'000'000;  // a script that has not begun by then was killed
constexpr double look_every = 0.2;               // s

std::filesystem::path lock_path(const std::filesystem::path& state) { return state / "full.lock"; }

std::string text_of(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? "" : found->get<std::string>();
}

template <typename Number>
std::optional<Number> number_of(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? std::nullopt : std::optional<Number>(found->get<Number>());
}

PassTable table_of(const ordered_json& json) {
  PassTable table;
  table.proven = json.at("proven");
  table.why = text_of(json, "why");
  table.lsn = text_of(json, "lsn");
  table.time = text_of(json, "time");
  table.rows = number_of<uint64_t>(json, "rows");
  table.repaired = number_of<uint64_t>(json, "repaired").value_or(0);
  table.copied = number_of<uint64_t>(json, "copied").value_or(0);
  table.unsettled = number_of<uint64_t>(json, "unsettled").value_or(0);
  return table;
}

PassState judge(const FullPass& pass, bool starting, bool alive, int64_t now_us) {
  if (pass.ended.empty()) {
    if (alive) return PassState::running;
    const int64_t began = base::parse_iso_time(pass.started);
    return starting && now_us - began < starting_for_us ? PassState::starting : PassState::broken_off;
  }
  if (pass.stopped || !pass.exit_code) return PassState::stopped;
  return *pass.exit_code == 0 ? PassState::proven : *pass.exit_code == 1 ? PassState::different : PassState::failed;
}

FullPass pass_of(const ordered_json& json, bool alive, int64_t now_us) {
  FullPass pass;
  pass.run = text_of(json, "run");
  pass.by = text_of(json, "by");
  pass.node = text_of(json, "node");
  pass.started = json.at("started");
  pass.since = text_of(json, "since");
  pass.ended = text_of(json, "ended");
  pass.lsn = text_of(json, "lsn");
  pass.failed = text_of(json, "failed");
  pass.message = text_of(json, "message");
  pass.exit_code = number_of<int>(json, "exit_code");
  pass.stopped = json.at("stopped");
  pass.last_full_sync = number_of<int64_t>(json, "last_full_sync");
  for (const auto& [table, value] : json.at("tables").items()) pass.tables[table] = table_of(value);
  if (const auto nodes = json.find("nodes"); nodes != json.end())
    for (const auto& [node, part] : nodes->items()) pass.parts.push_back(pass_of(part, alive, now_us));
  pass.state = judge(pass, json.value("starting", false), alive, now_us);
  return pass;
}

// The run that is at work, by the line of who holds the lock: "pid 4711 sync-full since … run full-…".
std::string run_at_work(const std::filesystem::path& state) {
  if (!base::is_locked(lock_path(state))) return "";
  const std::string line = base::read_file(lock_path(state)).value_or("");
  constexpr std::string_view before = " run ";
  const size_t at = line.find(before);
  return at == std::string::npos ? "" : line.substr(at + before.size(), line.find('\n') - at - before.size());
}

std::optional<FullPass> read_pass(const std::filesystem::path& file, const std::filesystem::path& state) {
  // Who is at work is asked before the record is read: one that ends in between has its end written by then.
  const std::string at_work = run_at_work(state);
  const std::optional<std::string> text = base::read_file(file);
  if (!text) return std::nullopt;
  const int64_t now = base::unix_microseconds();
  FullPass pass = parse_pass(*text, file.string(), false, now);
  if (!at_work.empty() && pass.run == at_work) pass = parse_pass(*text, file.string(), true, now);
  return pass;
}

size_t proven(const FullPass& pass) {
  auto count = std::count_if(pass.tables.begin(), pass.tables.end(), [](const auto& of) { return of.second.proven; });
  for (const FullPass& part : pass.parts) count += static_cast<std::ptrdiff_t>(proven(part));
  return static_cast<size_t>(count);
}

size_t all_tables(const FullPass& pass) {
  size_t count = pass.tables.size();
  for (const FullPass& part : pass.parts) count += part.tables.size();
  return count;
}

ordered_json shown(const FullPass& pass) {
  const auto text = [](const std::string& value) { return value.empty() ? ordered_json() : ordered_json(value); };
  const auto number = [](const auto& value) { return value ? ordered_json(*value) : ordered_json(); };
  ordered_json tables = ordered_json::object();
  for (const auto& [name, table] : pass.tables)
    tables[name] = {{"proven", table.proven},   {"why", text(table.why)},      {"lsn", text(table.lsn)},
                    {"time", text(table.time)}, {"rows", number(table.rows)},  {"repaired", table.repaired},
                    {"copied", table.copied},   {"unsettled", table.unsettled}};
  ordered_json out = {{"run", text(pass.run)},
                      {"pass", "full"},
                      {"state", name_of(pass.state)},
                      {"by", text(pass.by)},
                      {"node", text(pass.node)},
                      {"started", pass.started},
                      {"since", text(pass.since)},
                      {"ended", text(pass.ended)},
                      {"lsn", text(pass.lsn)},
                      {"exit_code", number(pass.exit_code)},
                      {"failed", text(pass.failed)},
                      {"message", text(pass.message)},
                      {"last_full_sync", number(pass.last_full_sync)},
                      {"tables_proven", proven(pass)},
                      {"tables_total", all_tables(pass)},
                      {"tables", tables}};
  for (const FullPass& part : pass.parts) out["nodes"][part.node] = shown(part);
  return out;
}

}  // namespace

const char* name_of(PassState state) {
  switch (state) {
    case PassState::starting:
      return "starting";
    case PassState::running:
      return "running";
    case PassState::proven:
      return "proven";
    case PassState::different:
      return "different";
    case PassState::stopped:
      return "stopped";
    case PassState::failed:
      return "failed";
    case PassState::broken_off:
      return "broken off";
  }
  return "";
}

bool is_run_id(const std::string& run) {
  return run.size() > 5 && run.size() < 80 && run.starts_with("full-") &&
         std::all_of(run.begin(), run.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::filesystem::path run_path(const std::filesystem::path& state, const std::string& run, const char* suffix) {
  return state / "runs" / (run + suffix);
}

FullPass parse_pass(const std::string& text, const std::string& name, bool alive, int64_t now_us) {
  try {
    return pass_of(ordered_json::parse(text), alive, now_us);
  } catch (const ordered_json::exception&) {
    throw base::Error(base::Exit::data, name + " is damaged; remove it, the next full pass writes a new one");
  }
}

std::filesystem::path last_pass_path(const std::filesystem::path& state, const std::string& node) {
  return state / ("full-sync." + node + ".json");
}

std::optional<FullPass> last_pass(const std::filesystem::path& state, const std::string& node) {
  return read_pass(last_pass_path(state, node), state);
}

std::optional<FullPass> run_of(const std::filesystem::path& state, const std::string& run) {
  return is_run_id(run) ? read_pass(run_path(state, run, ".json"), state) : std::nullopt;
}

std::optional<FullPass> running_pass(const std::filesystem::path& state) {
  const std::string run = run_at_work(state);
  if (run.empty()) return std::nullopt;
  const std::optional<FullPass> pass = run_of(state, run);
  if (pass) return pass->ended.empty() ? pass : std::nullopt;
  FullPass beginning;  // it has the lock, and not yet a record
  beginning.run = run;
  beginning.started = base::iso_time(base::unix_microseconds());
  beginning.state = PassState::starting;
  return beginning;
}

std::string run_json(const FullPass& pass) {
  return shown(pass).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string run_text(const FullPass& pass) {
  std::string line = "full pass" + (pass.run.empty() ? "" : " " + pass.run) + ": " + name_of(pass.state);
  const std::string seconds = "Z";
  line += pass.ended.empty() ? " since " + pass.started.substr(0, 19) + seconds
                             : " at " + pass.ended.substr(0, 19) + seconds;
  if (const size_t tables = all_tables(pass); tables > 0)
    line += ", " + std::to_string(proven(pass)) + " of " + std::to_string(tables) + " tables proven";
  if (!pass.message.empty() && !pass.ended.empty() && pass.state != PassState::proven) line += "; " + pass.message;
  return line;
}

FullPass await_full_pass(const std::filesystem::path& state, const std::string& run) {
  for (;;) {
    const std::optional<FullPass> pass = run_of(state, run);
    if (!pass) throw base::Error(base::Exit::data, "there is no record of the full pass " + run + " any more");
    const bool over = pass->state != PassState::running && pass->state != PassState::starting;
    if (over || base::sleep_or_stop(look_every)) return *pass;
  }
}

}  // namespace state
