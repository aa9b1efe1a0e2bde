// The keys of one table's rows that changes name, each once. Owns their bytes, and how a change is read for the key by
// which the comparison knows the table's rows, which need not be the stream's. Pure. For the scrub.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "base/arena.hpp"
#include "change/change.hpp"
#include "compare/row_look.hpp"

namespace compare {

class TouchedKeys {
 public:
  // `relation`: the comparison's, with a key; it has to stay.
  explicit TouchedKeys(const change::Relation& relation) : relation_(&relation) {}

  // An insert, update or remove: the row as it was and as it is now. False where the line does not tell which row.
  bool add(const change::Event& event);
  // As relation.key; until clear().
  const std::vector<std::vector<change::Value>>& keys() const { return keys_; }
  size_t bytes() const { return arena_.used(); }
  void clear();

 private:
  bool add(const std::vector<change::Value>& key);

  const change::Relation* relation_;
  base::Arena arena_;
  std::vector<std::vector<change::Value>> keys_;
  std::unordered_set<std::string> known_;
};

}  // namespace compare
