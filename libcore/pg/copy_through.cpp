#include "pg/copy_through.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <memory>

#include "base/error.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

constexpr size_t portion = 128 << 10;  // bytes handed on at once
constexpr uint64_t tell_every = 1 << 20;

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

[[noreturn]] void stop(Session& session) {
  char ignored[256];
  const std::unique_ptr<PGcancel, FreeCancel> cancel(PQgetCancel(session.handle()));
  PQcancel(cancel.get(), ignored, sizeof ignored);
  throw base::Error(base::Exit::try_later, "stopped before the copy was done; nothing of it stays, start it again");
}

}  // namespace

Copied copy_through(Session& from, const std::string& out, Session& to, const std::string& in,
                    const std::function<void(const Copied&)>& progress) {
  Copied copied;
  uint64_t told = 0;
  std::string waiting;
  from.query(out);
  to.copy_begin(in);
  for (;;) {
    char* raw = nullptr;
    const int size = PQgetCopyData(from.handle(), &raw, 1);
    const std::unique_ptr<char, FreeMemory> row(raw);
    if (size == -1) break;
    if (size < -1) throw_sql(from.where("copy"), "", PQerrorMessage(from.handle()));
    if (size > 0) {
      waiting.append(raw, static_cast<size_t>(size));
      copied.bytes += static_cast<uint64_t>(size);
    }
    if (waiting.size() >= portion || (size == 0 && !waiting.empty())) {
      to.copy_send(waiting);
      waiting.clear();
      if (base::stop_requested()) stop(from);
      if (copied.bytes >= told + tell_every) progress(copied), told = copied.bytes;
    }
    if (size > 0) continue;
    pollfd fds[2] = {{PQsocket(from.handle()), POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) base::throw_errno(from.where("wait"));
    if (base::stop_requested()) stop(from);
    if (fds[0].revents != 0 && PQconsumeInput(from.handle()) == 0)
      throw_sql(from.where("copy"), "", PQerrorMessage(from.handle()));
  }
  from.last_result(out);  // throws what ended it
  to.copy_send(waiting);
  copied.rows = to.copy_end();
  return copied;
}

}  // namespace pg
