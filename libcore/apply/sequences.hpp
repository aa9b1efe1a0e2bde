// The sequences that columns of synced tables own on the standby (serial, identity): each goes on after every value
// that comes with a row, so that a standby which becomes the primary meets no duplicate key. Owns what is known of
// them. Sequences know no transaction and no order of commits, so of several sessions all ask this one, batch by batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "apply/piece.hpp"
#include "base/table_name.hpp"
#include "change/change.hpp"
#include "pg/session.hpp"

namespace apply {

class Sequences {
 public:
  // Moves them after the values of `piece`, whose rows `session` has written and not committed.
  void follow(pg::Session& session, const Piece& piece);

 private:
  struct Owned {
    size_t column = 0;  // in relation->columns
    std::string name;   // quoted
    int64_t increment = 1;
    int64_t min = 0;  // it gives nothing outside: values there come from elsewhere, and never meet it
    int64_t max = 0;
    int64_t value = 0;  // as last read or set; the next nextval() goes on from it
  };
  std::vector<Owned>& of(pg::Session& session, const change::Relation& relation);

  std::unordered_map<const change::Relation*, std::vector<Owned>> owned_;
};

// After rows that came in another way, as by COPY: the table's sequences go on after the greatest value that is there.
void go_on_after_rows(pg::Session& session, const base::TableName& table);

// Whether the role may TRUNCATE … RESTART IDENTITY: that takes the owner of every sequence that the tables' columns
// own. Who may not truncates without it and calls restart(), for which UPDATE on them is enough. No rollback takes that
// back; the next try then finds the same truncate first, and nothing but apply writes here.
bool may_restart(pg::Session& session, const std::vector<base::TableName>& tables);
void restart(pg::Session& session, const std::vector<base::TableName>& tables);

}  // namespace apply
