// Whether a column holds every value of another one, by the types that the two are declared with. Pure: owns what is
// known of PostgreSQL's lengths, precisions and scales. For who compares a standby's tables to the primary's.
#pragma once

#include <string>

namespace apply {

enum class Holds {
  all,      // or not known to be otherwise
  not_all,  // the server refuses what is too long or too large
  rounded,  // the server changes what is too fine, without a word
};

// `there` and `primary` as format_type(type, modifier) gives them.
Holds holds(const std::string& there, const std::string& primary);

// The type in a column's definition, which may go on with COLLATE and NOT NULL.
std::string declared_in(const std::string& definition);

}  // namespace apply
