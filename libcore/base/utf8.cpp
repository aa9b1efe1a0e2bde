#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace base {
namespace {

bool continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// Bytes of the character that starts at `at`, 0 if it is none. The table is Unicode's 3-7.
int length(const unsigned char* at, int64_t left) {
  const unsigned char first = at[0];
  if (first < 0x80) return 1;
  if (first < 0xc2 || left < 2) return 0;
  if (first < 0xe0) return continues(at[1]) ? 2 : 0;
  if (first < 0xf0) {
    if (left < 3 || !continues(at[1]) || !continues(at[2])) return 0;
    if (first == 0xe0 && at[1] < 0xa0) return 0;  // overlong
    if (first == 0xed && at[1] > 0x9f) return 0;  // a surrogate
    return 3;
  }
  if (first > 0xf4 || left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3])) return 0;
  if (first == 0xf0 && at[1] < 0x90) return 0;
  if (first == 0xf4 && at[1] > 0x8f) return 0;
  return 4;
}

}  // namespace

const char* find_bad_utf8(const char* at, const char* end) {
  while (at < end) {
    uint64_t eight = 0;
    if (end - at >= 8) {
      std::memcpy(&eight, at, 8);
      if ((eight & 0x8080808080808080) == 0) {
        at += 8;
        continue;
      }
    }
    const int n = length(reinterpret_cast<const unsigned char*>(at), end - at);
    if (n == 0) return at;
    at += n;
  }
  return nullptr;
}

}  // namespace base
