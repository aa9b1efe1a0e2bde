#include "pg/copy_out.hpp"

#include <libpq-fe.h>

#include <cstring>
#include <utility>

#include "pg/copy_wait.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

// What stands for the byte after a backslash; COPY TO writes no other escapes than these and \N.
char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

}  // namespace

CopyOut::CopyOut(Session& session, const std::string& query, std::function<bool()> enough)
    : session_(session), sql_("COPY (" + query + ") TO STDOUT"), enough_(std::move(enough)) {
  session_.query(sql_);
}

CopyOut::~CopyOut() { PQfreemem(buffer_); }

bool CopyOut::next(std::vector<change::Value>& row) {
  PQfreemem(buffer_);
  buffer_ = nullptr;
  for (;;) {
    const int size = PQgetCopyData(session_.handle(), &buffer_, 1);
    if (size > 0) {
      bytes_ += static_cast<uint64_t>(size);
      take_copy_row(buffer_, buffer_ + size - 1, row);  // without its newline
      return true;
    }
    if (size == -1) {
      session_.last_result(sql_);  // throws what ended it
      return false;
    }
    if (size < -1) throw_sql(session_.where("copy"), "", PQerrorMessage(session_.handle()));
    wait_for_copy(session_, "stopped before it was done; nothing was changed, start it again", enough_);
  }
}

void take_copy_row(char* begin, char* end, std::vector<change::Value>& row) {
  row.clear();
  for (char* at = begin;; ++at) {
    auto* field_end = static_cast<char*>(std::memchr(at, '\t', static_cast<size_t>(end - at)));
    if (field_end == nullptr) field_end = end;
    if (field_end - at == 2 && at[0] == '\\' && at[1] == 'N') {
      row.push_back(change::Value::null_value());
    } else {
      auto* escape = static_cast<char*>(std::memchr(at, '\\', static_cast<size_t>(field_end - at)));
      char* to = escape == nullptr ? field_end : escape;
      for (char* from = to; from != field_end; ++from) *to++ = *from == '\\' ? unescaped(*++from) : *from;
      row.push_back(change::Value::of({at, static_cast<size_t>(to - at)}));
    }
    if (field_end == end) return;
    at = field_end;
  }
}

}  // namespace pg
