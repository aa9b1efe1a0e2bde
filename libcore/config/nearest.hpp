// The word that somebody probably meant, for "did you mean" in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace config {

// The candidate nearest to `word` by edit distance, or one that contains it or is contained in it (sync_batch_size,
// batch_size); empty when none is near enough to be meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace config
