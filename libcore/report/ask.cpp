#include "report/ask.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "apply/progress.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "capture/link.hpp"
#include "pg/error.hpp"
#include "pg/session.hpp"
#include "pg/slot.hpp"
#include "pg/unavailable.hpp"

namespace report {
namespace {

// s that the answer of a thread may take to be noticed, beyond the deadline that it keeps itself.
constexpr double grace = 0.3;

template <class Number>
std::optional<Number> number_in(const pg::Result& row, int column) {
  if (row.is_null(0, column)) return {};
  const std::string_view text = row.get(0, column);
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void ask_server(pg::Session& session, const std::string& slot, Server& server) {
  const int64_t before = base::unix_microseconds();
  const pg::Result row = session.query(
      R"(SELECT pg_is_in_recovery(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
                (SELECT system_identifier FROM pg_control_system()),
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
                CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
                     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
                EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()),
                to_regclass('pgtandem.progress') IS NOT NULL)",
      {slot});
  const int64_t after = base::unix_microseconds();
  server.in_recovery = row.get(0, 0) == "t";
  const int64_t there = number_in<int64_t>(row, 1).value_or(0);
  // Nobody knows when in between it looked at its clock; only what is beyond doubt counts.
  server.clock_skew = there > after    ? static_cast<double>(there - after) / 1e6
                      : there < before ? -static_cast<double>(before - there) / 1e6
                                       : 0;
  server.system_id = row.get(0, 2);
  server.lsn = row.get(0, 3);
  server.timeline = number_in<uint32_t>(row, 4).value_or(0);
  server.has_slot = row.get(0, 5) == "t";
  server.has_progress = row.get(0, 6) == "t";
  server.version = session.server_version();
}

void ask_slot(pg::Session& session, Slot& slot) {
  const pg::SlotState state = pg::read_slot(session, slot.name);
  slot.exists = state.exists;
  slot.publication_exists = session.query("SELECT FROM pg_publication WHERE pubname = $1", {slot.name}).rows() > 0;
  slot.active = state.active;
  slot.wal_status = state.wal_status;
  slot.safe_wal_size = state.safe_wal_size;
  slot.retained = state.retained;
  slot.confirmed_lsn = state.confirmed_lsn;
}

void ask_progress(pg::Session& session, const change::Source& source, Answer& answer) {
  try {
    const apply::Position at = apply::read_progress(session, source);
    answer.asked_progress = true;
    if (at.lsn.value != 0) answer.applied_lsn = at.lsn.text();
    answer.end_lsn = at.end_lsn.text();
    answer.operations = at.operations;
    if (at.time > 0) answer.applied_time = at.time;
  } catch (const base::Transient&) {
    throw;
  } catch (const base::Error& error) {
    answer.progress_error = error.what();
    return;
  }
  const pg::Result rows = session.query(
      R"(SELECT name, reason, (extract(epoch FROM since) * 1000000)::bigint FROM pgtandem.tables
          WHERE slot = $1 AND waiting_shape IS NOT NULL ORDER BY name)",
      {source.slot});
  for (int i = 0; i < rows.rows(); ++i) {
    PausedTable table{std::string(rows.get(i, 0)), std::string(rows.get(i, 1)), {}};
    if (!rows.is_null(i, 2)) table.since = std::stoll(std::string(rows.get(i, 2)));
    answer.paused.push_back(std::move(table));
  }
}

Trouble trouble_of(const pg::SqlError& refused) {
  const std::string_view state = refused.sqlstate();
  if (state.substr(0, 2) == "28" || state == "3D000") return Trouble::login;
  return state == "42501" ? Trouble::right : Trouble::other;
}

Trouble trouble_of(pg::Unavailable why) {
  switch (why) {
    case pg::Unavailable::full:
      return Trouble::crowded;
    case pg::Unavailable::starting:
      return Trouble::starting;
    case pg::Unavailable::encryption:
      return Trouble::encryption;
  }
  return Trouble::other;
}

Answer ask(const config::Node& node, const std::string& slot, const std::optional<change::Source>& source,
           double deadline) {
  Answer answer;
  answer.slot.name = slot;
  const double start = base::monotonic_seconds();
  const auto failed = [&](Trouble trouble, const std::string& why) {
    answer.server.trouble = trouble;
    answer.server.error = why;
  };
  try {
    // The session waits for an answer twice as long as it tells the server to work on it.
    pg::Session session(node, {.purpose = "pgtandem status", .answer_timeout = deadline / 2});
    ask_server(session, slot, answer.server);
    if (node.role == config::Role::primary)
      ask_slot(session, answer.slot);
    else if (source)
      ask_progress(session, *source, answer);
    answer.server.seconds = base::monotonic_seconds() - start;
  } catch (const pg::SqlError& refused) {
    failed(trouble_of(refused), refused.what());
  } catch (const pg::NotNow& failure) {
    failed(trouble_of(failure.why()), failure.what());
  } catch (const base::Transient& failure) {
    const bool late = base::monotonic_seconds() - start >= deadline * 0.9;
    failed(late ? Trouble::hangs : Trouble::unreachable, failure.what());
  } catch (const std::exception& failure) {
    failed(Trouble::other, failure.what());
  }
  return answer;
}

// What the threads and the one who waits share; the last of them frees it.
struct Table {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Answer> answers;
};

}  // namespace

std::map<std::string, Answer> ask_servers(const config::Settings& settings, const std::optional<change::Source>& source,
                                          double deadline) {
  const std::string slot = capture::link_name(settings);
  const auto table = std::make_shared<Table>();
  for (const auto& [name, of] : settings.nodes) {
    config::Node node = of;
    node.connection_timeout = std::min(node.connection_timeout, deadline);
    std::thread([table, node, slot, source, deadline] {
      Answer answer = ask(node, slot, source, deadline);
      const std::lock_guard lock(table->mutex);
      table->answers[node.name] = std::move(answer);
      table->changed.notify_all();
    }).detach();
  }
  std::unique_lock lock(table->mutex);
  table->changed.wait_for(lock, std::chrono::duration<double>(deadline + grace),
                          [&] { return table->answers.size() == settings.nodes.size(); });
  std::map<std::string, Answer> answers = table->answers;
  for (const auto& [name, node] : settings.nodes) {
    if (answers.contains(name)) continue;
    Answer& silent = answers[name];
    silent.slot.name = slot;
    silent.server.trouble = Trouble::hangs;
    silent.server.error = name + ": no answer in time";
  }
  return answers;
}

}  // namespace report
