// Appends lines of the change format to a string. Owns the spelling of every line: whoever writes the format calls
// this. Pure; strings must be UTF-8 (the session settings and the server's encoding see to it).
#pragma once

#include <string>
#include <string_view>

#include "change/change.hpp"

namespace change {

// A JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);
// `,"key":{…}`, a member of a line of one's own; `key` aligned with relation.key, nothing where that is empty.
void append_key(std::string& out, const Relation& relation, std::span<const Value> key,
                std::string_view member = "key");

// `operations` is written only in a segment's first line: what the spool held before it. `cut` only by a comparison:
// the position at which it looked at both sides.
void append_source(std::string& out, const Source& source, Lsn start, const uint64_t* operations = nullptr,
                   const Lsn* cut = nullptr);
void append_relation(std::string& out, const Relation& relation);
void append_begin(std::string& out, Lsn lsn, uint32_t xid, int64_t time_us);
// `key` aligned with relation.key, `row` with relation.columns. An absent value in an update's row is named in
// "unchanged". An empty key writes none (tables without an identity).
void append_insert(std::string& out, const Relation& relation, std::span<const Value> key, std::span<const Value> row);
void append_update(std::string& out, const Relation& relation, std::span<const Value> key, std::span<const Value> row);
void append_remove(std::string& out, const Relation& relation, std::span<const Value> key);
void append_truncate(std::string& out, std::span<const base::TableName> tables, bool restart_identity, bool cascade);
void append_copy(std::string& out, std::span<const base::TableName> tables);
void append_commit(std::string& out, Lsn lsn, Lsn end_lsn, uint64_t changes);
void append_keepalive(std::string& out, Lsn lsn, int64_t time_us);

// The commit line as the spool keeps it is the line above with the checksum put before its closing brace. The
// checksum covers every byte of the transaction up to that point.
void append_checksum(std::string& commit_line, uint64_t checksum);
// Where append_checksum() put it: the length of what it covers. npos if the line (without newline) carries none.
size_t checksum_position(std::string_view commit_line);

}  // namespace change
