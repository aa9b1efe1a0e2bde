// Big-endian integers and strings of PostgreSQL's protocols, written, and read with bounds. Every read past the end
// throws Error(data): no message of a server can make the decoder look outside it.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pg {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  uint8_t byte() { return static_cast<uint8_t>(take(1)[0]); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  void skip(size_t count) { take(count); }
  std::string_view take(size_t count) {
    if (count > bytes_.size()) throw base::Error(base::Exit::data, "a message of the replication stream is cut short");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view text() {  // ended by a NUL
    const size_t end = bytes_.find('\0');
    if (end == std::string_view::npos)
      throw base::Error(base::Exit::data, "a string of the replication stream has no end");
    const std::string_view taken = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return taken;
  }
  std::string_view rest() { return take(bytes_.size()); }
  bool empty() const { return bytes_.empty(); }

 private:
  uint64_t number(size_t count) {
    uint64_t value = 0;
    for (const char c : take(count)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view bytes_;
};

template <std::integral Integer>
void append_big_endian(std::string& out, Integer value) {
  char bytes[sizeof value];
  for (size_t i = sizeof value; i-- > 0; value = static_cast<Integer>(value >> (sizeof value > 1 ? 8 : 0)))
    bytes[i] = static_cast<char>(value);
  out.append(bytes, sizeof value);
}

}  // namespace pg
