#include "pg/replication.hpp"

#include <libpq-fe.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pg/bytes.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace pg {

System identify_system(Session& session) {
  const Result answer = session.query("IDENTIFY_SYSTEM");
  System system;
  system.id = answer.get(0, 0);
  system.timeline = static_cast<uint32_t>(std::stoul(std::string(answer.get(0, 1))));
  change::Lsn::parse(answer.get(0, 2), system.flushed);
  return system;
}

ReplicationStream::ReplicationStream(Session& session, const std::string& slot, const std::string& publication,
                                     change::Lsn start)
    : session_(session) {
  // Protocol 1 holds a transaction back until it commits: what comes is committed, whole and in commit order. 15
  // refuses options that it does not know (pgoutput.c), so only what every version since 10 has is asked for.
  session_.query("START_REPLICATION SLOT " + quote_identifier(slot) + " LOGICAL " + start.text() +
                 " (proto_version '1', publication_names " + quote_literal(quote_identifier(publication)) + ")");
}

ReplicationStream::~ReplicationStream() { PQfreemem(buffer_); }

int ReplicationStream::socket() const { return PQsocket(session_.handle()); }

void ReplicationStream::receive() {
  if (PQconsumeInput(session_.handle()) == 0)
    throw_sql(session_.where("stream"), "", PQerrorMessage(session_.handle()));
}

StreamMessage ReplicationStream::next() {
  PQfreemem(buffer_);
  buffer_ = nullptr;
  const int size = PQgetCopyData(session_.handle(), &buffer_, 1);
  StreamMessage message;
  if (size == 0) return message;
  if (size == -1) {  // the server ended the stream: it shuts down, or an error stands in the result
    const Result result(PQgetResult(session_.handle()));
    const char* state = result ? PQresultErrorField(result.handle(), PG_DIAG_SQLSTATE) : nullptr;
    const char* text = result ? PQresultErrorField(result.handle(), PG_DIAG_MESSAGE_PRIMARY) : nullptr;
    throw_sql(session_.where("stream"), state != nullptr ? state : "",
              text != nullptr ? text : "the server ended the stream");
  }
  if (size < 0) throw_sql(session_.where("stream"), "", PQerrorMessage(session_.handle()));
  ByteReader bytes({buffer_, static_cast<size_t>(size)});
  switch (bytes.byte()) {
    case 'w':  // start, "end" (which only repeats the start, see walsender.c), clock; then the plugin's message
      bytes.skip(24);
      message.kind = StreamMessage::Kind::data;
      message.data = bytes.rest();
      return message;
    case 'k':
      message.kind = StreamMessage::Kind::keepalive;
      message.server_end.value = bytes.u64();
      bytes.skip(8);
      message.reply_wanted = bytes.byte() != 0;
      return message;
    default:
      throw base::Error(base::Exit::data, session_.where("stream") + ": an unknown message in the stream");
  }
}

void ReplicationStream::feedback(change::Lsn written, change::Lsn flushed, bool ask) {
  constexpr int64_t epoch = 946684800000000;  // 2000-01-01, from where the protocol counts its microseconds
  std::string out = "r";
  append_big_endian(out, written.value);
  append_big_endian(out, flushed.value);
  append_big_endian(out, flushed.value);
  append_big_endian(out, static_cast<uint64_t>(base::unix_microseconds() - epoch));
  out += ask ? '\1' : '\0';
  if (PQputCopyData(session_.handle(), out.data(), static_cast<int>(out.size())) < 0 || PQflush(session_.handle()) < 0)
    throw_sql(session_.where("stream"), "", PQerrorMessage(session_.handle()));
}

}  // namespace pg
