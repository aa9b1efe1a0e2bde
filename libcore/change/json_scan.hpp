// The inner loop of reading and writing JSON strings: the run of bytes that stand for themselves, eight or sixteen at
// a time. Pure. What every x86-64 has is used; elsewhere plain arithmetic on eight bytes does it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace change {

struct Scanned {
  size_t plain;   // bytes before the first quote, backslash or control character; scan_step if there is none
  uint64_t high;  // not 0 if one of them is not ASCII
};

// Eight bytes as a number, the first one lowest.
inline uint64_t load8(const char* at) {
  uint64_t bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
  return bytes;
}
// Has the top bit set of the first byte that does not stand for itself. (A borrow may mark bytes after it too.)
constexpr uint64_t byte_ones = 0x0101010101010101;
constexpr uint64_t byte_tops = 0x8080808080808080;
constexpr uint64_t special8(uint64_t bytes) {
  const uint64_t quote = bytes ^ (byte_ones * '"');
  const uint64_t backslash = bytes ^ (byte_ones * '\\');
  const uint64_t control = (bytes - byte_ones * 0x20) & ~bytes;
  return (((quote - byte_ones) & ~quote) | ((backslash - byte_ones) & ~backslash) | control) & byte_tops;
}

#if defined(__SSE2__) && !defined(PGTANDEM_PORTABLE_SCAN)

constexpr size_t scan_step = 16;

// Reads scan_step bytes at `at` and writes them to `to`.
inline Scanned scan_copy(const char* at, char* to) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const int special = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
  const auto high = static_cast<unsigned>(_mm_movemask_epi8(bytes));
  const unsigned stop = static_cast<unsigned>(special) | 0x10000;
  return {static_cast<size_t>(std::countr_zero(stop)), high & (stop ^ (stop - 1)) & 0xffff};
}

#else

constexpr size_t scan_step = 8;

inline Scanned scan_copy(const char* at, char* to) {
  const uint64_t bytes = load8(at);
  std::memcpy(to, at, sizeof bytes);
  const uint64_t special = special8(bytes);
  if (special == 0) return {8, bytes & byte_tops};
  return {static_cast<size_t>(std::countr_zero(special)) / 8, bytes & byte_tops & (special ^ (special - 1))};
}

#endif

// How many of the first bytes stand for themselves; reads nothing beyond `size`.
inline size_t plain_run(const char* at, size_t size) {
  size_t i = 0;
  if (size < 8) {
    while (i < size && static_cast<unsigned char>(at[i]) >= 0x20 && at[i] != '"' && at[i] != '\\') ++i;
    return i;
  }
  const auto plain8 = [at](size_t from) {
    return static_cast<size_t>(std::countr_zero(special8(load8(at + from)))) / 8;
  };
  for (; i + 8 <= size; i += 8)
    if (const size_t plain = plain8(i); plain < 8) return i + plain;
  return i == size ? size : size - 8 + plain8(size - 8);  // the last eight again: what was plain still is
}

// memcmp() == 0 for the few bytes of a name (at least 4, with its quotes and colon), without a call.
inline bool same(const char* a, const char* b, size_t size) {
  const auto differ = [&]<class Word>(size_t at, Word) {
    Word x;
    Word y;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x != y;
  };
  if (size < 8) return !differ(0, uint32_t{}) && !differ(size - 4, uint32_t{});
  for (size_t at = 0; at + 8 < size; at += 8)
    if (differ(at, uint64_t{})) return false;
  return !differ(size - 8, uint64_t{});
}

}  // namespace change
