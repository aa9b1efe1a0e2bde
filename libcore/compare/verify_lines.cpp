#include "compare/verify_lines.hpp"

#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/files.hpp"
#include "base/lines.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "change/reader.hpp"
#include "compare/catalog_pairs.hpp"
#include "compare/row_key.hpp"
#include "compare/row_proof.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;
using change::Event;
using change::EventType;
using change::Relation;
using change::Value;
using change::ValueKind;

constexpr const char* name = "stdin";

class Lines {
 public:
  Lines(const config::Settings& settings, const VerifyOptions& options, int fd)
      : settings_(settings),
        options_(options),
        fd_(fd),
        node_(settings.secondary(options.asked.node).name),
        tables_(chosen_tables(settings, options.asked.tables)),
        lines_([this](char* to, size_t size) { return read(to, size); }, change::max_line, name),
        reader_(name),
        proof_(settings, node_) {}

  Exit run() {
    std::string_view line;
    while (lines_.next(line)) {
      try {
        if (line.starts_with(R"({"operation_id")"))
          take_report(line);
        else
          take_change(reader_.read(line, lines_.line_number(), proof_.arena()));
      } catch (const NotComparable& failure) {
        leave_out(failure);
      }
      if (proof_.full()) proof_.look();
    }
    if (base::stop_requested()) throw Error(Exit::try_later, "stopped before the proof was complete; start it again");
    if (lines_.partial() > 0) refuse("the last line has no end", 1);
    proof_.look();
    proof_.mark_tables();
    options_.print(options_.json ? proof_.json() : proof_.text());
    if (truncates_ > 0)
      base::log(base::Level::warn, std::to_string(truncates_) +
                                       " truncates and copies name no rows; prove their tables " +
                                       "as a whole (verify --table)");
    if (unnamed_ > 0)
      base::log(base::Level::warn, std::to_string(unnamed_) +
                                       " rows are named by columns that their tables had once, and are not judged; "
                                       "prove the tables as a whole (verify --table)");
    not_compared_.end();
    if (proof_.result() == Exit::try_later)
      throw Error(Exit::try_later, node_ + ": some rows are written too often to be sure of; verify again");
    return proof_.result();
  }

