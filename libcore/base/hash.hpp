// XXH3 over a run of pieces. Guards the spool's transactions against damage; it is not a cryptographic hash.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace base {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  // Starts over; `seed` chains one run to the run before it.
  void reset(uint64_t seed);
  void add(std::string_view bytes);
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

uint64_t hash_bytes(std::string_view bytes);

// 16 lower-case hex digits, and back; false if the text is not that.
std::string hex16(uint64_t value);
bool parse_hex16(std::string_view text, uint64_t& value);

}  // namespace base
