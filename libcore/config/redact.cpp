// What a connection string may show. The rule is a list of what is shown, not of what is hidden: a word that is not
// known, a value of an odd shape, and whatever follows a mistake may be part of a password, and is not shown.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "config/conninfo.hpp"
#include "config/settings.hpp"

namespace config {
namespace {

const std::string hidden = "***";

// libpq's parameters (15 to 18) that hold no secret.
bool may_show(std::string_view key) {
  static constexpr auto keys = std::to_array<std::string_view>({"application_name",
                                                                "channel_binding",
                                                                "client_encoding",
                                                                "connect_timeout",
                                                                "dbname",
                                                                "fallback_application_name",
                                                                "gssdelegation",
                                                                "gssencmode",
                                                                "gsslib",
                                                                "host",
                                                                "hostaddr",
                                                                "keepalives",
                                                                "keepalives_count",
                                                                "keepalives_idle",
                                                                "keepalives_interval",
                                                                "krbsrvname",
                                                                "load_balance_hosts",
                                                                "max_protocol_version",
                                                                "min_protocol_version",
                                                                "options",
                                                                "passfile",
                                                                "port",
                                                                "replication",
                                                                "require_auth",
                                                                "requirepeer",
                                                                "requiressl",
                                                                "service",
                                                                "servicefile",
                                                                "ssl",
                                                                "ssl_max_protocol_version",
                                                                "ssl_min_protocol_version",
                                                                "sslcert",
                                                                "sslcertmode",
                                                                "sslcompression",
                                                                "sslcrl",
                                                                "sslcrldir",
                                                                "sslkey",
                                                                "sslmode",
                                                                "sslnegotiation",
                                                                "sslrootcert",
                                                                "sslsni",
                                                                "target_session_attrs",
                                                                "tcp_user_timeout",
                                                                "user"});
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// A value that could hold a second parameter ("host=h;password=p"), an address or a setting with a secret is not shown.
bool may_show(std::string_view key, std::string_view value, std::string_view doubtful) {
  bool well_formed = true;
  const std::string decoded = percent_decode(value, well_formed);
  if (!may_show(key) || value.find_first_of(doubtful) != std::string_view::npos) return false;
  if (decoded.find("://") != std::string::npos || decoded.find(';') != std::string::npos) return false;
  std::string low = decoded;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (key == "options") return low.find("pass") == std::string::npos && low.find("secret") == std::string::npos;
  return decoded.find('=') == std::string::npos;
}

std::string redact_keywords(std::string_view text) {
  std::vector<Pair> pairs;
  const bool whole = split_keywords(text, pairs);
  std::string out;
  for (const Pair& pair : pairs) {
    if (!out.empty()) out += ' ';
    out += std::string(pair.key) + "=";
    out += may_show(pair.key, pair.value, ";") ? std::string(pair.value) : hidden;
  }
  if (!whole) out += (out.empty() ? "" : " ") + hidden;
  return out;
}

// False where the query is none that libpq would take, or where an @ stands in a parameter that it does not know:
// then the ? may well be part of a password.
bool plain_query(std::string_view query) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t sign = pair.find('=');
    if (sign == std::string_view::npos) return false;
    const std::string_view key = pair.substr(0, sign);
    if (pair.find('@') != std::string_view::npos && !may_show(key) && key != "password") return false;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return true;
}

std::string redact_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t sign = pair.find('=');
    if (!out.empty()) out += '&';
    if (sign == std::string_view::npos) return out + hidden;
    bool well_formed = true;
    const std::string key = percent_decode(pair.substr(0, sign), well_formed);
    const bool show = may_show(key, pair.substr(sign + 1), ";?=#&");
    // A key that is not known may itself be the tail of a password with an & in it.
    out += show ? std::string(pair) : (may_show(key) || key == "password" ? key : hidden) + "=" + hidden;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

// What is left of "user:password" to show.
std::string redact_user(std::string_view userinfo) {
  size_t colon = userinfo.find(':');
  for (const char* const escaped : {"%3A", "%3a"}) colon = std::min(colon, userinfo.find(escaped));
  if (colon == std::string_view::npos) {
    // "host?password=p@q": what libpq takes for a user name is a parameter.
    return userinfo.find_first_of("?=&;#") == std::string_view::npos ? std::string(userinfo) : hidden;
  }
  const std::string_view user = userinfo.substr(0, colon);
  return (user.find_first_of("?=&;#/@") == std::string_view::npos ? std::string(user) : hidden) + ":" + hidden;
}

std::string redact_uri(std::string_view text, Uri uri) {
  std::string out = std::string(uri.scheme) + "://";
  if (!plain_query(uri.query)) return out + hidden;
  const std::string_view rest = text.substr(out.size(), text.size() - out.size() - uri.query.size());
  const size_t last = rest.rfind('@');
  if (last != std::string_view::npos && last != uri.userinfo.size()) {
    // A password with an @ or / of its own: up to the last @ everything may be part of it.
    out += redact_user(rest.substr(0, last)) + "@";
    Uri behind;
    split_authority(rest.substr(last + 1), behind);
    uri.hosts = behind.hosts;
    uri.path = behind.path;
  } else if (uri.has_userinfo) {
    out += redact_user(uri.userinfo) + "@";
  }
  if (!split_hosts(uri.hosts) || uri.hosts.find_first_of(";=&#") != std::string_view::npos) {
    // "user:password" with its @ forgotten, or something worse: show the first word.
    return out + std::string(uri.hosts.substr(0, uri.hosts.find_first_of(":[;=&#"))) + ":" + hidden;
  }
  out += std::string(uri.hosts);
  if (uri.path.find_first_of(":;=&") != std::string_view::npos) return out + "/" + hidden;
  out += std::string(uri.path);
  if (uri.has_query) out += "?" + redact_query(uri.query);
  return out;
}

}  // namespace

std::string redact(const std::string& database_url) {
  const std::string_view text = trim(database_url);
  Uri uri;
  if (split_uri(text, uri)) return redact_uri(text, uri);
  return text.find('=') == std::string_view::npos ? hidden : redact_keywords(text);
}

}  // namespace config
