// Proof of the rows that a stream of lines names: a report of `apply --report`, or changes as capture, queue get and
// diff write them. Owns how a line becomes a row; what it names is looked at as it is now, not as it was then.
#pragma once

#include "compare/verify.hpp"

namespace compare {

// Reads `fd` to its end. Exit::done where all of the rows are equal, Exit::finding where one is not: then its table is
// marked for the next full pass. A truncate names no row; that is logged. Throws Error(data) for a line that is
// neither, Error(try_later) where rows are written too often to be sure of.
base::Exit verify_lines(const config::Settings& settings, const VerifyOptions& options, int fd);

}  // namespace compare
