// The spool as a stream again: what `queue get` writes and any reader of the change format understands, another
// `queue put` among them. Owns no state in the spool; works beside a writer and appliers.
#pragma once

#include <filesystem>
#include <optional>

#include "change/lsn.hpp"

namespace spool {

struct GetOptions {
  std::optional<change::Lsn> from = {};  // first commit LSN wanted; none: where the spool begins
  std::optional<change::Lsn> to = {};    // last one wanted
  bool follow = false;                   // go on until stopped, or `to` is passed
  double sync_interval = 1;              // s between looks where no file event comes
};

// Writes a source line, then every transaction with a commit LSN in the range, each row's shape before it and again
// when it changes. Returns at the end of what is durable, at a request to stop, or when the reader of `output` has gone
// away. Throws Error(data) on damage, and where transactions at or after `from` are no longer there.
void get(const std::filesystem::path& spool, const GetOptions& options, int output);

}  // namespace spool
