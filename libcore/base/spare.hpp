// Records that can be written on a disk that is full: beside each lies a spare file whose blocks are taken already, and
// which changes places with it then. Owns PATH.spare. For small records that must not stay behind what happens, as what
// was told to whom; knows nothing of what is in them, but that blanks at their end mean nothing.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/files.hpp"

namespace base {

// As replace_file(); where there is no room for that, into the spare, with blanks up to its size. Throws where neither
// can be. One writer at a time. A file system that never writes in place (btrfs, zfs) gives no such promise.
void replace_spared(const std::filesystem::path& path, std::string_view content, Durable durable);

}  // namespace base
