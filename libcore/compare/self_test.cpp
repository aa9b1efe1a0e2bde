#include "compare/self_test.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "pg/error.hpp"

namespace compare {
namespace {

struct Sample {
  const char* type;  // as form_of() takes it
  const char* value;
  Form form;
};

// The letters that are not ASCII tell encodings apart.
constexpr Sample samples[] = {
    {"smallint", "'-2'", Form::int2},
    {"integer", "'2147483647'", Form::int4},
    {"bigint", "'-9223372036854775808'", Form::int8},
    {"bigint", "'4294967296'", Form::int8},
    {"text", "'é, ß and ñ'", Form::text},
    {"text", "repeat('a longer text, of several rounds. ', 40)", Form::text},
    {"text", "''", Form::text},
    {"text", "NULL", Form::text},
    {"uuid", "'7314d1e5-0000-4000-8000-00000000ffff'", Form::uuid},
    {"boolean", "'t'", Form::boolean},
    {"boolean", "NULL", Form::boolean},
    {"real", "'0.1'", Form::float4},
    {"double precision", "'0.1'", Form::float8},
    {"double precision", "'-0'", Form::float8},
    {"double precision", "'NaN'", Form::float8},
    {"numeric", "'-1.500'", Form::as_text},
    {"numeric", "'1.00'", Form::as_text},
    {"bytea", "'\\x00ff'", Form::bytes},
    {"date", "'infinity'", Form::sent},
    {"timestamp with time zone", "'2026-11-23 04:05:06.123456+00'", Form::sent},
    {"inet", "'10.0.0.1/8'", Form::sent},
    {"interval", "'1 mon -1 days +02:03:04'", Form::as_text},
    {"jsonb", "'{\"a\": 1.00}'", Form::as_text},
    {"integer[]", "'[0:1]={1,2}'", Form::as_text},
};

std::string vector_of(pg::Session& session, Digest digest) {
  try {
    return std::string(session.query(self_test_sql(digest)).get(0, 0));
  } catch (const pg::SqlError& refused) {
    if (digest == Digest::portable) throw;
    return session.node() + ": " + refused.reason();
  }
}

}  // namespace

std::string self_test_sql(Digest digest) {
  std::vector<DigestColumn> columns;
  std::string values;
  for (const Sample& sample : samples) {
    const std::string name = "c" + std::to_string(columns.size());
    values += (values.empty() ? "" : ", ") + (std::string("(") + sample.value + ")::" + sample.type + " AS " + name);
    columns.push_back({name, sample.form, sample.type, true});
  }
  return "SELECT " + mixed("x", digest) + " FROM (SELECT " + row_hash(columns, digest) + " AS x FROM (SELECT " +
         values + ") AS v OFFSET 0) AS r";
}

Digest agree_on_digest(pg::Session& primary, pg::Session& standby) {
  const std::string ours = vector_of(primary, Digest::native);
  const std::string theirs = vector_of(standby, Digest::native);
  if (ours == theirs) return Digest::native;
  base::log(base::Level::warn, primary.node() + " and " + standby.node() + " hash values differently (" + ours + ", " +
                                   theirs + "): compared by sha256 instead, which takes several times as long");
  if (vector_of(primary, Digest::portable) != vector_of(standby, Digest::portable))
    throw base::Error(base::Exit::data, primary.node() + " and " + standby.node() +
                                            " print the same values differently; they cannot be compared");
  return Digest::portable;
}

}  // namespace compare
