#include "config/conninfo.hpp"

#include <algorithm>

namespace config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int hex(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One value from `i` on; false when its quote does not end, or ends in the middle of a word.
bool skip_value(std::string_view text, size_t& i) {
  if (i >= text.size() || text[i] != '\'') {
    for (; i < text.size() && !is_blank(text[i]); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
    }
    return true;
  }
  for (++i; i < text.size() && text[i] != '\''; ++i) {
    if (text[i] == '\\') ++i;
  }
  if (i >= text.size()) return false;
  ++i;
  return i == text.size() || is_blank(text[i]);
}

}  // namespace

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool split_uri(std::string_view text, Uri& uri) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0])) return false;
  uri.scheme = text.substr(0, colon);
  const bool scheme = std::all_of(uri.scheme.begin(), uri.scheme.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.' || c == '_';
  });
  if (!scheme) return false;
  split_authority(text.substr(colon + 3), uri);
  return true;
}

void split_authority(std::string_view rest, Uri& uri) {
  const size_t sign = rest.find_first_of("@/");
  uri.has_userinfo = sign != std::string_view::npos && rest[sign] == '@';
  if (uri.has_userinfo) {
    uri.userinfo = rest.substr(0, sign);
    rest.remove_prefix(sign + 1);
  }
  const size_t hosts = std::min(rest.find_first_of("/?"), rest.size());
  uri.hosts = rest.substr(0, hosts);
  rest.remove_prefix(hosts);
  const size_t path = std::min(rest.find('?'), rest.size());
  uri.path = rest.substr(0, path);
  uri.has_query = path < rest.size();
  uri.query = uri.has_query ? rest.substr(path + 1) : std::string_view();
}

bool split_keywords(std::string_view text, std::vector<Pair>& pairs) {
  size_t i = 0;
  const auto skip_blanks = [&] {
    while (i < text.size() && is_blank(text[i])) ++i;
  };
  for (skip_blanks(); i < text.size(); skip_blanks()) {
    const size_t key = i;
    while (i < text.size() && (is_letter(text[i]) || is_digit(text[i]) || text[i] == '_')) ++i;
    Pair pair{text.substr(key, i - key), {}};
    skip_blanks();
    if (pair.key.empty() || i >= text.size() || text[i] != '=') return false;
    ++i;
    skip_blanks();
    const size_t value = i;
    if (!skip_value(text, i)) return false;
    pair.value = text.substr(value, i - value);
    pairs.push_back(pair);
  }
  return !pairs.empty();
}

std::string percent_decode(std::string_view text, bool& well_formed) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      well_formed = false;
      out += '%';
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool is_port(std::string_view port) { return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit); }

bool split_hosts(std::string_view hosts) {
  while (!hosts.empty()) {
    const size_t comma = std::min(hosts.find(','), hosts.size());
    std::string_view host = hosts.substr(0, comma);
    hosts.remove_prefix(std::min(comma + 1, hosts.size()));
    if (!host.empty() && host[0] == '[') {
      const size_t bracket = host.find(']');
      if (bracket == std::string_view::npos) return false;
      host.remove_prefix(bracket + 1);
      if (!host.empty() && host[0] != ':') return false;
    }
    const size_t colon = host.find(':');
    if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) return false;
  }
  return true;
}

}  // namespace config
