#include "compare/give_way.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"

namespace compare {
namespace {

constexpr double look_every = 1;  // s; two statements that read a few lines of pg_locks, on each server

}  // namespace

void GiveWay::look() {
  const double now = base::monotonic_seconds();
  if (now - looked_ < look_every) return;
  looked_ = now;
  const std::string who = cut_.in_the_way();
  if (!who.empty())
    throw base::Error(base::Exit::try_later,
                      "gave way to who waits for a table that is compared: " + who + "; start it again");
}

}  // namespace compare
