// What a run has done, told to whoever wants to know: the report file, the hooks, the record for status, and the counts
// of the last line. Owns all of them, so that a piece is told to each of them once, when its batch is committed, or to
// none.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "apply/conflict.hpp"
#include "apply/hooks.hpp"
#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "apply/report.hpp"
#include "apply/run.hpp"
#include "apply/tally.hpp"
#include "base/error.hpp"
#include "config/settings.hpp"
#include "state/tool_record.hpp"

namespace apply {

class Account {
 public:
  // `report`: no file if empty; `repairs`: its lines say so.
  // `recorded`: what it does is for status to know, see state::ToolRecord. `refused`: is told of what was left out.
  Account(const config::Settings& settings, const config::Node& node, const std::filesystem::path& report, bool repairs,
          bool recorded, Refused refused);

  // A piece that was written in the open batch.
  void add(const Piece& piece, const Results& results);
  // The batch, which ends at `lsn` and has so many transactions, is committed. `durable` as Tally::add() has it.
  void commit(change::Lsn lsn, uint64_t transactions, const Conflicts& conflicts, bool durable);
  // An operation out of quarantine is on the standby, which is at `lsn`; it was counted when it came.
  void released(change::Lsn lsn, const Operation& operation, const Results& results, const Conflicts& conflicts);
  // The batch is rolled back.
  void take_back();

  // All that was committed survives a crash of the standby now; or the standby came back from one at `lsn`.
  void settled() { tally_.settled(); }
  void back_to(change::Lsn lsn) { tally_.back_to(lsn); }
  // The run ends with an error that is of no operation.
  void failed(const std::string& error, base::Exit exit);
  void ended(base::Exit exit);
  // A failure that is tried again.
  void retried(const std::string& why) {
    if (record_) record_->failed(why, true);
  }
  const Totals& totals() const { return tally_.totals(); }

 private:
  void record(const Conflicts& conflicts);

  Report report_;
  Hooks hooks_;
  Tally tally_;
  std::optional<state::ToolRecord> record_;
  const Refused refused_;
  std::map<uint64_t, std::string> left_out_;  // of the open batch, for that
  uint64_t held_ = 0;                         // of those, what went to quarantine
  uint64_t pending_ = 0;                      // operations written in the open batch
};

}  // namespace apply
