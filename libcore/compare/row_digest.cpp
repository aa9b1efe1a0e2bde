#include "compare/row_digest.hpp"

#include <map>

namespace compare {
namespace {

// splitmix64's step, to 62 bits: constants that have nothing to do with each other.
std::string constant(uint64_t n) {
  uint64_t z = n * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return std::to_string(((z ^ (z >> 31)) >> 2) | 1) + "::bigint";
}

std::string send_function(std::string_view type) {
  static const std::map<std::string_view, const char*> functions = {
      {"date", "date_send"},
      {"timestamp without time zone", "timestamp_send"},
      {"timestamp with time zone", "timestamptz_send"},
      {"time without time zone", "time_send"},
      {"time with time zone", "timetz_send"},
      {"inet", "inet_send"},
      {"cidr", "cidr_send"},
      {"macaddr", "macaddr_send"},
      {"macaddr8", "macaddr8_send"},
      {"pg_lsn", "pg_lsn_send"},
      {"xid8", "xid8send"},
  };
  const auto found = functions.find(type);
  return found == functions.end() ? "" : found->second;
}

std::string text_hash(const std::string& sql, const std::string& seed) {
  return "hashtextextended((" + sql + ")::text COLLATE \"C\", " + seed + ")";
}

std::string value_hash(const DigestColumn& column, const std::string& seed, uint64_t number) {
  const std::string& c = column.sql;
  switch (column.form) {
    case Form::int2:
      return "hashint2extended(" + c + ", " + seed + ")";
    case Form::int4:
      return "hashint4extended(" + c + ", " + seed + ")";
    case Form::int8:  // the fold of both halves, and the upper one: together they are the value
      return "hashint8extended(" + c + ", " + seed + ") # hashint4extended((" + c + " >> 32)::int4, " +
             std::to_string(number + 2000) + ")";
    case Form::uuid:
      return "uuid_hash_extended(" + c + ", " + seed + ")";
    case Form::boolean:
      return "CASE WHEN " + c + " THEN " + constant(number + 4000) + " WHEN NOT " + c + " THEN " +
             constant(number + 6000) + " END";
    case Form::float4:
    case Form::float8:  // whose hash takes -0 for 0
      return "CASE WHEN " + c + " = 0 THEN " + text_hash(c, seed) + " ELSE " +
             (column.form == Form::float4 ? "hashfloat4extended(" : "hashfloat8extended(") + c + ", " + seed + ") END";
    case Form::bytes:  // the only way to bytea's hash function
      return "hash_array_extended(ARRAY[" + c + "], " + seed + ")";
    case Form::sent:
      return "hash_array_extended(ARRAY[" + send_function(column.type) + "(" + c + ")], " + seed + ")";
    case Form::text:
    case Form::as_text:
      break;
  }
  return text_hash(c, seed);
}

// Seeds and constants by a column's place, which is the same on both sides.
std::string native(const std::vector<DigestColumn>& columns) {
  std::string out;
  std::string sent;  // in one array: a call for all of them instead of one each
  for (size_t i = 0; i < columns.size(); ++i) {
    const uint64_t number = i + 1;
    const DigestColumn& column = columns[i];
    if (column.form == Form::sent) {
      sent += (sent.empty() ? "" : ", ") + send_function(column.type) + "(" + column.sql + ")";
      continue;
    }
    const std::string hash = value_hash(column, std::to_string(number), number);
    out += out.empty() ? "" : " # ";
    out += column.nullable ? "COALESCE(" + hash + ", " + constant(number) + ")" : "(" + hash + ")";
  }
  if (!sent.empty()) out += (out.empty() ? "" : " # ") + ("hash_array_extended(ARRAY[" + sent + "], 9000)");
  return out.empty() ? "0::bigint" : out;
}

std::string portable(const std::vector<DigestColumn>& columns) {
  std::string texts;
  for (const DigestColumn& column : columns) {
    const std::string text = "(" + column.sql + ")::text";
    texts += (texts.empty() ? "" : " || ") + ("COALESCE(char_length(" + text + ") || ':' || " + text + ", '-')");
  }
  if (texts.empty()) texts = "''";
  return "('x' || encode(substring(sha256(convert_to(" + texts + ", 'UTF8')) FROM 1 FOR 8), 'hex'))::bit(64)::bigint";
}

}  // namespace

Form form_of(std::string_view type) {
  static const std::map<std::string_view, Form> forms = {
      {"smallint", Form::int2},           {"integer", Form::int4}, {"bigint", Form::int8},     {"text", Form::text},
      {"character varying", Form::text},  {"uuid", Form::uuid},    {"boolean", Form::boolean}, {"real", Form::float4},
      {"double precision", Form::float8}, {"bytea", Form::bytes},
  };
  const auto found = forms.find(type);
  if (found != forms.end()) return found->second;
  return send_function(type).empty() ? Form::as_text : Form::sent;
}

std::string row_hash(const std::vector<DigestColumn>& columns, Digest digest) {
  return digest == Digest::native ? native(columns) : portable(columns);
}

std::string mixed(const std::string& x, Digest digest) {
  if (digest == Digest::portable) return x;
  return "hashint8extended(" + x + ", hashint4extended((" + x + " >> 32)::int4, 1))";
}

}  // namespace compare
