#include "change/change.hpp"

namespace change {

JsonKind json_kind(std::string_view type) {
  if (type == "boolean") return JsonKind::boolean;
  // int8 and numeric are not here: a reader that keeps numbers as doubles (jq does) would round them.
  if (type == "integer" || type == "smallint" || type == "oid") return JsonKind::number;
  return JsonKind::string;
}

}  // namespace change
