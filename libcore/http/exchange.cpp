#include "http/exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <charconv>
#include <cstring>
#include <exception>
#include <memory>

#include "base/log.hpp"
#include "http/clients.hpp"

namespace http {

struct Exchange {
  MHD_Connection* connection;
  Request request = {};
  size_t body = 0;  // bytes that came; nothing of them is kept, for nothing that is asked here needs more than its path
  std::optional<Answer> late = {};
};

namespace {

std::string peer_of(MHD_Connection* connection) {
  const sockaddr* const peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  char text[INET6_ADDRSTRLEN] = "";
  if (peer->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(peer)->sin_addr, text, sizeof text);
  } else if (peer->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr, text, sizeof text);
  }
  return text;
}

MHD_Result add_field(void* self, MHD_ValueKind, const char* name, const char* value) {
  Request& request = *static_cast<Request*>(self);
  const std::string text = value == nullptr ? "" : value;
  if (::strcasecmp(name, "Host") == 0) request.host.push_back(text);
  if (::strcasecmp(name, "Origin") == 0) request.origin.push_back(text);
  if (::strcasecmp(name, "Sec-Fetch-Site") == 0) request.fetch_site.push_back(text);
  if (::strcasecmp(name, "Authorization") == 0) request.authorization.push_back(text);
  return MHD_YES;
}

MHD_Result send(MHD_Connection* connection, const Answer& answer) {
  const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
      MHD_create_response_from_buffer(answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY),
      MHD_destroy_response);
  if (!response) return MHD_NO;
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, answer.type.c_str());
  for (const Fields* const fields : {&common_fields(), &answer.fields}) {
    for (const auto& [name, value] : *fields) MHD_add_response_header(response.get(), name.c_str(), value.c_str());
  }
  return MHD_queue_response(connection, static_cast<unsigned>(answer.status), response.get());
}

// The size that a body says it has; 0 where it does not say.
size_t announced(MHD_Connection* connection) {
  const char* const text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  size_t size = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), size);
  return size;
}

Answer too_long(const ServerLimits& limits) {
  return refusal(413, "the body is longer than " + std::to_string(limits.body_bytes) + " bytes; none is needed");
}

// Refused by its head, or nothing.
std::optional<Answer> refuse_head(const Exchange& open, const Handlers& handlers, const ServerLimits& limits) {
  const size_t head = MHD_get_connection_info(open.connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
  if (head > limits.header_bytes) {
    return refusal(431, "the head is longer than " + std::to_string(limits.header_bytes) + " bytes; send fewer fields");
  }
  if (std::optional<Answer> refused = handlers.refuse(open.request)) return refused;
  if (announced(open.connection) > limits.body_bytes) return too_long(limits);
  return std::nullopt;
}

// What the handlers throw is said in the log, and not to whoever asked.
Answer guarded(const std::function<Answer(const Request&)>& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& error) {
    base::log(base::Level::error, request.method + " " + request.path + ": " + error.what());
    return refusal(500, "this failed; the server's log says why");
  }
}

void set_busy(MHD_Connection* connection, bool busy) {
  void* const client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  static_cast<Clients::Client*>(client)->busy = busy;
}

}  // namespace

Exchanges::Exchanges(const Handlers& handlers, const ServerLimits& limits)
    : handlers_(handlers),
      limits_(limits),
      errands_([this](const Request& request) { return guarded(handlers_.act, request); }) {}

MHD_Result Exchanges::on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                                 const char*, const char*, size_t* body_size, void** exchange) try {
  Exchanges& all = *static_cast<Exchanges*>(self);
  if (*exchange == nullptr) {
    auto made = std::make_unique<Exchange>(Exchange{.connection = connection});
    made->request.method = method;
    made->request.path = path;
    made->request.peer = peer_of(connection);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, &made->request);
    const std::optional<Answer> refused = refuse_head(*made, all.handlers_, all.limits_);
    *exchange = made.release();
    return refused ? send(connection, *refused) : MHD_YES;
  }
  Exchange& open = *static_cast<Exchange*>(*exchange);
  if (*body_size == 0) return all.answer(open);
  open.body += *body_size;
  *body_size = 0;
  return MHD_YES;
} catch (const std::exception& error) {  // no memory, at the most: nothing of C++ goes through the library
  base::log(base::Level::error, error.what());
  return MHD_NO;
}

MHD_Result Exchanges::answer(Exchange& open) {
  if (open.late) return send(open.connection, *open.late);
  if (open.body > limits_.body_bytes) return send(open.connection, too_long(limits_));
  if (open.request.is_read()) return send(open.connection, guarded(handlers_.read, open.request));
  if (!errands_.take(open.request, &open)) {
    return send(open.connection, refusal(503, "several such requests are at work; try again", {{"Retry-After", "3"}}));
  }
  set_busy(open.connection, true);
  MHD_suspend_connection(open.connection);
  return MHD_YES;
}

void Exchanges::deliver() {
  for (Errands::Done& done : errands_.done()) {
    Exchange& open = *static_cast<Exchange*>(done.who);
    open.late = std::move(done.answer);
    set_busy(open.connection, false);
    MHD_resume_connection(open.connection);
  }
}

void Exchanges::finish() {
  errands_.finish();
  deliver();
}

void Exchanges::forget(void** exchange) {
  delete static_cast<Exchange*>(*exchange);
  *exchange = nullptr;
}

}  // namespace http
