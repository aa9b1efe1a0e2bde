// The digest's SQL. That it sees every change of a value is for tests/e2e/diff_test.sh to show.
#include <catch2/catch.hpp>

#include "compare/row_digest.hpp"
#include "compare/self_test.hpp"

using compare::Digest;
using compare::DigestColumn;
using compare::Form;

TEST_CASE("each type has the hash that follows its identity") {
  CHECK(compare::form_of("bigint") == Form::int8);
  CHECK(compare::form_of("character varying") == Form::text);
  CHECK(compare::form_of("timestamp with time zone") == Form::sent);
  CHECK(compare::form_of("numeric") == Form::as_text);
  CHECK(compare::form_of("bpchar") == Form::as_text);
  CHECK(compare::form_of("integer[]") == Form::as_text);
  CHECK(compare::form_of("\"My Types\".mood") == Form::as_text);
}

TEST_CASE("columns have seeds of their own, and NULL is a value") {
  const std::string hash = compare::row_hash(
      {{"a", Form::int4, "integer", false}, {"b", Form::text, "text", true}, {"c", Form::text, "text", true}},
      Digest::native);
  CHECK(hash.find("(hashint4extended(a, 1)) # COALESCE(hashtextextended((b)::text COLLATE \"C\", 2), ") == 0);
  CHECK(hash.find("hashtextextended((c)::text COLLATE \"C\", 3)") != std::string::npos);
  const auto null_of = [&](size_t seed) {
    const size_t at = hash.find(", " + std::to_string(seed) + "), ");
    return hash.substr(at + 6, hash.find("::bigint", at) - at);
  };
  CHECK(null_of(2) != null_of(3));
  CHECK(compare::row_hash({}, Digest::native) == "0::bigint");
}

TEST_CASE("both halves of a bigint are hashed, and the mixing is no sum") {
  const std::string hash = compare::row_hash({{"a", Form::int8, "bigint", false}}, Digest::native);
  CHECK(hash.find(">> 32)::int4") != std::string::npos);
  CHECK(compare::mixed("x", Digest::native) == "hashint8extended(x, hashint4extended((x >> 32)::int4, 1))");
  CHECK(compare::mixed("x", Digest::portable) == "x");
}

TEST_CASE("the portable digest puts a length before each text, and no md5") {
  const std::string hash = compare::row_hash(
      {{"a", Form::int4, "integer", true}, {"trim_scale(b)", Form::as_text, "numeric", true}}, Digest::portable);
  CHECK(hash.find("COALESCE(char_length((a)::text) || ':' || (a)::text, '-')") != std::string::npos);
  CHECK(hash.find("(trim_scale(b))::text") != std::string::npos);
  CHECK(hash.find("sha256(convert_to(") != std::string::npos);
  CHECK(hash.find("md5") == std::string::npos);
}

TEST_CASE("the self-test has every function that a digest may call") {
  const std::string sql = compare::self_test_sql(Digest::native);
  for (const char* function :
       {"hashint2extended", "hashint4extended", "hashint8extended", "hashtextextended", "hashfloat4extended",
        "hashfloat8extended", "uuid_hash_extended", "hash_array_extended", "timestamptz_send", "date_send"})
    CHECK(sql.find(function) != std::string::npos);
}
