#include "compare/table_diff.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "compare/row_fetch.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

using change::EventType;
using change::Value;

template <class Integer>
Integer number(std::string_view text) {
  Integer value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool same_value(const Value& a, const Value& b) { return a.kind == b.kind && a.text() == b.text(); }

[[noreturn]] void stopped() {
  throw base::Error(base::Exit::try_later, "stopped before the comparison was complete; start it again");
}

std::vector<Place> places(const std::vector<Found>& rows, Place Found::*side) {
  std::vector<Place> out;
  out.reserve(rows.size());
  for (const Found& row : rows) out.push_back(row.*side);
  return out;
}

}  // namespace

std::string text_of(const std::string& table, const TableResult& result) {
  const bool known = result.unsettled == 0;
  std::string out = table +
                    (!result.equal() ? "  different  "
                     : known         ? "  equal  "
                                     : "  unsettled  ") +
                    std::to_string(result.primary_rows) + " rows";
  if (result.primary_rows != result.standby_rows) out += ", " + std::to_string(result.standby_rows) + " on the standby";
  if (!result.equal())
    out += ": " + std::to_string(result.changed) + " changed, " + std::to_string(result.missing) + " missing, " +
           std::to_string(result.extra) + " extra";
  if (!known) out += (result.equal() ? ": " : ", ") + std::to_string(result.unsettled) + " unsettled";
  return out + left_out_by_program(result.left_out);
}

TableDiff::TableDiff(Side& primary, Side& standby, const TablePair& pair, Digest digest, ChangeLines* lines,
                     uint64_t copy_above, ProgressMeter& meter, const Beside& beside)
    : primary_(primary),
      standby_(standby),
      pair_(pair),
      lines_(beside.settled != nullptr ? nullptr : lines),
      copy_above_(copy_above),
      meter_(meter),
      beside_(beside),
      sieve_(beside.sieve != nullptr && beside.sieve->active() && beside.settled == nullptr ? beside.sieve : nullptr) {
  recipe_.digest = digest;
  recipe_.columns = pair.columns;
  recipe_.key = pair.key;
  if (pair.integer_key) recipe_.key_column = key_column(pair);
  for (const change::Column& column : pair.relation.columns)
    columns_ += (columns_.empty() ? "" : ", ") + pg::quote_identifier(column.name);
  for (size_t i = 0; i < pair.mixed.size(); ++i) {
    if (!pair.mixed[i]) continue;
    mixed_.push_back(i);
    columns_ += ", " + pair.columns[i].sql;
  }
}

void TableDiff::only(const std::string& range, uint64_t rows) {
  range_ = range;
  range_rows_ = rows;
}

TableResult TableDiff::run(const TableShape& primary, const TableShape& standby) {
  ours_ = primary_read(pair_, primary);
  theirs_ = standby_read(pair_, standby);
  for (TableRead* table : {&ours_, &theirs_}) {
    if (range_.empty()) continue;
    table->where = range_ + (table->where.empty() ? "" : " AND " + table->where);
    table->rows = static_cast<double>(range_rows_);
    table->ranges = false;
  }
  if (lines_ != nullptr) lines_->begin_table(pair_.relation);
  if (beside_.settled != nullptr) beside_.settled->begin_table(pair_);
  if (beside_.way != nullptr) beside_.way->look();
  if (!copy_whole()) {
    plan();
    const std::vector<uint64_t> dirty = sum_up();
    if (!dirty.empty()) examine(dirty);
  }
  return result_;
}

void TableDiff::meanwhile(uint64_t rows) {
  meter_.at(rows);
  if (beside_.way != nullptr) beside_.way->look();
}

// What may read all of a table before it answers.
pg::Result TableDiff::ask(Side& side, const std::string& sql) const {
  pg::Result answer(nullptr);
  run_together({[&] { answer = side.session().query_until_stopped(sql, {}, should_end); }}, [&] {
    if (beside_.way != nullptr) beside_.way->look();
  });
  if (!answer) stopped();
  return answer;
}

