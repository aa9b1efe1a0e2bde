#include "apply/recourse.hpp"

#include "apply/deferred.hpp"
#include "apply/misfit.hpp"
#include "apply/target.hpp"
#include "pg/error.hpp"

namespace apply {
namespace {

// The standby's table was altered since it was looked at: a new session sees it as it is.
bool may_be_reshaped(const base::Error& failure) {
  const auto* const refused = dynamic_cast<const pg::SqlError*>(&failure);
  return refused != nullptr && !refused->inside() && pg::is_refusal_of_names(refused->sqlstate());
}

}  // namespace

Recourse recourse_after(const Failed& failed) {
  const base::Error& failure = failed.failure;
  const bool about_rows = is_about_rows(failure);
  if (failed.from_spool) {
    if (dynamic_cast<const Misfit*>(&failure) != nullptr) return Recourse::fit_tables;
    if (may_be_reshaped(failure) && !failed.looked_anew) return Recourse::fit_tables;
  }
  if (!failed.in_doubt && (failed.went_ahead || (failed.beside && !about_rows))) return Recourse::alone;
  if (dynamic_cast<const base::Transient*>(&failure) != nullptr) return Recourse::again;
  if (!about_rows) return Recourse::none;
  if (!failed.in_order) return Recourse::in_order;
  if (failed.several) return Recourse::apart;
  // A refusal leaves no doubt: it came from the commit itself, or from what is asked right before it, and not one
  // statement before that was refused.
  const bool at_end = failed.in_doubt || dynamic_cast<const RefusedAtEnd*>(&failure) != nullptr;
  const bool at_commit = at_end && failed.in_hand && (failed.from_spool || failed.leaves_out) && !failed.at_commit;
  return at_commit ? Recourse::at_commit : Recourse::none;
}

}  // namespace apply
