#include "http/exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>

#include <charconv>
#include <cstring>
#include <exception>
#include <memory>

#include "base/log.hpp"

namespace http {
namespace {

struct Exchange {
  Request request;
  size_t body = 0;  // bytes that came; nothing of them is kept, for nothing that is asked here needs more than its path
};

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
std::optional<Answer> refuse_head(MHD_Connection* connection, const Exchanges& all, const Request& request) {
  const size_t head = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
  if (head > all.limits.header_bytes) {
    return refusal(431, "the head is longer than " + std::to_string(all.limits.header_bytes) + " bytes; send fewer fields");
  }
  if (std::optional<Answer> refused = all.handlers.refuse(request)) return refused;
  if (announced(connection) > all.limits.body_bytes) return too_long(all.limits);
  return std::nullopt;
}

// What the handlers throw is said in the log, and not to whoever asked.
template <class Do>
MHD_Result guarded(MHD_Connection* connection, const Request& request, Do&& act) {
  try {
    return act();
  } catch (const std::exception& error) {
    base::log(base::Level::error, request.method + " " + request.path + ": " + error.what());
    return send(connection, refusal(500, "this failed; the server's log says why"));
  }
}

}  // namespace

MHD_Result Exchanges::on_request(void* self, MHD_Connection* connection, const char* path, const char* method,
                                 const char*, const char*, size_t* body_size, void** exchange) {
  const Exchanges& all = *static_cast<const Exchanges*>(self);
  if (*exchange == nullptr) {
    auto made = std::make_unique<Exchange>();
    made->request.method = method;
    made->request.path = path;
    made->request.peer = peer_of(connection);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_field, &made->request);
    const Request& request = made->request;
    *exchange = made.release();
    return guarded(connection, request, [&] {
      const std::optional<Answer> refused = refuse_head(connection, all, request);
      return refused ? send(connection, *refused) : MHD_YES;
    });
  }
  Exchange& open = *static_cast<Exchange*>(*exchange);
  if (*body_size > 0) {
    open.body += *body_size;
    *body_size = 0;
    return MHD_YES;
  }
  return guarded(connection, open.request, [&] {
    return send(connection, open.body > all.limits.body_bytes ? too_long(all.limits) : all.handlers.answer(open.request));
  });
}

void Exchanges::forget(void** exchange) {
  delete static_cast<Exchange*>(*exchange);
  *exchange = nullptr;
}

}  // namespace http
