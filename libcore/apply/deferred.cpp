#include "apply/deferred.hpp"

#include <map>
#include <vector>

#include "apply/row_copy.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

constexpr uint32_t noted = 1U << 25;  // above every group of statements

std::string group_column() { return pg::quote_identifier(stage_group); }

// A value that was brought, a row that clashes with it, and another that clashes with that row: by all three a value
// that is not there any more, or clashes with nothing but itself, is no fault. LATERAL with a LIMIT keeps to the index.
// What a row has by now stands in the row itself, with what no change carries: generated columns, unchanged TOAST.
std::string find_clash(const TargetTable& table, const UniqueIndex& index) {
  std::string brought;
  std::string clash;
  for (size_t i = 0; i < index.elements.size(); ++i) {
    const std::string e = "e" + std::to_string(i);
    brought += (i == 0 ? "" : ", ") + std::string("(") + index.elements[i] + ") AS " + e;
    clash +=
        " AND " + clashes(index, i, "one." + e, "brought." + e) + " AND " + clashes(index, i, "other." + e, "one." + e);
  }
  const std::string only = index.predicate.empty() ? "" : " AND (" + index.predicate + ")";
  const std::string rows =
      "(SELECT t.tableoid AS of, t.ctid AS at, " + brought + " FROM " + table.rows + " AS t WHERE true" + only + ")";
  const std::string are_noted = " WHERE " + group_column() + " = " + std::to_string(noted);
  const bool by_key = table.match_is_unique && !table.match.empty();
  const std::string all_brought =
      by_key ? "(SELECT * FROM " + table.stage + are_noted + ") AS s CROSS JOIN LATERAL (SELECT " + brought + " FROM " +
                   table.rows + " AS t WHERE " + match_condition(table, "t", "s") + only + " LIMIT 1)"
             : "(SELECT " + brought + " FROM " + table.stage + " AS t" + are_noted + only + ")";
  return "SELECT FROM " + all_brought + " AS brought CROSS JOIN LATERAL (SELECT FROM " + rows + " AS one, " + rows +
         " AS other WHERE (one.of, one.at) <> (other.of, other.at)" + clash + " LIMIT 1) AS found LIMIT 1";
}

std::string reason_of(const UniqueIndex& index) {
  return "another row of the standby has what constraint " + index.name + " keeps single";
}

}  // namespace

RefusedAtEnd::RefusedAtEnd(const std::string& where, const UniqueIndex& index)
    : SqlError(base::Exit::data, where + reason_of(index) + "; see which of the two is right",
               index.excludes ? "23P01" : "23505", reason_of(index)) {}

void Deferred::make_ready(std::span<const Operation* const> operations) {
  for (const Operation* operation : operations)
    if (TargetTable& table = targets_.of(*operation->relation); table.defers) targets_.stage(table);
}

void Deferred::note(std::span<const Operation* const> operations) {
  std::map<TargetTable*, std::vector<const Operation*>> brought;
  const change::Relation* last = nullptr;
  TargetTable* table = nullptr;
  for (const Operation* operation : operations) {
    if (operation->relation != last) table = &targets_.of(*(last = operation->relation));
    if (table->defers && !operation->row.empty() && !incidents_.is_out(*operation)) brought[table].push_back(operation);
  }
  for (const auto& [of, of_it] : brought) {
    targets_.check_types(*of);
    RowCopy rows(session_, targets_.stage(*of), of->forms, true);
    for (const Operation* operation : of_it) {
      std::vector<change::Value> row(operation->row.begin(), operation->row.end());
      for (size_t i = 0; i < operation->key.size(); ++i)
        if (change::Value& now = row[operation->relation->key[i]]; now.kind == change::ValueKind::absent)
          now = operation->key[i];
      rows.add(row, noted);
    }
    rows.finish();
    noted_.insert(of);
  }
}

std::optional<RefusedAtEnd> Deferred::broken() {
  for (TargetTable* table : noted_)
    for (const UniqueIndex& index : targets_.unique_indexes(*table))
      if (index.deferrable && session_.query(find_clash(*table, index)).rows() > 0)
        return RefusedAtEnd(session_.node() + ": table " + table->shape.text + ": ", index);
  return {};
}

std::string Deferred::not_noted() { return group_column() + " <> " + std::to_string(noted); }

}  // namespace apply
