#include "compare/row_fetch.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "pg/error.hpp"

namespace compare {
namespace {

constexpr size_t batch = 1000;  // places in one statement
// A name that no table has; it must not hide the table's own.
constexpr const char* places_name = "\"pgtandem places\"";

}  // namespace

RowFetch::RowFetch(pg::Session& session, const std::string& from, const std::string& columns, std::vector<Place> places)
    : session_(session), from_(from), columns_(columns), places_(std::move(places)) {}

// A look at one ctid for each place, in their order: LATERAL with OFFSET 0 leaves the planner no other way.
void RowFetch::ask() {
  std::string ctids;
  std::string leaves;
  for (; asked_ < std::min(places_.size(), given_ + batch); ++asked_) {
    ctids += (ctids.empty() ? "\"" : ",\"") + places_[asked_].ctid + "\"";
    leaves += (leaves.empty() ? "" : ",") + places_[asked_].leaf;
  }
  const std::string alias = places_name;
  rows_.emplace(session_, "SELECT r.* FROM unnest('{" + ctids + "}'::tid[], '{" + leaves + "}'::oid[]) AS " + alias +
                              " (p, t) CROSS JOIN LATERAL (SELECT " + columns_ + " FROM " + from_ +
                              " WHERE ctid = " + alias + ".p AND tableoid = " + alias + ".t OFFSET 0) AS r");
}

const std::vector<change::Value>& RowFetch::next() try {
  if (given_ == asked_) {
    finish();
    ask();
  }
  if (!rows_->next(values_))
    throw base::Error(base::Exit::bug, session_.node() + ": a row of " + from_ + " is gone from its place");
  ++given_;
  return values_;
} catch (const pg::SqlError& refused) {  // the server sent what came before it
  // 22021: bytes that are no UTF-8, in a database of SQL_ASCII.
  const char* const advice =
      refused.sqlstate() == "22021" ? "; UPDATE that text, or move it to a database of ENCODING 'UTF8'" : "";
  throw refused.saying("the row at ctid " + places_[given_].ctid + ": " + refused.what() + advice);
}

uint64_t RowFetch::finish() {
  if (rows_) {
    rows_->next(values_);  // the end of the last statement's rows
    bytes_ += rows_->bytes();
    rows_.reset();
  }
  return bytes_;
}

}  // namespace compare
