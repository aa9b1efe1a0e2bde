#include "compare/reference_depth.hpp"

#include <string>

namespace compare {

std::map<base::TableName, size_t> reference_depth(pg::Session& standby, std::span<const base::TableName> tables) {
  const pg::Result references = standby.query(
      R"(SELECT cn.nspname, c.relname, pn.nspname, p.relname
           FROM pg_catalog.pg_constraint f
           JOIN pg_catalog.pg_class c ON c.oid = f.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
           JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
          WHERE f.contype = 'f' AND f.conrelid <> f.confrelid)");
  std::map<base::TableName, size_t> depth;
  for (const base::TableName& table : tables) depth[table] = 0;
  bool moved = true;
  for (size_t round = 0; moved && round < tables.size(); ++round) {
    moved = false;
    for (int i = 0; i < references.rows(); ++i) {
      const auto child = depth.find({std::string(references.get(i, 0)), std::string(references.get(i, 1))});
      const auto parent = depth.find({std::string(references.get(i, 2)), std::string(references.get(i, 3))});
      if (child == depth.end() || parent == depth.end() || child->second > parent->second) continue;
      child->second = parent->second + 1;
      moved = true;
    }
  }
  return depth;
}

}  // namespace compare
