#include "pg/copy_wait.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <memory>

#include "base/error.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

}  // namespace

void stop_copy(Session& session, const std::string& stopped) {
  char ignored[256];
  const std::unique_ptr<PGcancel, FreeCancel> cancel(PQgetCancel(session.handle()));
  PQcancel(cancel.get(), ignored, sizeof ignored);
  throw base::Error(base::Exit::try_later, stopped);
}

void wait_for_copy(Session& session, const std::string& stopped, const std::function<bool()>& enough) {
  constexpr int ask_every = 200;  // ms
  pollfd fds[2] = {{PQsocket(session.handle()), POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
  if (::poll(fds, 2, enough ? ask_every : -1) < 0 && errno != EINTR) base::throw_errno(session.where("wait"));
  if (base::stop_requested() || (enough && enough())) stop_copy(session, stopped);
  if (fds[0].revents != 0 && PQconsumeInput(session.handle()) == 0)
    throw_sql(session.where("copy"), "", PQerrorMessage(session.handle()));
}

}  // namespace pg
