// A long comparison's courtesy: its cut holds ACCESS SHARE locks, and whoever wants a table to himself (a TRUNCATE of
// the applier's, an ALTER TABLE on the primary) waits for them, with everybody behind him. Owns how often that is
// looked for, and the words; the looking is the cut's.
#pragma once

#include "compare/cut.hpp"

namespace compare {

class GiveWay {
 public:
  explicit GiveWay(Cut& cut) : cut_(cut) {}

  // To be called several times a second while rows are read; asks the servers about once a second. One thread, the
  // cut's. Throws Error(try_later), with who waits, where somebody does: the comparison is then to end, and its locks.
  void look();

 private:
  Cut& cut_;
  double looked_ = 0;
};

}  // namespace compare
