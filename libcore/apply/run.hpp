// One run of apply: from the spool or stdin to one standby, with retries, until it is done. Owns what comes when; the
// work is in feed, which reads, delivery, which writes, and interlude, which does what waits for a batch's end.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "apply/source.hpp"
#include "apply/standby.hpp"
#include "base/error.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "spool/cursor.hpp"

namespace apply {

using Refused = std::function<void(uint64_t ordinal, const std::string& why)>;

struct Options {
  std::string node;  // the standby; empty: as Settings::secondary() picks it
  bool follow = false;
  std::optional<change::Lsn> until;  // goes on until everything that was committed before it is applied
  std::filesystem::path report;      // empty: none
  bool holdable = true;              // others may ask it to pause; see hold.hpp
  // For a stream that names no source and mends rows: each of its transactions is written only while the other apply
  // stands at this place, and that one waits for it; its report and log call it a repair.
  std::optional<Pin> pin;
  // Where it is set, what the standby refuses for what is in it is left out and the rest goes on: told of each, by its
  // place in the stream's transaction, once that is committed. For streams in which an operation waits for no other.
  Refused refused;
};

// Applies what the spool holds durably now; goes on as the options say. While sync is disabled a run that follows waits
// at a batch end, and any other does nothing. Throws base::Transient when the retries are used up, Error(data) for a
// gap, damage, a schema that does not fit or a row that the standby refuses: everything before it is applied, nothing
// of its transaction.
base::Exit from_spool_to_standby(const config::Settings& settings, const Options& options);

// For who has the cursor, and so is the only applier: applies everything that commits before `until` and no more, and
// keeps the cursor. Returns the commit LSN of the last transaction on the standby. Throws as above.
change::Lsn bring_to(const config::Settings& settings, const std::string& node, spool::CursorFile& cursor,
                     change::Lsn until);

// The same from a stream that others write, to its end.
base::Exit from_stream_to_standby(const config::Settings& settings, const Options& options, Source& stream);

// The same from any source that names none.
base::Exit from_source_to_standby(const config::Settings& settings, const Options& options, Source& source);

// What would be done, as SQL that psql can run, in the primary's order; without `stream` from the spool.
void dry_run(const config::Settings& settings, const Options& options, Source* stream,
             const std::function<void(std::string_view)>& print);
void dry_run(const config::Settings& settings, const Options& options, Source& source,
             const std::function<void(std::string_view)>& print);

}  // namespace apply