 private:
  size_t read(char* to, size_t size) {
    pollfd fds[2] = {{fd_, POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
    ::poll(fds, 2, -1);
    return base::stop_requested() ? 0 : base::read_some(fd_, to, size, name);
  }

  [[noreturn]] void refuse(const std::string& what, size_t ahead = 0) const {
    throw Error(Exit::data, std::string(name) + ":" + std::to_string(lines_.line_number() + ahead) + ": " + what);
  }

  bool asked_for(const base::TableName& table) {
    if (std::ranges::find(tables_, table) == tables_.end() || not_compared_.has(table)) return false;
    if (!paused_) paused_ = proof_.paused();
    const auto found = paused_->find(table.text());
    if (found != paused_->end()) proof_.leave_out(found->first, found->second);
    return found == paused_->end();
  }

  // It may have been paused since the first line.
  void leave_out(const NotComparable& table) {
    paused_ = proof_.paused();
    const auto found = paused_->find(table.table());
    if (found == paused_->end())
      not_compared_.add(table);
    else
      proof_.leave_out(found->first, found->second);
  }

  // Throws NotComparable; the table's lines are then passed over.
  const TablePair& pair_of(const base::TableName& table) {
    if (!pairs_) pairs_.emplace(settings_, node_);
    return pairs_->of(table).pair;
  }

  void take_change(const Event& event) {
    const Relation* relation = event.relation;
    switch (event.type) {
      case EventType::relation:
        if (asked_for(relation->table)) pair_of(relation->table);
        break;
      case EventType::remove:
        if (asked_for(relation->table)) add_row(*relation, event.key);
        break;
      case EventType::update:
        if (!asked_for(relation->table)) break;
        add_row(*relation, event.key);
        add_row(*relation, key_after(event));
        break;
      case EventType::insert:
        if (asked_for(relation->table)) add_row(*relation, key_after(event));
        break;
      case EventType::truncate:
      case EventType::copy:
        ++truncates_;
        break;
      default:
        break;
    }
  }

  // As the table is now: a line of another shape knows nothing of a column that came since, and would call a row equal
  // that differs there. Where the stream does not tell the row by the table's key, by what it has.
  void add_row(const Relation& stream, std::span<const Value> key) {
    const Relation& relation = pair_of(stream.table).relation;
    std::vector<Value> own;
    for (const uint16_t place : relation.key) {
      if (key.size() != stream.key.size()) break;
      const auto in_key = std::ranges::find_if(
          stream.key, [&](uint16_t i) { return stream.columns[i].name == relation.columns[place].name; });
      if (in_key == stream.key.end()) break;
      own.push_back(key[static_cast<size_t>(in_key - stream.key.begin())]);
    }
    if (own.size() == relation.key.size() && std::ranges::find(own, ValueKind::absent, &Value::kind) == own.end())
      proof_.add(relation, own);
    else if (has_columns_of(stream, relation))
      proof_.add(stream, key);
    else
      ++unnamed_;
  }

  static bool has_columns_of(const Relation& stream, const Relation& relation) {
    return std::ranges::all_of(relation.columns, [&](const change::Column& column) {
      return std::ranges::find(stream.columns, column.name, &change::Column::name) != stream.columns.end();
    });
  }

  // A line of a report knows the table's name and the key, and not its types; the catalogs do.
  void take_report(std::string_view line) {
    try {
      const nlohmann::json json = nlohmann::json::parse(line);
      if (json.at("type") == "truncate") {
        ++truncates_;
        return;
      }
      base::TableName table;
      std::string why;
      if (!base::parse_table_name(json.at("table").get<std::string>(), table, why)) refuse("a table name, " + why);
      if (!asked_for(table)) return;
      const Relation& relation = pair_of(table).relation;
      add_key(relation, json.at("key"));
      if (json.contains("new_key")) add_key(relation, json.at("new_key"));
    } catch (const nlohmann::json::exception&) {
      refuse("no line of a report (apply --report) and no change");
    }
  }

  void add_key(const Relation& relation, const nlohmann::json& json) {
    std::vector<Value> key;
    for (const uint16_t i : relation.key) {
      const change::Column& column = relation.columns[i];
      if (!json.contains(column.name))
        refuse(relation.text + " has \"" + column.name +
               "\" in its key, the line has not; verify the table as a whole");
      const nlohmann::json& value = json.at(column.name);
      if (value.is_null()) {
        key.push_back(Value::null_value());
        continue;
      }
      const std::string text = value.is_string()    ? value.get<std::string>()
                               : value.is_boolean() ? (value.get<bool>() ? "t" : "f")
                                                    : value.dump();
      key.push_back(Value::of({proof_.arena().copy(text), text.size()}));
    }
    proof_.add(relation, key);
  }

  const config::Settings& settings_;
  const VerifyOptions& options_;
  const int fd_;
  const std::string node_;
  const std::vector<base::TableName> tables_;
  base::LineBuffer lines_;
  change::Reader reader_;
  std::optional<CatalogPairs> pairs_;
  RowProof proof_;
  std::optional<PausedTables> paused_;  // read at the first line that names a table
  NotCompared not_compared_;
  uint64_t truncates_ = 0;
  uint64_t unnamed_ = 0;
};

}  // namespace

Exit verify_lines(const config::Settings& settings, const VerifyOptions& options, int fd) {
  if (options.scrub) throw Error(Exit::usage, "--scrub reads tables, and - names rows; leave one of them out");
  if (options.sample > 0) throw Error(Exit::usage, "--sample chooses rows, and - names them; leave one of them out");
  return Lines(settings, options, fd).run();
}

}  // namespace compare
