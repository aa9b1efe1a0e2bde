#include "pg/quote.hpp"

#include <array>

namespace pg {
namespace {

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> escapes{};
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['\v'] = 'v';
  escapes['\\'] = '\\';
  return escapes;
}
constexpr std::array<char, 256> escapes = make_escapes();

}  // namespace

std::string quote_identifier(std::string_view name) { return doubled(name, '"'); }

std::string quote_identifiers(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quote_identifier(name);
  return out;
}

std::string quote_table(const base::TableName& table) {
  return quote_identifier(table.schema) + "." + quote_identifier(table.name);
}

std::string quote_condition(std::string_view sql) {
  const bool may_end_in_comment = sql.find("--") != std::string_view::npos;
  return "(" + std::string(sql) + (may_end_in_comment ? "\n)" : ")");
}

std::string quote_literal(std::string_view text) { return doubled(text, '\''); }

void append_copy_value(std::string& out, const change::Value& value) {
  if (value.kind != change::ValueKind::text) {
    out += "\\N";
    return;
  }
  const char* run = value.data;
  const char* const end = run + value.size;
  for (const char* at = run; at != end; ++at) {
    const char escape = escapes[static_cast<unsigned char>(*at)];
    if (escape == 0) continue;
    out.append(run, at);
    out += '\\';
    out += escape;
    run = at + 1;
  }
  out.append(run, end);
}

}  // namespace pg
