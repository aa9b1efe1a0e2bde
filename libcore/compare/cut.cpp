#include "compare/cut.hpp"

#include "pg/session.hpp"

namespace compare {

struct Cut::State {
  pg::Session primary;
  pg::Session standby;
  std::string primary_snapshot;
  std::string standby_snapshot;
  change::Lsn lsn;
  std::string why_not = "the two sides were looked at one after the other";
};

namespace {

std::string hold(pg::Session& session) {
  session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return std::string(session.query("SELECT pg_export_snapshot()").get(0, 0));
}

}  // namespace

Cut::Cut(const config::Settings& settings, const CutOptions& options) {
  const pg::SessionOptions session{.purpose = "pgtandem cut", .answer_timeout = settings.synchronization.sync_timeout};
  state_.reset(
      new State{{settings.primary(options.primary), session}, {settings.secondary(options.node), session}, {}, {}, {}});
  state_->primary_snapshot = hold(state_->primary);
  change::Lsn::parse(state_->primary.query("SELECT pg_current_wal_insert_lsn()").get(0, 0), state_->lsn);
  state_->standby_snapshot = hold(state_->standby);
}

Cut::~Cut() = default;
change::Lsn Cut::lsn() const { return state_->lsn; }
bool Cut::exact() const { return false; }
const std::string& Cut::why_not() const { return state_->why_not; }
const std::string& Cut::primary_snapshot() const { return state_->primary_snapshot; }
const std::string& Cut::standby_snapshot() const { return state_->standby_snapshot; }

}  // namespace compare
