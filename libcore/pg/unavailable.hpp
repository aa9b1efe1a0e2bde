// A server that answers, and takes nobody in at this moment: not down, and mended otherwise. Thrown by error.cpp in
// place of a plain Transient; whoever only tries again need not know it.
#pragma once

#include <string>

#include "base/error.hpp"

namespace pg {

enum class Unavailable {
  full,        // 53300: too many connections
  starting,    // 57P03: it starts, stops, or recovers from a crash
  encryption,  // it is there, and no encryption comes about: it has none, or a certificate that is not trusted
};

class NotNow : public base::Transient {
 public:
  NotNow(base::Exit kind, const std::string& message, Unavailable why) : Transient(kind, message), why_(why) {}
  Unavailable why() const { return why_; }

 private:
  Unavailable why_;
};

}  // namespace pg
