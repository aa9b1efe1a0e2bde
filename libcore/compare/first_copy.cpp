#include "compare/first_copy.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "change/writer.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/catalog_pairs.hpp"
#include "compare/copy_tables.hpp"
#include "state/journal.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

class FirstCopy {
 public:
  FirstCopy(const config::Settings& settings, const std::string& node)
      : settings_(settings),
        node_(settings.secondary(node).name),
        file_(settings.state_directory / ("copy." + node_ + ".list")) {}

  void run() {
    read_list();
    find_empty();
    write_list();
    copy_all();
    not_compared_.end();
  }

 private:
  void read_list() {
    std::istringstream lines(base::read_file(file_).value_or(""));
    std::string line;
    while (std::getline(lines, line)) {
      const auto& synced = settings_.synchronization.sync_tables;
      const auto found = std::ranges::find_if(synced, [&](const base::TableName& t) { return t.text() == line; });
      if (found != synced.end()) left_.push_back(*found);
    }
  }

  void find_empty() {
    CatalogPairs pairs(settings_, node_);
    for (const base::TableName& table : settings_.synchronization.sync_tables) {
      if (std::ranges::find(left_, table) != left_.end()) continue;
      try {
        if (wants_rows(pairs, pairs.of(table).pair)) left_.push_back(table);
      } catch (const NotComparable& failure) {
        not_compared_.add(failure);
      }
    }
  }

  // A filter is the primary's: where it lets nothing through there is nothing to copy.
  static bool wants_rows(CatalogPairs& pairs, const TablePair& pair) {
    const auto is_empty = [](pg::Session& session, const std::string& from, const std::string& where) {
      return session.query("SELECT FROM " + from + where_sql({where}) + " LIMIT 1").rows() == 0;
    };
    return is_empty(pairs.standby(), pair.standby_from, "") &&
           !is_empty(pairs.primary(), pair.primary_from, pair.primary_where);
  }

  void write_list() const {
    base::make_directories(settings_.state_directory);
    std::string text;
    for (const base::TableName& table : left_) text += table.text() + "\n";
    if (!text.empty()) return base::replace_file(file_, text, base::Durable::yes);
    std::filesystem::remove(file_);
    base::sync_directory(settings_.state_directory);
  }

  // As a repair does, in the same journal.
  void tell(const base::TableName& table, uint64_t rows) const {
    state::Journal journal(settings_.state_directory / ("repairs." + node_ + ".jsonl"));
    std::string line = R"({"time":")" + base::iso_time(base::unix_microseconds()) + R"(","cut":null,"table":)";
    change::append_json_string(line, table.text());
    journal.add(line + ",\"copied\":" + std::to_string(rows) +
                R"(,"inserted":0,"updated":0,"deleted":0,"equal":0,"unsettled":0})");
    journal.sync();
  }

  void copy_all() {
    const CopyTold told{.copied =
                            [this](const base::TableName& table, uint64_t rows) {
                              tell(table, rows);
                              std::erase(left_, table);
                              write_list();
                            },
                        .failed =
                            [this](const base::TableName& table, const Error& failure) {
                              not_compared_.add({table, failure});
                            }};
    base::Backoff backoff(settings_.synchronization.max_retry_attempts, settings_.synchronization.retry_delay);
    for (;;) {
      if (base::stop_requested()) throw Error(Exit::try_later, "stopped before all tables were copied; start it again");
      CopyOptions options{.primary = {}, .node = node_, .tables = left_, .limit = 0};
      std::erase_if(options.tables, [&](const base::TableName& table) { return not_compared_.has(table); });
      if (options.tables.empty()) return;
      try {
        copy_tables(settings_, options, told, {});
      } catch (const Error& failure) {
        const bool heals = dynamic_cast<const base::Transient*>(&failure) != nullptr ||
                           failure.kind() == Exit::try_later || failure.kind() == Exit::unreachable;
        if (!heals || !backoff.wait(failure.what())) throw;
      }
    }
  }

  const config::Settings& settings_;
  const std::string node_;
  const std::filesystem::path file_;
  std::vector<base::TableName> left_;  // to be copied
  NotCompared not_compared_;
};

}  // namespace

void first_copy(const config::Settings& settings, const std::string& node) { FirstCopy(settings, node).run(); }

}  // namespace compare
