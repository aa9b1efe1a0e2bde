// What the primary's catalog says of the types and columns that the stream names. Owns those queries; called by the
// decoder, once for each shape that the stream announces.
#pragma once

#include <cstdint>
#include <string>

#include "change/change.hpp"
#include "pg/session.hpp"

namespace capture {

class Catalog {
 public:
  explicit Catalog(pg::Session& session) : session_(session) {}

  // As format_type(oid, NULL) gives it; empty when there is no such type any more.
  std::string type_name(uint32_t type);
  // Fills in what another server needs to have the columns, too. It is that of now, which may be later than the stream:
  // a column that is no more, or has another type by now, is left as it is.
  void describe(uint32_t table, change::Relation& relation);

 private:
  pg::Session& session_;
};

}  // namespace capture
