#include "config/url.hpp"

#include <vector>

#include "config/conninfo.hpp"

namespace config {
namespace {

const char* const form = "write postgresql://user@host:5432/database, a keyword string (host=… dbname=…) or service=…";

bool check_escapes(std::string_view text, std::string& why) {
  bool well_formed = true;
  const std::string decoded = percent_decode(text, well_formed);
  if (!well_formed) why = "has a % that starts no escape; write %25 for the character itself";
  if (decoded.find('\0') != std::string::npos) why = "has a %00, which PostgreSQL takes nowhere; remove it";
  return why.empty();
}

bool check_uri(std::string_view text, const Uri& uri, std::string& why) {
  const bool stray = uri.hosts.find('@') != std::string_view::npos || uri.path.find('@') != std::string_view::npos;
  if (stray) {
    why = "has an @ or / too many; in a user name or password write %40 for @ and %2F for /";
    return false;
  }
  if (!check_escapes(text, why)) return false;
  if (!split_hosts(uri.hosts)) {
    why = "has a port that is no number; write host:5432, and escape : @ / in a password (%3A %40 %2F)";
    return false;
  }
  for (std::string_view query = uri.query; !query.empty();) {
    const size_t end = std::min(query.find('&'), query.size());
    if (query.substr(0, end).find('=') == std::string_view::npos) {
      why = "has a parameter without a value after the ?; write ?name=value&name=value";
      return false;
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return true;
}

}  // namespace

bool normalize_url(std::string_view text, std::string& url, std::string& why) {
  why.clear();
  text = trim(text);
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
      why = "spans several lines or holds a control character; write it in one line, and see that its quotes end";
      return false;
    }
  }
  Uri uri;
  if (split_uri(text, uri)) {
    const std::string_view dialect = uri.scheme.substr(0, uri.scheme.find('+'));
    if (dialect != "postgresql" && dialect != "postgres") {
      why = std::string("is no address of a PostgreSQL database; ") + form;
      return false;
    }
    if (!check_uri(text, uri, why)) return false;
    url = std::string(dialect) + std::string(text.substr(uri.scheme.size()));
    return true;
  }
  if (text.find('=') == std::string_view::npos) {
    why = std::string(text.empty() ? "is empty; " : "is no address of a PostgreSQL database; ") + form;
    return false;
  }
  std::vector<Pair> pairs;
  if (!split_keywords(text, pairs)) {
    why = "is no keyword string: a word without =, or a quote that does not end; write host=… password='…'";
    return false;
  }
  url = text;
  return true;
}

}  // namespace config
