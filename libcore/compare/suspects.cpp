#include "compare/suspects.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/hash.hpp"
#include "base/tame.hpp"
#include "pg/copy_out.hpp"

namespace compare {
namespace {

using change::Value;

constexpr uint64_t part_rows = 10000;       // rows of a part, which are in memory at once: a few MB with short keys
constexpr uint64_t most_parts = 512;        // each has a buffer
constexpr size_t waiting_bytes = 2U << 20;  // a side
constexpr size_t batch_buckets = 2048;      // ranges of keys in one statement; 80 KB of it
constexpr uint32_t null_size = UINT32_MAX;
constexpr size_t key_width = 200;  // of what a message shows of a key
// A name that no table has; it must not hide the table's own.
constexpr const char* ranges_name = "\"pgtandem ranges\"";

size_t parts_for(const Sums& a, const Sums& b, const std::vector<uint64_t>& dirty) {
  uint64_t rows = 0;
  for (const uint64_t bucket : dirty) rows += std::max(a[bucket].rows, b[bucket].rows);
  return static_cast<size_t>(std::clamp<uint64_t>(rows / part_rows, 1, most_parts));
}

void put(std::string& out, std::string_view bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += bytes;
}
std::string_view get(std::string_view& from) {
  uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  const std::string_view bytes = from.substr(sizeof size, size == null_size ? 0 : size);
  from.remove_prefix(sizeof size + bytes.size());
  return bytes;
}

// A row as it is kept: key, digest, copies, leaf, ctid, as texts.
struct Row {
  std::string_view key;
  std::string_view digest;
  uint64_t copies = 1;
  Place place() const { return {std::string(leaf), std::string(ctid)}; }
  std::string_view leaf;
  std::string_view ctid;
  bool seen = false;
};
Row take_row(std::string_view& from) {
  Row row;
  row.key = get(from);
  row.digest = get(from);
  const std::string_view copies = get(from);
  std::from_chars(copies.data(), copies.data() + copies.size(), row.copies);
  row.leaf = get(from);
  row.ctid = get(from);
  return row;
}

std::string read_part(Spill& spill, size_t part) {
  std::string bytes;
  spill.read(part, [&](std::string_view more) { bytes += more; });
  return bytes;
}

// By key, in the order in which they came; of rows without a key, where one may come in several pieces, the sum.
struct Table {
  std::string bytes;
  std::vector<Row> rows;
  std::unordered_map<std::string_view, size_t> by_key;
  std::string_view twin;  // a key of which there is more than one

