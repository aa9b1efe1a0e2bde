#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace base {

void throw_errno(const std::string& what) {
  const int code = errno;
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      throw Error(Exit::cannot_create, what + ": disk full; make room and start again");
    case EROFS:
      throw Error(Exit::cannot_create, what + ": read-only file system; mount it writable or choose another directory");
    case EACCES:
    case EPERM:
      throw Error(Exit::no_right, what + ": " + std::strerror(code) + "; give this user the right to it");
    case EPIPE:
      throw PipeClosed(Exit::io, what + ": nobody reads it any more");
    default:
      throw Error(Exit::io, what + ": " + std::strerror(code));
  }
}

}  // namespace base