// True where a copy line says it all.
bool TableDiff::copy_whole() {
  if (lines_ == nullptr || copy_above_ == UINT64_MAX) return false;
  if (ask(standby_, "SELECT FROM " + theirs_.from + where_sql({theirs_.where}) + " LIMIT 1").rows() > 0) return false;
  const pg::Result rows = ask(primary_, "SELECT count(*) FROM (SELECT FROM " + ours_.from + where_sql({ours_.where}) +
                                            " LIMIT " + std::to_string(copy_above_ + 1) + ") AS r");
  const auto count = number<uint64_t>(rows.get(0, 0));
  if (count <= copy_above_) return false;
  result_.primary_rows = result_.missing = count;
  result_.copied = true;
  lines_->copy();
  return true;
}

void TableDiff::plan() {
  const double rows = std::max(ours_.rows, theirs_.rows);
  if (pair_.key.empty()) {
    recipe_.plan = plan_by_hash(BucketPlan::By::row, rows);
    return;
  }
  recipe_.plan = plan_by_hash(BucketPlan::By::key_hash, rows);
  if (!pair_.integer_key) return;
  std::optional<int64_t> least;
  std::optional<int64_t> greatest;
  for (const auto& [side, table] : {std::pair(&primary_, &ours_), std::pair(&standby_, &theirs_)}) {
    // Without the filter's condition, which no index knows: the range may be too wide, never too narrow.
    const pg::Result ends = side->session().query("SELECT min(" + recipe_.key_column + "), max(" + recipe_.key_column +
                                                  ") FROM " + table->from + where_sql({range_}));
    if (ends.is_null(0, 0)) continue;
    const auto low = number<int64_t>(ends.get(0, 0));
    const auto high = number<int64_t>(ends.get(0, 1));
    least = std::min(least.value_or(low), low);
    greatest = std::max(greatest.value_or(high), high);
  }
  if (least) recipe_.plan = plan_by_range(*least, *greatest, rows);
}

std::vector<uint64_t> TableDiff::sum_up() {
  our_sums_.assign(recipe_.plan.count, {});
  their_sums_.assign(recipe_.plan.count, {});
  std::atomic<uint64_t> rows{0};
  meter_.begin(pair_.relation.text, static_cast<uint64_t>(ours_.rows + theirs_.rows));
  SumTasks ours(primary_, ours_, recipe_, our_sums_, rows);
  SumTasks theirs(standby_, theirs_, recipe_, their_sums_, rows);
  std::vector<std::function<void()>> tasks;
  ours.add_to(tasks);
  theirs.add_to(tasks);
  run_together(std::move(tasks), [&] { meanwhile(rows); });
  if (should_end()) stopped();
  meter_.at(rows);
  std::vector<uint64_t> dirty;
  for (uint64_t i = 0; i < recipe_.plan.count; ++i) {
    result_.primary_rows += our_sums_[i].rows;
    result_.standby_rows += their_sums_[i].rows;
    if (our_sums_[i] != their_sums_[i]) dirty.push_back(i);
  }
  return dirty;
}

void TableDiff::examine(std::vector<uint64_t> dirty) {
  base::log(base::Level::debug, pair_.relation.text + ": " + std::to_string(dirty.size()) + " of " +
                                    std::to_string(recipe_.plan.count) + " buckets differ");
  Suspects suspects(recipe_, std::move(dirty), our_sums_, their_sums_);
  suspects.collect(primary_, ours_, standby_, theirs_, [&] { meanwhile(result_.primary_rows + result_.standby_rows); });
  suspects.match([&](const Differences& differences) { take(differences); });
}

void TableDiff::take(const Differences& differences) {
  if (base::stop_requested()) stopped();
  meanwhile(result_.primary_rows + result_.standby_rows);
  take_extra(differences.extra);
  take_changed(differences.changed);
  take_missing(differences.missing);
  ask_sieve();
}

void TableDiff::count(EventType type, uint64_t copies) {
  (type == EventType::insert ? result_.missing : type == EventType::update ? result_.changed : result_.extra) += copies;
}

