// The request to stop, from SIGTERM or SIGINT. Owns the signal handlers and one descriptor that becomes readable with
// the request, so that every wait in the house can include it. A handler only sets a flag and writes one byte.
#pragma once

namespace base {

// Installs the handlers (and ignores SIGPIPE, so that a closed pipe is an error and not a death). Call once, in cli.
void install_stop_signals();

// Asks this process to stop, as the signals do; used by a thread that met an error.
void request_stop();
bool stop_requested();

// Readable from the request on; for poll(2). -1 before install_stop_signals().
int stop_fd();

// Sleeps, but not past a request to stop; true when it was cut short by one.
bool sleep_or_stop(double seconds);

}  // namespace base
