// Values in the binary form that COPY's binary format carries: what each type's receive function reads (its *recv in
// the PostgreSQL sources; the same in every version since 10). The server takes these in half the time of their text.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pg {

enum class Binary : uint8_t {
  none,  // only the text form is known here
  boolean,
  int2,
  int4,
  int8,
  float4,
  float8,
  numeric,
  text,  // the bytes of the text form; also varchar, char(n), name, json, enums
  jsonb,
  bytea,
  uuid,
  date,
  timestamp,
  timestamptz,
};

// Of a type by its OID in pg_type; only built-in types have the same one everywhere. `is_enum`: pg_type.typtype is 'e'.
Binary binary_form(uint32_t type, bool is_enum);

// A field of COPY's binary format: the length, then the value. False, with `out` as it was, for text that is not as the
// server itself writes it (a stream that was made by hand, a date before Christ): such a value goes in text form, where
// the server decides what it means. Never for Binary::none.
bool append_binary(std::string& out, Binary form, std::string_view text);

}  // namespace pg
