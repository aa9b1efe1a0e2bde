// Which tables of the stream a run takes, and which of their columns: all, but for tables that are paused and columns
// that the standby does not have; or one table alone, to bring it up to the others. Owns the shapes that it cuts down:
// they live as long as it does, and it no longer than the stream's own. One thread.
#pragma once

#include <deque>
#include <map>
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
  static Selection all_but(std::set<std::string> tables, LeftOut columns);
  static Selection only(const std::string& table, LeftOut columns);

  bool takes(const std::string& table) const { return only_.empty() ? !without_.contains(table) : table == only_; }
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
  const Cut& cut_of(const change::Relation& relation);

  std::string only_;
  std::set<std::string> without_;
  LeftOut left_out_;
  std::deque<change::Relation> shapes_;
  std::unordered_map<const change::Relation*, Cut> cuts_;
};

}  // namespace apply
