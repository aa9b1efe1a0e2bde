#include "base/lines.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"

namespace base {
namespace {
constexpr size_t padding = 64;          // more than change::JsonCursor looks beyond a line
constexpr size_t first_size = 1 << 20;  // a pipe's largest default size: one read empties it
constexpr size_t kept_size = 16 << 20;  // what a longer line made of the buffer is given back, as such lines are rare
}  // namespace

LineBuffer::LineBuffer(Source source, size_t max_line, std::string name)
    : source_(std::move(source)), max_line_(max_line), name_(std::move(name)), buffer_(first_size + padding) {}

bool LineBuffer::next(std::string_view& line) {
  for (;;) {
    if (const void* newline = std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_)) {
      const size_t at = static_cast<size_t>(static_cast<const char*>(newline) - buffer_.data());
      if (at - begin_ > max_line_) refuse_long();
      line = {buffer_.data() + begin_, at - begin_};
      begin_ = scanned_ = at + 1;
      ++line_number_;
      return true;
    }
    scanned_ = end_;
    if (end_ - begin_ > max_line_) refuse_long();
    make_room();
    const size_t n = source_(buffer_.data() + end_, std::min(buffer_.size() - padding - end_, first_size));
    if (n == 0) return false;
    end_ += n;
  }
}

void LineBuffer::refuse_long() const {
  throw Error(Exit::data, name_ + ":" + std::to_string(line_number_ + 1) + ": a line longer than " +
                              std::to_string(max_line_) + " bytes; no change may be so long");
}

// Makes room for more after the unfinished line, which moves to the front.
void LineBuffer::make_room() {
  const size_t kept = end_ - begin_;
  if (buffer_.size() > kept_size && kept < first_size / 2) {
    std::vector<char> small(first_size + padding);
    std::memcpy(small.data(), buffer_.data() + begin_, kept);
    buffer_.swap(small);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
  }
  begin_ = 0;
  end_ = scanned_ = kept;
  // A longer line than max_line_ and one read more is refused before it needs more room.
  if (end_ + padding == buffer_.size()) buffer_.resize(std::min(end_ * 2, max_line_ + first_size) + padding);
}

bool LineBuffer::ready() const { return std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_) != nullptr; }

void LineBuffer::clear() { begin_ = end_ = scanned_ = 0; }

}  // namespace base
