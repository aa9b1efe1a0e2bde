#include "base/hash.hpp"

#include <xxhash.h>

#include <charconv>
#include <new>

namespace base {

struct Hasher::State {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh{XXH3_createState(), &XXH3_freeState};
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  if (!state_->xxh) throw std::bad_alloc();
  reset(0);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::reset(uint64_t seed) { XXH3_64bits_reset_withSeed(state_->xxh.get(), seed); }
void Hasher::add(std::string_view bytes) { XXH3_64bits_update(state_->xxh.get(), bytes.data(), bytes.size()); }
uint64_t Hasher::value() const { return XXH3_64bits_digest(state_->xxh.get()); }

uint64_t hash_bytes(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string hex16(uint64_t value) {
  std::string text(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

bool parse_hex16(std::string_view text, uint64_t& value) {
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != text.npos) return false;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return true;
}

}  // namespace base
