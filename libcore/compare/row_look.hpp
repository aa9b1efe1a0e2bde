// The rows of some keys, as one server has them now or in its snapshot. Owns the statement; writes nothing. One
// session, one thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apply/target.hpp"
#include "change/change.hpp"
#include "pg/session.hpp"

namespace compare {

// A row to look at: its key as relation->key, in the change format's texts.
using RowKey = std::span<const change::Value>;

// One column of all keys, as the text form of text[].
std::string key_array(std::span<const RowKey> keys, size_t column);

struct SeenRow {
  uint64_t copies = 0;                             // of a table with a key: 0 or 1
  std::vector<std::optional<std::string>> values;  // as relation->columns; only of a table with a key
  // The row's place and writer, to see whether it was written since; without a key of all such rows, as one number.
  std::string version;
};

class RowLook {
 public:
  // `meanwhile` is called five times a second while the server looks, which takes as long as reading the table where it
  // has no key; when it returns true, find() breaks off and throws Transient(try_later).
  RowLook(pg::Session& session, std::function<bool()> meanwhile)
      : session_(session), targets_(apply::Targets::to_look(session)), meanwhile_(std::move(meanwhile)) {}

  // One for each of `keys`. Under identity full (a table without a key) a key is a whole row, and what counts is how
  // many there are like it. `where`: only rows that fit it are there at all; as pg::quote_condition() gives it, or
  // empty. Without `values` of whether it is there and its version only. Throws apply::Unfit where the table does not
  // fit the relation.
  std::vector<SeenRow> find(const change::Relation& relation, std::span<const RowKey> keys, const std::string& where,
                            bool values = true);
  // The columns' types with length and scale, as relation->columns.
  const std::vector<std::string>& declared(const change::Relation& relation);

 private:
  pg::Session& session_;
  apply::Targets targets_;
  const std::function<bool()> meanwhile_;
  std::map<const change::Relation*, std::vector<std::string>> declared_;
};

}  // namespace compare
