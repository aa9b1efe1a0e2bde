// The digest of a row as SQL: 64 bits that follow every column's identity, not its type's `=` (which takes 1.0 for 1.00
// and -0 for 0), and that are the same on two servers wherever the values are. Owns which hash function each type gets
// and how columns are put together; the same text is run on both sides. Pure.
//
// Native: each column hashed with a seed of its own and a constant of its own for NULL, the hashes joined by XOR, the
// result mixed by a step that is not linear; without it two rows that swap a value have the same sum. PostgreSQL's
// 64-bit hash of an integer folds its halves first (hashfunc.c), so 1 and 2^32 look alike: the upper half is hashed
// too, and timestamps and their kind go in as the bytes of their send function. Types whose hash follows equality, an
// OID or nothing at all go in as their text; so does numeric, whose hash knows no sign (hash_numeric in numeric.c).
// Portable: the left 64 bits of sha256 over the texts of the columns in UTF-8, each behind its length. Several times
// slower; for two servers whose hash functions differ (byte order, encoding, a future version).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace compare {

enum class Form : uint8_t { int2, int4, int8, text, uuid, boolean, float4, float8, bytes, sent, as_text };
// Of a type by format_type(oid, -1).
Form form_of(std::string_view type);

struct DigestColumn {
  std::string sql;            // over the table: what is compared
  Form form = Form::as_text;  // of that
  std::string type;           // of that, as form_of() takes it; for Form::sent
  bool nullable = true;
};

enum class Digest : uint8_t { native, portable };

// The columns of one row joined, a bigint. Goes into an inner SELECT that ends in OFFSET 0: with it the planner groups
// by hash, without it it sorts, because it takes every group for a row.
std::string row_hash(const std::vector<DigestColumn>& columns, Digest digest);
// The digest from that, as an outer SELECT has it in its column `x`.
std::string mixed(const std::string& x, Digest digest);

}  // namespace compare
