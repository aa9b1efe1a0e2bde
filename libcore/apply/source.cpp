#include "apply/source.hpp"

#include <sys/eventfd.h>

namespace apply {

Source::Source() : abandon_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Source::abandon() {
  abandon_requested_ = true;
  ::eventfd_write(abandon_.get(), 1);
}

void Source::take_up() {
  eventfd_t ignored;
  ::eventfd_read(abandon_.get(), &ignored);
  abandon_requested_ = false;
}

}  // namespace apply
