// Which row a change line means once it is applied. Pure; for whoever looks rows of a stream up again.
#pragma once

#include <vector>

#include "change/change.hpp"

namespace compare {

// The key of the row as the line leaves it: the old one, but where `new` has another value. Insert and update only.
inline std::vector<change::Value> key_after(const change::Event& event) {
  std::vector<change::Value> key;
  for (size_t i = 0; i < event.relation->key.size(); ++i) {
    const change::Value& value = event.row[event.relation->key[i]];
    key.push_back(value.kind == change::ValueKind::absent && !event.key.empty() ? event.key[i] : value);
  }
  return key;
}

}  // namespace compare
