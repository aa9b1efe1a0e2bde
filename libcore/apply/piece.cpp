#include "apply/piece.hpp"

#include "change/writer.hpp"

namespace apply {

const char* type_name(change::EventType type) {
  switch (type) {
    case change::EventType::insert:
      return "insert";
    case change::EventType::update:
      return "update";
    default:
      return "delete";
  }
}

std::string line_of(const Operation& operation) {
  std::string line;
  switch (operation.type) {
    case change::EventType::insert:
      change::append_insert(line, *operation.relation, operation.key, operation.row);
      break;
    case change::EventType::update:
      change::append_update(line, *operation.relation, operation.key, operation.row);
      break;
    default:
      change::append_remove(line, *operation.relation, operation.key);
  }
  line.pop_back();
  return line;
}

}  // namespace apply
