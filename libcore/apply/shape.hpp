// How the shape of a table's rows has changed from one relation line to the next. Pure.
#pragma once

#include <utility>
#include <vector>

#include "change/change.hpp"

namespace apply {

struct ShapeChange {
  std::vector<change::Column> added;
  std::vector<change::Column> dropped;
  std::vector<change::Column> retyped;  // as they are now
};

// A column that was renamed is one dropped and one added: the stream does not say more.
ShapeChange change_of(const change::Relation& was, const change::Relation& is);

// The shape without some of its columns, and without these in the key.
change::Relation without(const change::Relation& relation, const std::vector<std::string>& columns);

}  // namespace apply
