// Whether the columns of a standby's table fit the rows of the stream, and how to make them. Pure: owns the rules and
// the words, and the statements that mend it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "change/change.hpp"

namespace apply {

// The standby's table, or its rows, do not fit a change, and the change does not carry enough to make them fit.
class Unfit : public base::Error {
 public:
  explicit Unfit(const std::string& message) : Error(base::Exit::data, message) {}
};

// Its table does not have the shape of a change's rows, or does not take a change that has no rows (TRUNCATE).
class Misfit : public Unfit {
 public:
  Misfit(const std::string& message, change::Relation shape, std::vector<change::Column> missing,
         bool may_be_renamed = false)
      : Unfit(message), shape_(std::move(shape)), missing_(std::move(missing)), may_be_renamed_(may_be_renamed) {}
  const change::Relation& shape() const { return shape_; }
  // It lacks these columns, and that is all. Empty: another reason.
  const std::vector<change::Column>& missing() const { return missing_; }
  // A missing column may be one of the standby's that has another name now.
  bool may_be_renamed() const { return may_be_renamed_; }
  // Its shape fits; only by the change itself can be told whether the table takes it by now.
  bool of_a_change() const { return of_a_change_; }
  Misfit&& by_a_change() && {
    of_a_change_ = true;
    return std::move(*this);
  }

 private:
  change::Relation shape_;
  std::vector<change::Column> missing_;
  bool may_be_renamed_;
  bool of_a_change_ = false;
};

struct StandbyColumn {
  std::string name;
  std::string type;  // as format_type(oid, NULL) gives it
  bool generated = false;
  bool needed = false;     // NOT NULL, and nothing on the standby would give it a value
  std::string declared{};  // its type with length, precision and scale; empty: not known
};

// Throws Misfit, with what to do, where they do not fit `is`. `was`: the shape that the table took last; with `follows`
// a column that was dropped, or has another type, has to be changed on the standby, too, and none may round the
// primary's values, or begin with a type that is too small for them.
void check_shape(const std::string& node, const change::Relation& is, const std::optional<change::Relation>& was,
                 const std::vector<StandbyColumn>& columns, bool follows);

// The statements that add columns as the primary has them, for rows that are there too.
std::vector<std::string> add_columns(const change::Relation& relation, const std::vector<change::Column>& columns);

}  // namespace apply
