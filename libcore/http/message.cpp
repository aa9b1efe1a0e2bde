#include "http/message.hpp"

#include <nlohmann/json.hpp>

namespace http {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

Answer refusal(int status, std::string_view message, Fields fields) {
  const Json body = {{"status", "error"}, {"code", status}, {"message", message}};
  return {.status = status, .body = text_of(body), .fields = std::move(fields)};
}

Answer success(std::string_view message) { return {.body = text_of({{"status", "success"}, {"message", message}})}; }

Answer success(std::string_view message, std::string_view run, bool already_running) {
  return {.body = text_of(
              {{"status", "success"}, {"message", message}, {"run", run}, {"already_running", already_running}})};
}

const Fields& common_fields() {
  static const Fields fields = {
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
  };
  return fields;
}

}  // namespace http
