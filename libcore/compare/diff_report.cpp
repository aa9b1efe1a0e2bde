#include "compare/diff_report.hpp"

#include <fcntl.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace compare {

using base::Exit;
using nlohmann::ordered_json;

namespace {

// A reason may quote what a server sent.
std::string text(const ordered_json& line) {
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

DiffReport::DiffReport(const Options& options) : options_(options), began_(base::monotonic_seconds()) {
  if (!options.report.empty()) file_ = base::open_file(options.report, O_WRONLY | O_CREAT | O_TRUNC);
}

void DiffReport::begin(Comparison& comparison) {
  comparison_ = &comparison;
  lsn_ = comparison.cut().lsn().text();
  exact_ = comparison.cut().exact();
  time_ = base::iso_time(comparison.cut().time_us());
}

void DiffReport::add(const change::Relation& relation, const TableResult& result) {
  ++tables_;
  equal_ = equal_ && result.equal();
  rows_ += result.primary_rows + result.standby_rows;
  if (result.unsettled > 0)
    unsettled_ += (unsettled_.empty() ? "" : ", ") + std::to_string(result.unsettled) + " of " + relation.text;
  if (options_.summary) options_.print(text_of(relation.text, result) + "\n");
  base::log(base::Level::debug, text_of(relation.text, result));
  write(text({{"table", relation.text},
              {"result", !result.equal()         ? "different"
                         : result.unsettled == 0 ? "equal"
                                                 : "unsettled"},
              {"exact", exact_},
              {"lsn", lsn_},
              {"time", time_},
              {"primary_rows", result.primary_rows},
              {"standby_rows", result.standby_rows},
              {"changed", result.changed},
              {"missing", result.missing},
              {"extra", result.extra},
              {"unsettled", result.unsettled},
              {"left_out", result.left_out}}));
}

void DiffReport::add_paused(const std::string& table, const Paused& paused) {
  equal_ = false;
  leave_out(table, "paused", paused.text());
}

void DiffReport::leave_out(const std::string& table, const char* result, const std::string& why) {
  write(text({{"table", table}, {"result", result}, {"why", why}}));
}

void DiffReport::write(const std::string& line) {
  if (file_) base::write_all(file_.get(), line, options_.report.string());
}

Exit DiffReport::end(uint64_t received) {
  for (const auto& [table, paused] : comparison_->paused()) add_paused(table, paused);
  for (const NotComparable& table : comparison_->not_compared().tables())
    leave_out(table.table(), "not compared", table.what());
  if (!unsettled_.empty())
    base::log(base::Level::warn,
              "rows that are written too often to be sure of, so that it is not known whether they "
              "differ: " +
                  unsettled_ + "; start it again when less is written");
  char figures[64];
  std::snprintf(figures, sizeof figures, "%.1f s, %.1f MB", base::monotonic_seconds() - began_,
                static_cast<double>(received) / 1e6);
  base::log(base::Level::info, "compared " + std::to_string(rows_) + " rows of " + std::to_string(tables_) +
                                   " tables on both sides at " + lsn_ + " in " + figures + " received");
  if (!equal_) return Exit::finding;
  return unsettled_.empty() ? Exit::done : Exit::try_later;
}

}  // namespace compare
