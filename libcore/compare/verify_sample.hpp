// A quick look: some rows of each table, taken at random from both sides, compared one by one. Owns how they are
// chosen; it proves nothing of the others, and leaves no receipt.
#pragma once

#include "compare/verify.hpp"

namespace compare {

// As verify(), for options.sample rows a table; Error(try_later) where rows are written too often to be sure of.
base::Exit verify_sample(const config::Settings& settings, const VerifyOptions& options);

}  // namespace compare
