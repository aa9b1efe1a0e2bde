// Which tables reference which by foreign keys, as an order to write them in. Owns the question to the catalog. For
// whoever writes several tables where foreign keys are checked.
#pragma once

#include <cstddef>
#include <map>
#include <span>

#include "base/table_name.hpp"
#include "pg/session.hpp"

namespace compare {

// How many tables each stands above: greater than that of every one of them which it references. A circle of references
// has no such order, and gets some depth. Tables that reference themselves do not count.
std::map<base::TableName, size_t> reference_depth(pg::Session& standby, std::span<const base::TableName> tables);

}  // namespace compare
