#include "change/lsn.hpp"

#include <bit>

namespace change {
namespace {

// One to eight hex digits. By hand, as every line of a transaction has an LSN and from_chars() takes any base.
bool parse_half(std::string_view text, uint32_t& half) {
  if (text.empty() || text.size() > 8) return false;
  half = 0;
  for (const char c : text) {
    uint32_t digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<uint32_t>(c - '0');
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<uint32_t>(c - 'A' + 10);
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<uint32_t>(c - 'a' + 10);
    else
      return false;
    half = half << 4 | digit;
  }
  return true;
}

void append_half(std::string& out, uint32_t half) {
  int shift = half == 0 ? 0 : (31 - std::countl_zero(half)) & ~3;
  for (; shift >= 0; shift -= 4) out += "0123456789ABCDEF"[half >> shift & 15];
}

}  // namespace

std::string Lsn::text() const {
  std::string out;
  append_to(out);
  return out;
}

void Lsn::append_to(std::string& out) const {
  append_half(out, static_cast<uint32_t>(value >> 32));
  out += '/';
  append_half(out, static_cast<uint32_t>(value));
}

bool Lsn::parse(std::string_view text, Lsn& lsn) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  uint32_t high = 0;
  uint32_t low = 0;
  if (!parse_half(text.substr(0, slash), high) || !parse_half(text.substr(slash + 1), low)) return false;
  lsn.value = (uint64_t{high} << 32) | low;
  return true;
}

}  // namespace change
