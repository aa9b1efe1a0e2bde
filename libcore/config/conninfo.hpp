// The two forms of a libpq connection string taken apart, as libpq does (fe-connect.c), for url.cpp and redact.cpp.
// Pieces are views of the text; nothing is copied, decoded or judged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace config {

struct Uri {
  std::string_view scheme;    // "postgresql+psycopg2"
  std::string_view userinfo;  // before the @; empty without one
  bool has_userinfo = false;
  std::string_view hosts;  // "h1:5432,[::1]"
  std::string_view path;   // with its leading /
  std::string_view query;  // without its ?
  bool has_query = false;
};

// False when the text does not start with a scheme and "://".
bool split_uri(std::string_view text, Uri& uri);
// What follows the scheme and "://", split.
void split_authority(std::string_view rest, Uri& uri);

struct Pair {
  std::string_view key;
  std::string_view value;  // as written, quotes and all
};

// `host=h password='it\'s'`. False when it is not of that form; `pairs` then has what came before the error.
bool split_keywords(std::string_view text, std::vector<Pair>& pairs);

// %41 -> A; a malformed escape stays as it is, and `well_formed` becomes false.
std::string percent_decode(std::string_view text, bool& well_formed);

// Whether `port` may stand behind a host's colon: up to five digits, or nothing.
bool is_port(std::string_view port);
// Each host with its port, brackets respected; false where a port is none.
bool split_hosts(std::string_view hosts);

bool is_blank(char c);
std::string_view trim(std::string_view text);

}  // namespace config
