#include "http/guard.hpp"

#include <algorithm>

namespace http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

struct HostPort {
  std::string_view host;
  std::string_view port;  // empty: none given
  bool valid = false;
};

// "name", "name:port", "[v6]", "[v6]:port".
HostPort split(std::string_view text) {
  HostPort out;
  const size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return out;
  const size_t colon = text.find(':', bracket);
  out.host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    out.port = text.substr(colon + 1);
    const bool digits = std::all_of(out.port.begin(), out.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (out.port.empty() || out.port.size() > 5 || !digits) return out;
  }
  if (bracket != 0 && bracket + 1 != out.host.size()) return out;
  out.valid = !out.host.empty();
  return out;
}

std::string_view token_of(const Request& request) {
  constexpr std::string_view scheme = "Bearer ";
  if (request.authorization.size() != 1) return {};
  const std::string_view sent = request.authorization[0];
  if (!same_text(sent.substr(0, scheme.size()), scheme)) return {};
  return sent.substr(scheme.size());
}

// Of a request that changes something, and that a browser says is another site's. It sends no Origin with some of them.
bool from_elsewhere(const Request& request) {
  return !request.is_read() && std::any_of(request.fetch_site.begin(), request.fetch_site.end(),
                                           [](const auto& site) { return site != "same-origin" && site != "none"; });
}

}  // namespace

bool host_allowed(std::string_view host, const std::vector<std::string>& allowed) {
  const HostPort sent = split(host);
  if (!sent.valid) return false;
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    const HostPort known = split(entry);
    return known.valid && same_text(known.host, sent.host) && (known.port.empty() || known.port == sent.port);
  });
}

bool same_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (same_text(origin.substr(0, scheme.size()), scheme)) return same_text(origin.substr(scheme.size()), host);
  }
  return false;
}

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char different = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    different =
        static_cast<unsigned char>(different | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
    // Nothing may be concluded from a part of it.
    asm volatile("" : "+r"(different));
  }
  return different == 0;
}

std::optional<Answer> refuse(const Request& request, const GuardRules& rules) {
  if (request.host.size() != 1 || request.host[0].empty()) return refusal(400, "send one Host field");
  if (!host_allowed(request.host[0], rules.allowed_hosts)) {
    return refusal(403, "this Host is not one of api.allowed_hosts; add it there, if it is a name of this machine");
  }
  for (const std::string& origin : request.origin) {
    if (!same_origin(origin, request.host[0])) return refusal(403, "pages of another origin may not ask here");
  }
  if (from_elsewhere(request)) return refusal(403, "pages of another site may not change anything here");
  if (!request.is_read() && !rules.token.empty() && !same_secret(token_of(request), rules.token)) {
    return refusal(401, "this needs the token of api.token_file: send Authorization: Bearer TOKEN",
                   {{"WWW-Authenticate", "Bearer realm=\"pgtandem\""}});
  }
  return std::nullopt;
}

}  // namespace http
