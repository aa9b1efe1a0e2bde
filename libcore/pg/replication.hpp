// The streaming replication protocol of one logical slot (manual, "Streaming Replication Protocol"), as far as capture
// needs it: raw pgoutput messages come out, feedback goes in. Never acknowledges anything by itself.
#pragma once

#include <string>
#include <string_view>

#include "change/lsn.hpp"
#include "pg/session.hpp"

namespace pg {

struct System {
  std::string id;  // the cluster's system identifier
  uint32_t timeline = 0;
  change::Lsn flushed;  // the end of WAL on the server's disk
};
System identify_system(Session& session);  // a replication session

struct StreamMessage {
  enum class Kind { none, data, keepalive, end } kind = Kind::none;
  std::string_view data;      // data: a pgoutput message, valid until the next call
  change::Lsn server_end;     // keepalive: everything up to it was sent
  bool reply_wanted = false;  // keepalive
};

class ReplicationStream {
 public:
  // Starts the slot at `start` (the server goes on from its own confirmed position where that is later). Throws
  // Error(try_later) via Transient when the slot is in use, SqlError for a lost or missing slot.
  ReplicationStream(Session& session, const std::string& slot, const std::string& publication, change::Lsn start);
  ~ReplicationStream();

  // The next message that has arrived; `none` when more must come from the network first. Never blocks.
  StreamMessage next();
  // Reads what the network has; call when the socket is readable. Throws base::Transient when the connection is gone.
  void receive();
  int socket() const;
  // A standby status update. `flushed` frees the primary's WAL: only what is durable elsewhere may stand there.
  // `written` is for lag views; `ask` wants an answer, to see whether the server lives.
  void feedback(change::Lsn written, change::Lsn flushed, bool ask);

 private:
  Session& session_;
  char* buffer_ = nullptr;
};

}  // namespace pg
