#include "compare/same_server.hpp"

#include <charconv>
#include <string>

#include "base/error.hpp"
#include "capture/link.hpp"

namespace compare {

void check_same_server(pg::Session& primary, const change::Source& source) {
  // The timeline is the first part of a WAL file's name; the control file has that of the last checkpoint.
  const pg::Result row = primary.query(
      "SELECT s.system_identifier, pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), "
      "8) FROM pg_catalog.pg_control_system() AS s");
  uint32_t timeline = 0;
  const std::string_view hex = row.get(0, 1);
  std::from_chars(hex.data(), hex.data() + hex.size(), timeline, 16);
  if (row.get(0, 0) != source.system_id || timeline != source.timeline)
    throw base::Error(base::Exit::data, primary.node() + ": this is another server, or timeline, than the queue's (" +
                                            source.system_id + ", timeline " + std::to_string(source.timeline) +
                                            "); correct database_url, or " + capture::begin_again);
}

}  // namespace compare
