#include "apply/drift.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "apply/gather.hpp"
#include "apply/prepared.hpp"
#include "apply/shape.hpp"
#include "apply/source.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "state/marks.hpp"

namespace apply {
namespace {

using config::SchemaDrift;

constexpr double look_every = 2;           // s
constexpr uint64_t catch_up_batch = 5000;  // operations

bool has_key_in(const change::Relation& relation, const std::vector<change::Column>& columns) {
  if (relation.identity == change::Identity::full) return false;
  return std::any_of(relation.key.begin(), relation.key.end(), [&](uint16_t key) {
    return std::find(columns.begin(), columns.end(), relation.columns[key]) != columns.end();
  });
}

std::vector<std::string> names_of(const std::vector<change::Column>& columns) {
  std::vector<std::string> out;
  for (const change::Column& column : columns) out.push_back(column.name);
  return out;
}

}  // namespace

void Drift::met(const Misfit& misfit, Standby& standby, const Position& at) {
  std::string why;
  if (!mend(misfit, why))
    pause(misfit, standby, at, misfit.what() + (why.empty() ? "" : " (tried, and refused: " + why + ")"));
}

// False where that is not for us to do, or, with the reason, where the server refuses it.
bool Drift::mend(const Misfit& misfit, std::string& why) {
  const change::Relation& shape = misfit.shape();
  const std::vector<std::string> names = names_of(misfit.missing());
  if (names.empty()) return false;
  if (settings_.schema_drift == SchemaDrift::follow && !misfit.may_be_renamed() && add(misfit, why)) {
    base::log(base::Level::info,
              node_.name + ": table " + shape.text + " got " + pg::quote_identifiers(names) + ", as the primary's");
    state::mark_table(settings_.state_directory, node_.name, shape.text,
                      "columns were added: " + pg::quote_identifiers(names), "");
    return true;
  }
  if (settings_.schema_drift == SchemaDrift::common_columns && !has_key_in(shape, misfit.missing())) {
    base::log(base::Level::warn, std::string(misfit.what()) + "; until then it is left out");
    state::mark_table(settings_.state_directory, node_.name, shape.text,
                      "columns are left out: " + pg::quote_identifiers(names), "");
    incidents_.tables.leave_out(shape.text, names);
    return true;
  }
  return false;
}

void Drift::pause(const Misfit& misfit, Standby& standby, const Position& at, const std::string& why) {
  const change::Relation& shape = misfit.shape();
  incidents_.tables.pause(shape, at, why);
  standby.commit_tables();
  state::mark_table(settings_.state_directory, node_.name, shape.text, "paused: " + why, "");
  base::log(base::Level::error, why + "; its changes after " + at.lsn.text() +
                                    " wait in the queue, those of other tables go on, and so will it by itself");
}

bool Drift::add(const Misfit& misfit, std::string& why) {
  pg::Session session(node_, {.purpose = "pgtandem apply", .answer_timeout = settings_.synchronization.sync_timeout});
  const std::vector<std::string> statements = add_columns(misfit.shape(), misfit.missing());
  for (const std::string& statement : statements) try {
      session.query(statement);
    } catch (const pg::SqlError& refused) {
      why = refused.reason();
      if (&statement == &statements.front()) return false;
      // The rows are right without it: only its default for later ones is not as on the primary.
      base::log(base::Level::warn, node_.name + ": " + statement + " was refused: " + why);
    }
  return true;
}

double Drift::due_in() const {
  if (!waiting()) return std::numeric_limits<double>::infinity();
  return std::max(0.0, looked_ + look_every - base::monotonic_seconds());
}

bool Drift::look(const Position& at, double seconds, const Written& written) {
  if (!waiting()) return false;
  const double until = base::monotonic_seconds() + seconds;
  bool changed = take_in_again();
  std::vector<std::string> paused;
  for (const auto& [table, what] : incidents_.tables.paused()) paused.push_back(table);
  for (const std::string& table : paused)
    if (!base::stop_requested()) changed = catch_up(table, at, until, written) || changed;
  looked_ = base::monotonic_seconds();
  return changed;
}

// Columns that are there by now.
bool Drift::take_in_again() {
  const Selection::LeftOut left_out = incidents_.tables.left_out();
  if (left_out.empty()) return false;
  pg::Session session(node_, {.purpose = "pgtandem apply", .answer_timeout = settings_.synchronization.sync_timeout});
  bool changed = false;
  for (const auto& [text, columns] : left_out) {
    base::TableName table;
    std::string why;
    base::parse_table_name(text, table, why);
    const pg::Result rows = session.query(
        "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND NOT attisdropped",
        {pg::quote_table(table)});
    for (int i = 0; i < rows.rows(); ++i) {
      if (std::find(columns.begin(), columns.end(), rows.get(i, 0)) == columns.end()) continue;
      base::log(base::Level::info, node_.name + ": table " + text + " has " + std::string(rows.get(i, 0)) +
                                       " now; its rows without it are mended by the next full pass");
      incidents_.tables.leave_nothing_out(text);
      changed = true;
      break;
    }
  }
  return changed;
}

std::unique_ptr<Standby> Drift::connect(const Position& at) {
  auto standby = std::make_unique<Standby>(settings_, node_, source_, incidents_, std::nullopt);
  standby->read_position();
  incidents_.load(at.lsn);
  return standby;
}

// Or can be made to fit by now.
bool Drift::fits(const std::string& table, Standby& standby) {
  const Paused paused = incidents_.tables.paused().at(table);
  const auto left_out = incidents_.tables.left_out().find(table);
  const change::Relation shape =
      left_out == incidents_.tables.left_out().end() ? paused.shape : without(paused.shape, left_out->second);
  try {
    standby.try_on(shape);
    return true;
  } catch (const Misfit& misfit) {
    std::string why;
    if (mend(misfit, why)) return true;
    if (!paused.reason.starts_with(misfit.what())) pause(misfit, standby, paused.at, misfit.what());
    return false;
  }
}

// True when it has come up to the others.
bool Drift::catch_up(const std::string& table, const Position& at, double until, const Written& written) {
  How how = How::folded;
  for (;;) {
    std::unique_ptr<Standby> standby = connect(at);
    if (!fits(table, *standby)) return false;
    try {
      return replay(table, *standby, at, how, until, written);
    } catch (const Misfit& misfit) {  // a later change of the shape
      standby.reset();                // what it has written of a transaction would be in the way of an ALTER TABLE
      const std::unique_ptr<Standby> again = connect(at);
      const Paused& paused = incidents_.tables.paused().at(table);
      if (!misfit.of_a_change() || !paused.reason.starts_with(misfit.what())) met(misfit, *again, Position(paused.at));
      if (misfit.of_a_change()) return false;
    } catch (const base::Transient&) {
      throw;
    } catch (const base::Error& failure) {
      const bool last = how == How::at_commit || (how == How::in_order && !standby->in_doubt());
      if (!is_about_rows(failure) || last) throw;
      base::log(base::Level::debug, std::string(failure.what()) + "; trying these changes in the primary's order");
      how = how == How::folded ? How::in_order : How::at_commit;
    }
  }
}

bool Drift::replay(const std::string& table, Standby& standby, const Position& at, How how, double until,
                   const Written& written) {
  const std::unique_ptr<Source> source = from_spool(settings_);
  source->rewind(incidents_.tables.paused().at(table).at);
  Gatherer gatherer(*source, {catch_up_batch, catch_up_batch, change::Lsn{at.lsn.value + 1},
                              how == How::folded ? change::Lsn() : at.lsn, incidents_.tables.only(table)});
  Sequences sequences;
  bool whole = true;  // the batch begins with the piece
  while (std::unique_ptr<Piece> piece = gatherer.next()) {
    const std::unique_ptr<Prepared> prepared = prepare(std::move(piece));
    if (incidents_.quarantine.touches(*prepared)) prepared->piece.in_order = true;
    prepared->piece.refused_at_commit = how == How::at_commit && whole && prepared->piece.ends_batch;
    whole = prepared->piece.ends_batch;
    standby.write(*prepared, sequences, false);
    Conflicts conflicts;
    if (prepared->piece.ends_batch) {
      const Paused& paused = incidents_.tables.paused().at(table);
      incidents_.tables.pause(Paused(paused).shape, prepared->piece.position, Paused(paused).reason);
      incidents_.before_commit();
      standby.commit_tables();
      conflicts = incidents_.committed();
    }
    written(prepared->piece, conflicts, incidents_.take_results());
    if (prepared->piece.ends_batch && (base::stop_requested() || base::monotonic_seconds() > until)) return false;
  }
  if (base::stop_requested()) return false;
  incidents_.tables.go_on(table);
  standby.commit_tables();
  base::log(base::Level::info,
            node_.name + ": table " + table + " fits again and goes on, with all up to " + at.lsn.text() + " applied");
  return true;
}

}  // namespace apply
