// What is amiss in a set-up, and the statement or command that mends it. Owns the list, its order and its words as text
// and JSON; knows no server.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace check {

enum class Severity {
  note,     // worth knowing; nothing has to be done
  warning,  // something will go wrong one day, or goes worse than it could
  error,    // sync does not work, or the backup would not be right
};
const char* name_of(Severity severity);

struct Finding {
  Severity severity = Severity::error;
  std::string area;  // config, connection, tls, server, clock, rights, link, slot, table, schema, sequence, disk, state
  std::string place;  // a node, "NODE TABLE", a file; empty: the whole
  std::string what;   // one line
  std::string mend;   // SQL to be run at the place, a command, or a setting; empty where it is not known
};

class Findings {
 public:
  // Each once: what was found there in the same words already is passed over.
  void add(Finding finding);
  // Of an error in the house's form, "NODE: what is wrong; what to do". Passed over where a statement that was found
  // for the same node already mends it.
  void add(Severity severity, const std::string& area, const std::string& place, const std::string& message);
  // A statement for want of a right; passed over as above.
  void add_right(const std::string& place, const std::string& statement);

  // Errors first, then as they were found.
  std::vector<Finding> sorted() const;
  size_t count(Severity severity) const;

 private:
  bool is_mended_by(const std::string& place, const std::string& statement) const;
  std::vector<Finding> list_;
};

// The words for people: a line a finding and one below it for what mends it, and a last line that counts them.
std::string text_of(const Findings& findings);
// {"errors":0,"warnings":1,"notes":0,"findings":[{"severity":…,"area":…,"place":…,"what":…,"mend":…}]}; null for empty.
std::string json_of(const Findings& findings);

}  // namespace check
