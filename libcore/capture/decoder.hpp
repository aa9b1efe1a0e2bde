// pgoutput messages (manual, "Logical Replication Message Formats", protocol 1) into lines of the change format. Pure:
// bytes in, lines out; knows no connection. Owns the shapes that this session of the stream has announced.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "change/change.hpp"

namespace pg {
class ByteReader;
}

namespace capture {

// What the stream does not say itself; see Catalog.
struct Lookup {
  std::function<std::string(uint32_t type)> type_name;
  std::function<void(uint32_t table, change::Relation& relation)> describe;
  bool any_bytes = false;  // of a database that takes any: what is no UTF-8 is looked for, else its server keeps it off
};

class Decoder {
 public:
  explicit Decoder(Lookup lookup) : lookup_(std::move(lookup)) {}

  // What a message was, for the loop around; its line (or lines, or none) is appended to `out`. Throws Error(data) for
  // what is no message, and for text that is no UTF-8, as a database of SQL_ASCII may have it.
  enum class Step { begin, inside, commit, other };
  Step decode(std::string_view message, std::string& out);

  // The commit LSN in a begin message, without decoding it; 0/0 for any other message.
  static change::Lsn begins(std::string_view message);

  change::Lsn commit_lsn() const { return commit_lsn_; }  // of the transaction that began last
  change::Lsn end_lsn() const { return end_lsn_; }        // of the one that committed last
  uint64_t changes() const { return changes_; }           // in the transaction that began last
  bool in_transaction() const { return in_transaction_; }

 private:
  struct Known {
    change::Relation relation;
    bool announced = false;  // its line was written since the stream began or the shape changed
  };
  using Row = std::vector<change::Value>;

  void read_relation(pg::ByteReader& bytes);
  void read_insert(pg::ByteReader& bytes, std::string& out);
  void read_update(pg::ByteReader& bytes, std::string& out);
  void read_delete(pg::ByteReader& bytes, std::string& out);
  void read_truncate(pg::ByteReader& bytes, std::string& out);
  const change::Relation& relation_of(pg::ByteReader& bytes, std::string& out);
  static void read_row(pg::ByteReader& bytes, const change::Relation& relation, Row& row);
  void take_key(const change::Relation& relation, const Row& row);
  void finish(const std::string& out, size_t from, const change::Relation& relation, const Row& row);
  [[noreturn]] void refuse_text(const change::Relation& relation, const Row& row) const;

  Lookup lookup_;
  std::unordered_map<uint32_t, Known> relations_;  // by the table's OID
  std::unordered_map<uint32_t, std::string> announced_types_;
  bool in_transaction_ = false;
  change::Lsn commit_lsn_;
  change::Lsn end_lsn_;
  uint64_t changes_ = 0;
  Row old_row_;
  Row new_row_;
  Row key_;
};

}  // namespace capture
