#include "compare/repair_counts.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "change/writer.hpp"
#include "compare/sieve.hpp"

namespace compare {
namespace {

std::string text_of(const RepairCount& count) {
  std::string text;
  if (count.copied > 0) text += "copied " + std::to_string(count.copied) + " rows, ";
  text += "repaired " + std::to_string(count.mended()) + " (" + std::to_string(count.inserted) + " inserted, " +
          std::to_string(count.updated) + " updated, " + std::to_string(count.deleted) + " deleted)";
  if (count.equal > 0) text += "; " + std::to_string(count.equal) + " had become equal";
  text += left_out_by_program(count.left_out, "; ");
  if (count.unsettled > 0)
    text += "; " + std::to_string(count.unsettled) + " left, which are written too often to be sure of";
  if (count.refused > 0)
    text += "; " + std::to_string(count.refused) + " refused by the standby: mend what refuses them, and compare again";
  return text;
}

bool is_left(const RepairCount& count) { return count.unsettled > 0 || count.refused > 0; }

}  // namespace

void add(const RepairCounts& counts, RepairCounts& totals) {
  for (const auto& [table, count] : counts) {
    RepairCount& total = totals[table];
    total.inserted += count.inserted;
    total.updated += count.updated;
    total.deleted += count.deleted;
    total.copied += count.copied;
    total.equal += count.equal;
    total.unsettled += count.unsettled;
    total.left_out += count.left_out;
    total.refused += count.refused;
  }
}

bool anything_left(const RepairCounts& totals) {
  return std::ranges::any_of(totals, [](const auto& table) { return is_left(table.second); });
}

void tell(const RepairCounts& totals, const std::string& node, bool tried) {
  for (const auto& [table, count] : totals)
    base::log(is_left(count) ? base::Level::warn : base::Level::info,
              (tried ? "would have " : "") + node + ": " + table + ": " + text_of(count));
}

void record(const RepairCounts& totals, change::Lsn cut, state::Journal& journal) {
  for (const auto& [table, count] : totals) {
    std::string line =
        R"({"time":")" + base::iso_time(base::unix_microseconds()) + R"(","cut":")" + cut.text() + R"(","table":)";
    change::append_json_string(line, table);
    const auto figure = [&](const char* name, uint64_t value) {
      line += std::string(",\"") + name + "\":" + std::to_string(value);
    };
    figure("copied", count.copied);
    figure("inserted", count.inserted);
    figure("updated", count.updated);
    figure("deleted", count.deleted);
    figure("equal", count.equal);
    figure("unsettled", count.unsettled);
    figure("left_out", count.left_out);
    figure("refused", count.refused);
    journal.add(line + "}");
  }
  journal.sync();
}

}  // namespace compare
