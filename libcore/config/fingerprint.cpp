#include "config/fingerprint.hpp"

#include <string>

#include "base/hash.hpp"

namespace config {
namespace {

// With its length before it, or what ends one word could begin the next.
void add(const std::string& word, base::Hasher& to) { to.add(std::to_string(word.size()) + ":" + word); }

void add(const Value& value, base::Hasher& to) {
  constexpr const char* kinds = "ntlm";
  to.add(std::string(1, kinds[static_cast<int>(value.kind)]) + (value.quoted ? "q" : ""));
  add(value.text, to);
  to.add("[");
  for (const Value& item : value.items) add(item, to);
  for (const Entry& entry : value.entries) {
    add(entry.key, to);
    add(entry.value, to);
  }
  to.add("]");
}

}  // namespace

uint64_t fingerprint(const Value& document) {
  base::Hasher hasher;
  add(document, hasher);
  return hasher.value();
}

}  // namespace config
