// Who may ask: the rules that keep other sites' pages, other hosts and whoever lacks the token out. Pure: values in, a
// refusal or none out. For the server, before it looks at a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace http {

struct GuardRules {
  // "localhost" with any port, "localhost:8001" with that one. Compared without regard to case.
  std::vector<std::string> allowed_hosts;
  std::string token = {};  // every POST needs it; empty: none does
};

// Whether a Host field names one of `allowed`: a page of another site that has its own name point here (DNS rebinding)
// sends that name.
bool host_allowed(std::string_view host, const std::vector<std::string>& allowed);

// Whether an Origin is the place that the request itself was sent to: http or https, and the same host and port.
bool same_origin(std::string_view origin, std::string_view host);

// In time that depends on the lengths alone, so that it tells nothing of where two texts part.
bool same_secret(std::string_view a, std::string_view b);

// The answer for a request that may not be asked, nothing for one that may. No text of a refusal repeats what was sent.
std::optional<Answer> refuse(const Request& request, const GuardRules& rules);

}  // namespace http
