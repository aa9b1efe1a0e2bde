#include "change/lsn.hpp"

#include <charconv>
#include <cstdio>

namespace change {
namespace {

bool parse_half(std::string_view text, uint32_t& half) {
  if (text.empty() || text.size() > 8) return false;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), half, 16);
  return failed == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string Lsn::text() const {
  char out[24];
  std::snprintf(out, sizeof out, "%X/%X", static_cast<unsigned>(value >> 32), static_cast<unsigned>(value));
  return out;
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
