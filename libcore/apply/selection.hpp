// Which tables of the stream a run takes, and which of their columns: all, or those that are synced, but for tables
// that are paused and columns that the standby does not have; or one table alone, to bring it up to the others. Owns
// the shapes that it cuts down: they live as long as it does, and it no longer than the stream's own. One thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/arena.hpp"
#include "change/change.hpp"

namespace apply {

class Selection {
 public:
  using LeftOut = std::map<std::string, std::vector<std::string>>;  // columns, by table

  Selection() = default;
  // `synced`: of the others none is taken, and each is told once; without it all are.
  static Selection all_but(std::set<std::string> tables, LeftOut columns,
                           std::optional<std::set<std::string>> synced = {});
  static Selection only(const std::string& table, LeftOut columns);

  bool takes(const std::string& table) {
    return only_.empty() ? !without_.contains(table) && is_synced(table) : table == only_;
  }
  // The shape that its rows have here; nullptr: they are not taken.
  const change::Relation* shape(const change::Relation& relation);
  // A row, or a key, of `relation` in the shape that it has here.
  std::span<change::Value> row(const change::Relation& relation, std::span<change::Value> row, base::Arena& arena);
  std::span<change::Value> key(const change::Relation& relation, std::span<change::Value> key, base::Arena& arena);

 private:
  struct Cut {
    const change::Relation* shape = nullptr;
    std::vector<uint16_t> columns;  // those that stay, as places in the stream's row
    std::vector<uint16_t> key;      // the same in its key
  };
  bool is_synced(const std::string& table);
  const Cut& cut_of(const change::Relation& relation);

  std::string only_;
  std::set<std::string> without_;
  std::optional<std::set<std::string>> synced_;
  std::set<std::string> told_;  // none of those
  LeftOut left_out_;
  std::deque<change::Relation> shapes_;
  std::unordered_map<const change::Relation*, Cut> cuts_;
  const change::Relation* last_ = nullptr;  // rows of a table come together
  const change::Relation* last_shape_ = nullptr;
};

}  // namespace apply