// A difference, counted and printed; where a program filters, when it has said so.
void TableDiff::tell(EventType type, std::span<const Value> key, std::span<const Value> row, uint64_t copies) {
  if (sieve_ != nullptr) {
    const std::string_view line = sieve_->add(type, pair_.relation, key, row);
    waiting_.push_back({type, copies, lines_ != nullptr ? std::string(line) : std::string()});
    if (sieve_->full()) ask_sieve();
    return;
  }
  count(type, copies);
  if (beside_.settled != nullptr) beside_.settled->add(key);
  for (uint64_t i = 0; lines_ != nullptr && i < copies; ++i)
    type == EventType::insert   ? lines_->insert(key, row)
    : type == EventType::update ? lines_->update(key, row)
                                : lines_->remove(key);
}

void TableDiff::ask_sieve() {
  if (waiting_.empty()) return;
  const std::vector<bool> kept = sieve_->ask();
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& it = waiting_[i];
    if (!kept[i]) {
      result_.left_out += it.copies;
      continue;
    }
    count(it.type, it.copies);
    for (uint64_t copy = 0; lines_ != nullptr && copy < it.copies; ++copy) lines_->add(it.type, it.line);
  }
  waiting_.clear();
}

void TableDiff::take_extra(const std::vector<Found>& rows) {
  if (!wants_rows()) {
    for (const Found& row : rows) count(EventType::remove, row.copies);
    return;
  }
  if (rows.empty()) return;
  std::vector<Value> key;
  if (!pair_.key.empty()) {
    for (const Found& row : rows) {
      read_key(row.key, key);
      tell(EventType::remove, key, {}, row.copies);
    }
    return;
  }
  RowFetch fetch(standby_.session(), theirs_.from, columns_, places(rows, &Found::standby));
  for (const Found& row : rows) {
    key = fetch.next();
    key.resize(pair_.relation.columns.size());
    tell(EventType::remove, key, {}, row.copies);
  }
  standby_.received += fetch.finish();
}

// The digests narrow, the values decide: both rows are read, and what is printed differs in a value. What is looked at
// again is read then.
void TableDiff::take_changed(const std::vector<Found>& rows) {
  if (rows.empty()) return;
  std::vector<Value> key;
  if (beside_.settled != nullptr) {
    for (const Found& row : rows) {
      read_key(row.key, key);
      tell(EventType::update, key, {}, 1);
    }
    return;
  }
  RowFetch ours(primary_.session(), ours_.from, columns_, places(rows, &Found::primary));
  RowFetch theirs(standby_.session(), theirs_.from, columns_, places(rows, &Found::standby));
  const size_t width = pair_.relation.columns.size();
  for (const Found& row : rows) {
    const std::vector<Value>& here = ours.next();
    const std::vector<Value>& there = theirs.next();
    bool same = true;
    for (size_t i = 0, other = width; i < width; ++i) {
      const size_t at = pair_.mixed[i] ? other++ : i;
      same = same && same_value(here[at], there[at]);
    }
    if (same) continue;
    read_key(row.key, key);
    tell(EventType::update, key, std::span(here).first(width), 1);
  }
  primary_.received += ours.finish();
  standby_.received += theirs.finish();
}

void TableDiff::take_missing(const std::vector<Found>& rows) {
  if (!wants_rows()) {
    for (const Found& row : rows) count(EventType::insert, row.copies);
    return;
  }
  if (rows.empty()) return;
  RowFetch fetch(primary_.session(), ours_.from, columns_, places(rows, &Found::primary));
  const size_t width = pair_.relation.columns.size();
  std::vector<Value> key;
  for (const Found& row : rows) {
    const std::span<const Value> values = std::span(fetch.next()).first(width);
    key.clear();
    for (const uint16_t i : pair_.relation.key) key.push_back(values[i]);
    tell(EventType::insert, key, values, row.copies);
  }
  primary_.received += fetch.finish();
}

}  // namespace compare
