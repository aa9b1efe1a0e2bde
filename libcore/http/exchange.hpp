// One request and its answer, in microhttpd's calls. Owns what is known of a request while it arrives; asks the
// handlers, and never lets an exception of theirs into the library. For the server.
#pragma once

#include <microhttpd.h>

#include <cstddef>

#include "http/errands.hpp"
#include "http/server.hpp"

namespace http {

struct Exchange;

class Exchanges {
 public:
  Exchanges(const Handlers& handlers, const ServerLimits& limits);

  // microhttpd's access handler; `self` is an Exchanges.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                               const char* version, const char* body, size_t* body_size, void** exchange);
  static void forget(void** exchange);

  // Readable when deliver() has something: answers that took their time.
  int fd() const { return errands_.fd(); }
  void deliver();
  // Waits for them, and delivers. Nobody may be left waiting when the daemon stops.
  void finish();

 private:
  MHD_Result answer(Exchange& open);
  const Handlers& handlers_;
  ServerLimits limits_;
  Errands errands_;
};

}  // namespace http
