// The standby's side of each table in the stream: that it is there and fits, and the statements that write to it. Owns
// what was read from the standby's catalog, and the staging tables of its session; writes no row of a user's table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "apply/fold.hpp"
#include "apply/misfit.hpp"
#include "apply/tables.hpp"
#include "base/error.hpp"
#include "change/change.hpp"
#include "pg/binary.hpp"
#include "pg/session.hpp"

namespace apply {

// What may pass in the primary's order, or stops only the transaction that it is in.
bool is_about_rows(const base::Error& error);

// What a unique index of the standby keeps single, or an exclusion constraint apart.
struct UniqueIndex {
  std::vector<std::string> elements;  // columns (quoted) or expressions, as SQL over the table
  std::vector<std::string> equals;    // as elements: (COLLATE and) the operator that is true of two that clash
  std::string predicate;              // of a partial one
  bool null_is_taken = false;         // NULLS NOT DISTINCT
  bool deferrable = false;            // kept by a trigger of PostgreSQL's own, not at once
  std::string name;                   // as the server spells it
  bool excludes = false;              // an exclusion constraint's
};

struct TargetTable {
  change::Relation shape;  // as the stream has it
  std::string name;        // quoted
  std::string rows;        // name, where its rows are read: ONLY, without those of tables that inherit from it
  std::vector<std::string> columns;  // quoted, as shape.columns
  std::vector<std::string> types;    // theirs here, for casts
  std::vector<uint32_t> type_oids;
  std::vector<bool> domains;
  std::vector<pg::Binary> forms;    // as COPY may have them
  std::vector<bool> always;         // GENERATED ALWAYS AS IDENTITY here: may be inserted, but not set
  std::vector<uint16_t> match;      // columns that find a row: the key; under FULL the standby's primary key, or all
  std::vector<std::string> equals;  // as match: (COLLATE and) operator by which the index tells keys apart; or empty
  bool has_own_columns = false;     // that the stream does not have, and that are not generated
  bool partitioned = false;
  bool fires = false;           // has triggers that fire for a replica, too (ENABLE ALWAYS or REPLICA)
  bool defers = false;          // has a unique index that is deferrable
  bool match_is_unique = true;  // false: FULL and no primary key there; one of the rows that look alike is meant
  int depth = 0;                // above every table that it references
  std::optional<std::vector<UniqueIndex>> unique;  // once asked for
  std::string stage;                               // the session's staging table for it, made at its first use
};

// SQL that is true where two rows cannot both be there, as far as one element of the index tells.
std::string clashes(const UniqueIndex& index, size_t element, const std::string& left, const std::string& right);

// The staging tables' first column: which statement a row is for. No user would name a column so.
constexpr const char* stage_group = "pgtandem statement";

class Targets {
 public:
  // `tables`: what each table took last; none where only an old change is looked at. `follows`: a column that the
  // primary dropped, or gave another type, has to change here, too.
  explicit Targets(pg::Session& session, const Tables* tables = nullptr, bool follows = false)
      : Targets(session, tables, follows, true) {}
  // For who only reads: triggers and rules of the tables, on either side, are nothing to him.
  static Targets to_look(pg::Session& session) { return {session, nullptr, false, false}; }

  // Throws Misfit, with what to do, when the standby has no such table, lacks a column or a unique index on the
  // key, or did not follow a change of the primary's table; Error(no_right) when the role would see or do to its rows
  // something else than what it is told.
  TargetTable& of(const change::Relation& relation);
  // To be called before the stream that the relations are of goes: the next one's may lie at the same addresses. What
  // was read of the standby, and the staging tables, stay.
  void forget_addresses() { by_address_.clear(); }
  // The staging table: stage_group and those of the relation, with the standby's types; emptied at each commit. A
  // domain's column has the type below it there, which takes a NULL for what is not known of a row; and what finds no
  // row has no length or scale there, for those may be altered while the session lives.
  const std::string& stage(TargetTable& table);
  const std::vector<UniqueIndex>& unique_indexes(TargetTable& table);
  // The table quoted, as TRUNCATE wants it: ONLY, if it is not partitioned.
  std::string alone(const base::TableName& table);
  // Throws Unfit when a column's type is no longer what it was when it was read: its binary form might be taken for
  // another value. Asks nothing where rows go as text. Holds the table's shape until the end of the transaction.
  void check_types(const TargetTable& table);

 private:
  Targets(pg::Session& session, const Tables* tables, bool follows, bool writes)
      : session_(session), tables_(tables), follows_(follows), writes_(writes) {}
  void check_asleep(const TargetTable& table, const std::string& oid);
  void read_columns(TargetTable& table, const std::string& oid);
  void read_match(TargetTable& table, const std::string& oid);
  int depth_of(const std::string& oid);

  pg::Session& session_;
  const Tables* const tables_;
  const bool follows_;
  const bool writes_;
  std::vector<std::unique_ptr<TargetTable>> known_;
  std::unordered_map<const change::Relation*, TargetTable*> by_address_;
  std::multimap<std::string, std::string> references_;  // table OID to the OIDs it references
  bool references_read_ = false;
  int stages_ = 0;
};

// " , "-joined names, and `a = b AND …` over the match columns of a table, each by its index's own operator: with no
// search_path `=` is not found for a type of an extension, or is found for another type (citext's as text).
std::string column_list(const TargetTable& table);
std::string match_condition(const TargetTable& table, const std::string& left, const std::string& right);

// What an UPDATE of `t` sets where there is nothing to set, and its row has to be there all the same: in a table of
// nothing but its key, or where no other value was sent. An identity ALWAYS may not be named, not even as itself.
std::string set_nothing(const TargetTable& table);

}  // namespace apply
