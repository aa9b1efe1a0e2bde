// The HTTP server: connections, their limits and their end. Owns the sockets from accept to close; knows no path and
// nothing of what is answered. Reading is answered in the caller's thread, where the handlers must not wait; acting in
// a second one. A client that is slow, on purpose or not, costs others nothing: it has so long for a request, and where
// all places are taken the one that has been longest about its own goes first.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "http/listen.hpp"
#include "http/message.hpp"

namespace http {

// Enough for a page, a few monitors and their proxies; what all of them together may hold is about 2 MiB.
struct ServerLimits {
  size_t connections = 64;
  size_t header_bytes = 8 << 10;
  size_t body_bytes = 4 << 10;
  double request_seconds = 5;  // from the connection, or from the answer before it, to the end of the next one
};

struct Handlers {
  // Asked when a request's head is here, before any of its body: a refusal, or nothing.
  std::function<std::optional<Answer>(const Request&)> refuse;
  // Asked when all of it is here. What these throw is a 500, and a line in the log.
  std::function<Answer(const Request&)> read;  // GET, HEAD: at once
  std::function<Answer(const Request&)> act;   // all else: in the second thread, one at a time; may take seconds
};

// Serves until a stop is requested (base/stop.hpp). Throws Error only where it cannot begin.
void serve_http(const Listening& listening, const Handlers& handlers, const ServerLimits& limits = {});

}  // namespace http
