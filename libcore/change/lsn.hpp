// A position in a primary's write-ahead log. PostgreSQL writes it as two hex numbers, "0/1A2B3C8" (pg_lsn).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace change {

struct Lsn {
  uint64_t value = 0;
  auto operator<=>(const Lsn&) const = default;

  std::string text() const;
  void append_to(std::string& out) const;
  // False when the text is no LSN (what pg_lsn refuses is refused here too).
  static bool parse(std::string_view text, Lsn& lsn);
};

}  // namespace change
