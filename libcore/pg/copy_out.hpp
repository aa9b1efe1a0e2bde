// Rows out of a server by COPY … TO STDOUT in its text format (manual, COPY, "Text Format"), one at a time: the client
// holds one row, whatever their number. Values come as the session's pinned settings print them. One COPY a session at
// a time; where it is left before its end the session is used up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "pg/session.hpp"

namespace pg {

class CopyOut {
 public:
  // `query`: a SELECT. Throws as Session does, here or in next(). `enough` is asked while a row is waited for.
  CopyOut(Session& session, const std::string& query, std::function<bool()> enough = {});
  ~CopyOut();
  CopyOut(const CopyOut&) = delete;
  CopyOut& operator=(const CopyOut&) = delete;

  // The next row's values, valid until the next call; false at the end. A request to stop, or `enough`, cancels it on
  // the server and throws Error(try_later).
  bool next(std::vector<change::Value>& row);
  uint64_t bytes() const { return bytes_; }  // received so far

 private:
  Session& session_;
  const std::string sql_;
  const std::function<bool()> enough_;
  char* buffer_ = nullptr;
  uint64_t bytes_ = 0;
};

// Takes a row of that format apart, in place: texts are shortened where they have escapes. Pure.
void take_copy_row(char* begin, char* end, std::vector<change::Value>& row);

}  // namespace pg
