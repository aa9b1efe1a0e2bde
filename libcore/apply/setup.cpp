#include "apply/setup.hpp"

#include <optional>

#include "apply/piece.hpp"
#include "apply/progress.hpp"
#include "apply/rights.hpp"
#include "base/error.hpp"
#include "change/change.hpp"
#include "pg/newest_column.hpp"
#include "pg/session.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"

namespace apply {
namespace {

pg::SessionOptions plain(const config::Settings& settings) {
  return {.purpose = "pgtandem apply", .answer_timeout = settings.synchronization.sync_timeout};
}

change::Source spool_source_of(const config::Settings& settings) {
  const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  if (!mark)
    throw base::Error(base::Exit::data,
                      "the spool " + settings.spool.directory.string() + " is not founded; run `capture init` first");
  return mark->source;
}

}  // namespace

void init(const config::Settings& settings, const std::string& node) {
  const config::Node& standby = settings.secondary(node);
  pg::Session session(standby, plain(settings));
  const change::Source source = spool_source_of(settings);
  refuse_primary(session, source);
  check_rights(session, settings);
  pg::check_newest_column(session, settings);
  init_progress(session, source);
  // From now on the spool is kept for this standby, and a cursor that is there can be written on a full disk, too.
  if (spool::read_cursor(settings.spool.directory, standby.name)) return;
  const Position at = read_progress(session, source);
  flush_progress(session, source);  // it may be the unflushed commit of an apply that was killed
  spool::CursorFile(settings.spool.directory, standby.name).publish({at.lsn, at.end_lsn, at.operations, at.time});
}

void drop(const config::Settings& settings, const std::string& node) {
  pg::Session session(settings.secondary(node), plain(settings));
  drop_progress(session, spool_source_of(settings).slot);
}

}  // namespace apply
