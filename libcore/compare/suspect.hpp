// A row that looks different, named by its key. For whoever gathers such rows and has them looked at again.
#pragma once

#include <string>
#include <vector>

#include "change/change.hpp"

namespace compare {

struct Suspect {
  const change::Relation* relation = nullptr;
  std::vector<change::Value> key;  // as relation->key; values are the caller's
};

// A row that is named several times is looked at once; of a table without a key its copies would be counted twice.
// Afterwards rows of one table stand together.
void drop_doubles(std::vector<Suspect>& rows);

// Its key as JSON; empty where its table has none.
std::string key_text(const Suspect& row);

}  // namespace compare
