// Whether two servers hash alike: a fixed row with a value for every way in which the digest treats types, hashed on
// both before each run. PostgreSQL promises the same hash values neither across byte orders, nor encodings, nor major
// versions.
#pragma once

#include "compare/row_digest.hpp"
#include "pg/session.hpp"

namespace compare {

// Digest::native where both servers give the same for it, else Digest::portable, and a warning says why. Sessions
// outside a transaction. Throws Error(data) where even the portable one differs.
Digest agree_on_digest(pg::Session& primary, pg::Session& standby);

// The statement. Pure.
std::string self_test_sql(Digest digest);

}  // namespace compare
