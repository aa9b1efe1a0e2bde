// What becomes of a table whose shape on the standby is not the stream's: by `schema_drift` its columns are added here,
// or left out of the stream, or it is paused, until it fits again; then its changes are taken from the spool, and it
// goes on with the others. Owns that decision and the way back; the state of each table is Tables'.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apply/conflict.hpp"
#include "apply/incidents.hpp"
#include "apply/misfit.hpp"
#include "apply/piece.hpp"
#include "apply/sequences.hpp"
#include "apply/standby.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"

namespace apply {

class Drift {
 public:
  Drift(const config::Settings& settings, const config::Node& node, std::optional<change::Source> source,
        Incidents& incidents)
      : settings_(settings), node_(node), source_(std::move(source)), incidents_(incidents) {}

  // `standby` is a new session at `at`. Afterwards the stream is to be read again from there, with
  // Tables::all_others().
  void met(const Misfit& misfit, Standby& standby, const Position& at);

  // s until it is time to look() again, between two batches; infinite where nothing waits.
  double due_in() const;
  // With `at` committed, and no other session at work: brings tables that fit by now up to `at`, for about `seconds`.
  // True when the stream is to be read again with a new session, for Tables::all_others() is another. `written` is told
  // of each batch.
  using Written = std::function<void(const Piece&, const Conflicts&, const Results&)>;
  bool look(const Position& at, double seconds, const Written& written);

 private:
  bool waiting() const { return !incidents_.tables.paused().empty() || !incidents_.tables.left_out().empty(); }
  std::unique_ptr<Standby> connect(const Position& at);
  void pause(const Misfit& misfit, Standby& standby, const Position& at, const std::string& why);
  bool mend(const Misfit& misfit, std::string& why);
  bool add(const Misfit& misfit, std::string& why);
  bool take_in_again();
  bool fits(const std::string& table, Standby& standby);
  bool catch_up(const std::string& table, const Position& at, double until, const Written& written);
  // How: folded, in the primary's order, or without what is refused at its commit.
  enum class How { folded, in_order, at_commit };
  bool replay(const std::string& table, Standby& standby, const Position& at, How how, double until,
              const Written& written);

  const config::Settings& settings_;
  const config::Node& node_;
  const std::optional<change::Source> source_;
  Incidents& incidents_;
  double looked_ = 0;
};

}  // namespace apply
