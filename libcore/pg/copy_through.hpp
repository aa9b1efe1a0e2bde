// Rows out of one server and into another as they come, by COPY on both: bytes that nobody here takes apart, but for
// who is asked what goes on. Bounded memory. Both sessions are used up where it throws.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "pg/session.hpp"

namespace pg {

struct Copied {
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// What of some whole rows in COPY's text format goes on.
using PassRows = std::function<std::string(std::string_view rows)>;

// `out`: COPY … TO STDOUT, `in`: COPY … FROM STDIN, in one format. A request to stop cancels both and throws
// Error(try_later), and so does it when `enough`, which is asked several times a second. `progress` is called about
// once a megabyte. `pass`, where given, is asked about some megabytes of rows at a time.
Copied copy_through(Session& from, const std::string& out, Session& to, const std::string& in,
                    const std::function<bool()>& enough, const std::function<void(const Copied&)>& progress,
                    const PassRows& pass = {});

}  // namespace pg