  Table(Spill& spill, size_t part) : bytes(read_part(spill, part)) {
    for (std::string_view left = bytes; !left.empty();) {
      const Row row = take_row(left);
      const auto [at, is_new] = by_key.emplace(row.key, rows.size());
      if (is_new) {
        rows.push_back(row);
      } else {
        rows[at->second].copies += row.copies;
        twin = row.key;
      }
    }
  }
};

std::string list(const std::vector<int64_t>& numbers) {
  std::string out = "'{";
  for (size_t i = 0; i < numbers.size(); ++i) out += (i == 0 ? "" : ",") + std::to_string(numbers[i]);
  return out + "}'::bigint[]";
}

// One side's rows by key. As it is compared, a key may be no key: where a char(n) is a varchar on the standby, and has
// 'a' and 'a ' there; or its index is broken.
void check_single(const Table& table, const std::string& node) {
  if (table.twin.empty()) return;
  std::vector<Value> values;
  const std::string key(table.twin);
  read_key(key, values);
  std::string text;
  for (const Value& value : values) text += (text.empty() ? "" : ", ") + std::string(value.text());
  throw Inconsistent(node, "several rows have the key (" + base::tame(text, key_width) +
                               ") as it is compared; leave one of them, and declare the key as on the primary");
}

}  // namespace

void read_key(const std::string& key, std::vector<Value>& values) {
  values.clear();
  for (std::string_view left = key; !left.empty();) {
    uint32_t size = 0;
    std::memcpy(&size, left.data(), sizeof size);
    const std::string_view bytes = get(left);
    values.push_back(size == null_size ? Value::null_value() : Value::of(bytes));
  }
}

Suspects::Suspects(const Recipe& recipe, std::vector<uint64_t> dirty, const Sums& primary_sums,
                   const Sums& standby_sums)
    : recipe_(recipe),
      dirty_(std::move(dirty)),
      primary_sums_(primary_sums),
      standby_sums_(standby_sums),
      primary_(parts_for(primary_sums, standby_sums, dirty_), waiting_bytes),
      standby_(primary_.parts(), waiting_bytes) {}

// Ranges of the key's index, many in one statement: LATERAL with OFFSET 0 leaves the planner no other way than one look
// into the index for each.
std::vector<std::string> Suspects::index_queries(const TableRead& table) const {
  std::vector<std::string> out;
  const std::string& key = recipe_.key.front().sql;
  const std::string alias = ranges_name;
  const std::string rows = ") AS " + alias + " (lo, hi) CROSS JOIN LATERAL (SELECT k, " + mixed("x", recipe_.digest) +
                           ", t, p FROM (SELECT " + key + " AS k, " + row_hash(recipe_.columns, recipe_.digest) +
                           " AS x, tableoid AS t, ctid AS p FROM " + table.from +
                           where_sql({recipe_.key_column + " >= " + alias + ".lo",
                                      recipe_.key_column + " <= " + alias + ".hi", table.where}) +
                           " OFFSET 0) AS i OFFSET 0) AS r";
  for (size_t begin = 0; begin < dirty_.size(); begin += batch_buckets) {
    std::vector<int64_t> least;
    std::vector<int64_t> greatest;
    for (size_t i = begin; i < std::min(dirty_.size(), begin + batch_buckets); ++i) {
      least.push_back(recipe_.plan.least(dirty_[i]));
      greatest.push_back(recipe_.plan.greatest(dirty_[i]));
    }
    out.push_back("SELECT r.* FROM unnest(" + list(least) + ", " + list(greatest) + rows);
  }
  return out;
}

// All pages again; the digest is worked out for rows of dirty buckets only. The subquery under IS TRUE is asked as a
// hash table; as a plain IN it might become a join.
std::string Suspects::page_query(const TableRead& table, const std::string& range) const {
  std::vector<int64_t> buckets;
  for (const uint64_t bucket : dirty_)
    buckets.push_back(static_cast<int64_t>(static_cast<uint64_t>(recipe_.plan.first) + bucket));
  const auto is_dirty = [&](const std::string& bucket) {
    return dirty_.size() == recipe_.plan.count ? ""
                                               : "(" + bucket + " IN (SELECT unnest(" + list(buckets) + "))) IS TRUE";
  };
  const std::string hash =
      row_hash(recipe_.columns, recipe_.digest) + " AS x, tableoid AS t, ctid AS p FROM " + table.from;
  if (recipe_.plan.by == BucketPlan::By::row)
    return "SELECT m, count(*), min(t::text || ' ' || p::text) FROM (SELECT " + mixed("x", recipe_.digest) +
           " AS m, t, p FROM (SELECT " + hash + where_sql({range, table.where}) + " OFFSET 0) AS d OFFSET 0) AS g" +
           where_sql({is_dirty(bucket_sql(recipe_.plan, "m"))}) + " GROUP BY m";
  std::string keys;
  std::string names;
  for (size_t i = 0; i < recipe_.key.size(); ++i) {
    const std::string name = "k" + std::to_string(i);
    keys += recipe_.key[i].sql + " AS " + name + ", ";
    names += name + ", ";
  }
  return "SELECT " + names + mixed("x", recipe_.digest) + ", t, p FROM (SELECT " + keys + hash +
         where_sql({range, table.where, is_dirty(bucket_of_row(recipe_))}) + " OFFSET 0) AS r";
}

std::vector<std::string> Suspects::queries(const TableRead& table, const Sums& sums, size_t jobs) const {
  uint64_t rows = 0;
  uint64_t all = 0;
  for (const uint64_t bucket : dirty_) rows += sums[bucket].rows;
  for (const Sum& sum : sums) all += sum.rows;
  // Through the index a row costs several times as much as in the order of pages.
  if (recipe_.plan.by == BucketPlan::By::key_range && rows < all / 6) return index_queries(table);
  std::vector<std::string> out;
  const uint64_t parts = table.ranges ? jobs : 1;
  for (uint64_t i = 0; i < parts; ++i)
    out.push_back(
        page_query(table, range_sql({table.pages * i / parts, table.pages * (i + 1) / parts, i + 1 == parts})));
  return out;
}

struct Suspects::Reading {
  Side& side;
  Spill& into;
  std::vector<std::string> queries;
  size_t next = 0;
  uint64_t rows = 0;
  std::mutex mutex;
};

void Suspects::collect(Side& primary, const TableRead& primary_table, Side& standby, const TableRead& standby_table,
                       const std::function<void()>& meanwhile) {
  Reading ours{primary, primary_, queries(primary_table, primary_sums_, primary.jobs()), 0, 0, {}};
  Reading theirs{standby, standby_, queries(standby_table, standby_sums_, standby.jobs()), 0, 0, {}};
  std::vector<std::function<void()>> tasks;
  for (Reading* reading : {&ours, &theirs})
    for (size_t job = 0; job < reading->side.jobs(); ++job)
      tasks.emplace_back([this, reading, job] {
        for (;;) {
          std::string query;
          {
            const std::lock_guard lock(reading->mutex);
            if (reading->next == reading->queries.size()) return;
            query = std::move(reading->queries[reading->next++]);
          }
          read(*reading, job, query);
        }
      });
  run_together(std::move(tasks), meanwhile);
  primary_node_ = primary.node();
  standby_node_ = standby.node();
  if (should_end() || recipe_.plan.by == BucketPlan::By::row) return;
  for (const auto& [reading, sums] : {std::pair(&ours, &primary_sums_), std::pair(&theirs, &standby_sums_)}) {
    uint64_t rows = 0;
    for (const uint64_t bucket : dirty_) rows += (*sums)[bucket].rows;
    if (reading->rows != rows)
      throw Inconsistent(reading->side.node(), std::to_string(rows) +
                                                   " rows are in the table where the key's index has " +
                                                   std::to_string(reading->rows) + "; REINDEX TABLE");
  }
}

void Suspects::read(Reading& reading, size_t job, const std::string& query) {
  pg::CopyOut rows(reading.side.session(job), query, should_end);
  std::vector<Value> values;
  std::string key;
  std::string record;
  const bool copies = recipe_.plan.by == BucketPlan::By::row;
  while (!should_end() && rows.next(values)) {
    key.clear();
    record.clear();
    const size_t keys = copies ? 1 : recipe_.key.size();
    for (size_t i = 0; i < keys; ++i) {
      if (values[i].kind == change::ValueKind::null)
        key.append(reinterpret_cast<const char*>(&null_size), sizeof null_size);
      else
        put(key, values[i].text());
    }
    put(record, key);
    if (copies) {
      const std::string_view place = values[2].text();
      const size_t blank = place.find(' ');
      for (const std::string_view text :
           {std::string_view(), values[1].text(), place.substr(0, blank), place.substr(blank + 1)})
        put(record, text);
    } else {
      for (const std::string_view text :
           {values[keys].text(), std::string_view("1"), values[keys + 1].text(), values[keys + 2].text()})
        put(record, text);
    }
    const std::lock_guard lock(reading.mutex);
    ++reading.rows;
    reading.into.add(base::hash_bytes(key) % reading.into.parts(), record);
  }
  const std::lock_guard lock(reading.mutex);
  reading.side.received += rows.bytes();
}

void Suspects::match_keys(size_t part, Differences& differences) {
  Table ours(primary_, part);
  const Table theirs(standby_, part);
  check_single(ours, primary_node_);
  check_single(theirs, standby_node_);
  for (const Row& row : theirs.rows) {
    const auto found = ours.by_key.find(row.key);
    if (found == ours.by_key.end()) {
      differences.extra.push_back({std::string(row.key), {}, row.place()});
      continue;
    }
    Row& other = ours.rows[found->second];
    other.seen = true;
    if (other.digest != row.digest) differences.changed.push_back({std::string(row.key), other.place(), row.place()});
  }
  for (const Row& row : ours.rows)
    if (!row.seen) differences.missing.push_back({std::string(row.key), row.place(), {}});
}

void Suspects::match_copies(size_t part, Differences& differences) {
  Table ours(primary_, part);
  const Table theirs(standby_, part);
  for (const Row& row : theirs.rows) {
    const auto found = ours.by_key.find(row.key);
    uint64_t there = 0;
    if (found != ours.by_key.end()) {
      Row& other = ours.rows[found->second];
      there = other.copies;
      other.seen = true;
      if (there > row.copies) differences.missing.push_back({"", other.place(), {}, there - row.copies});
    }
    if (row.copies > there) differences.extra.push_back({"", {}, row.place(), row.copies - there});
  }
  for (const Row& row : ours.rows)
    if (!row.seen) differences.missing.push_back({"", row.place(), {}, row.copies});
}

void Suspects::match(const std::function<void(const Differences&)>& take) {
  for (size_t part = 0; part < primary_.parts(); ++part) {
    Differences differences;
    if (recipe_.plan.by == BucketPlan::By::row)
      match_copies(part, differences);
    else
      match_keys(part, differences);
    take(differences);
  }
}

}  // namespace compare
