// Labels of a change that an enum of the standby lacks: ALTER TYPE … ADD VALUE was run on the primary alone, of which
// no message of the stream tells. Owns how they are found, whatever language the server refuses them in. Reads only.
#pragma once

#include <optional>
#include <string>

#include "apply/piece.hpp"
#include "pg/session.hpp"

namespace apply {

// The SQLSTATE under which a server refuses a label that it does not know, among other things.
inline constexpr const char* unknown_label = "22P02";

struct MissingLabel {
  std::string type;   // as SQL names it
  std::string label;  // quoted
  std::string statement() const { return "ALTER TYPE " + type + " ADD VALUE " + label; }
};

// The first one in the operation's values, also within arrays and domains. In a transaction that is not failed.
std::optional<MissingLabel> missing_label(pg::Session& session, const Operation& operation);

}  // namespace apply
