// Whether somebody else holds a file's lock. For who only wants to know; who wants it takes a FileLock (files.hpp).
#pragma once

#include <filesystem>

namespace base {

// Whether somebody holds an exclusive flock(2) on the file; false where there is no such file. There is no way to ask
// without taking it for a moment, so whoever locks the file tries again for that long.
bool is_locked(const std::filesystem::path& path);

}  // namespace base
