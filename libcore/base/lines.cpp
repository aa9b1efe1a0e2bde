#include "base/lines.hpp"

#include <cstring>

#include "base/error.hpp"

namespace base {
namespace {
constexpr size_t padding = 64;          // SIMDJSON_PADDING, and a test holds the two together
constexpr size_t first_size = 1 << 20;  // a pipe's largest default size: one read empties it
}  // namespace

LineBuffer::LineBuffer(Source source, size_t max_line, std::string name)
    : source_(std::move(source)), max_line_(max_line), name_(std::move(name)), buffer_(first_size + padding) {}

bool LineBuffer::next(std::string_view& line) {
  for (;;) {
    if (const void* newline = std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_)) {
      const size_t at = static_cast<size_t>(static_cast<const char*>(newline) - buffer_.data());
      line = {buffer_.data() + begin_, at - begin_};
      begin_ = scanned_ = at + 1;
      ++line_number_;
      return true;
    }
    scanned_ = end_;
    if (end_ - begin_ > max_line_)
      throw Error(Exit::data, name_ + ":" + std::to_string(line_number_ + 1) + ": a line longer than " +
                                  std::to_string(max_line_) + " bytes; no change may be so long");
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      scanned_ -= begin_;
      begin_ = 0;
    }
    if (end_ + padding == buffer_.size()) buffer_.resize((buffer_.size() - padding) * 2 + padding);
    const size_t n = source_(buffer_.data() + end_, buffer_.size() - padding - end_);
    if (n == 0) return false;
    end_ += n;
  }
}

bool LineBuffer::ready() const { return std::memchr(buffer_.data() + begin_, '\n', end_ - begin_) != nullptr; }

void LineBuffer::clear() { begin_ = end_ = scanned_ = 0; }

}  // namespace base
