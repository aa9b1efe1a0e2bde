#include "http/page.hpp"

#include <sys/random.h>

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "http/page_text.hpp"

namespace http {
namespace {

constexpr std::string_view mark = "{{nonce}}";

std::string make_nonce() {
  uint64_t random[2];
  if (::getrandom(random, sizeof random, 0) != sizeof random) base::throw_errno("no random bytes");
  return base::hex16(random[0]) + base::hex16(random[1]);
}

}  // namespace

Answer page_answer() {
  const std::string nonce = make_nonce();
  std::string body;
  std::string_view rest = page_text();
  for (size_t at = rest.find(mark); at != std::string_view::npos; at = rest.find(mark)) {
    body.append(rest.substr(0, at)).append(nonce);
    rest.remove_prefix(at + mark.size());
  }
  body.append(rest);
  const std::string policy = "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce +
                             "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                             "frame-ancestors 'none'";
  return {.type = "text/html; charset=utf-8", .body = std::move(body), .fields = {{"Content-Security-Policy", policy}}};
}

}  // namespace http
