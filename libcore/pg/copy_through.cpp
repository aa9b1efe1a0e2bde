#include "pg/copy_through.hpp"

#include <libpq-fe.h>

#include <memory>

#include "base/stop.hpp"
#include "pg/copy_wait.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

constexpr size_t portion = 128 << 10;        // bytes handed on at once
constexpr size_t portion_to_pass = 2 << 20;  // a program is started for it; as lines it is some times as much
constexpr uint64_t tell_every = 1 << 20;
const std::string stopped = "stopped before the copy was done; nothing of it stays, start it again";

struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
}  // namespace

Copied copy_through(Session& from, const std::string& out, Session& to, const std::string& in,
                    const std::function<bool()>& enough, const std::function<void(const Copied&)>& progress,
                    const PassRows& pass) {
  Copied copied;
  uint64_t told = 0;
  std::string waiting;
  const size_t at_once = pass ? portion_to_pass : portion;
  const auto hand_on = [&] {
    to.copy_send(pass ? pass(waiting) : waiting);
    waiting.clear();
  };
  from.query(out);
  to.copy_begin(in);
  for (;;) {
    char* raw = nullptr;
    const int size = PQgetCopyData(from.handle(), &raw, 1);
    const std::unique_ptr<char, FreeMemory> row(raw);
    if (size == -1) break;
    if (size < -1) throw_sql(from.where("copy"), "", PQerrorMessage(from.handle()));
    if (size > 0) {
      waiting.append(raw, static_cast<size_t>(size));
      copied.bytes += static_cast<uint64_t>(size);
    }
    if (waiting.size() >= at_once || (size == 0 && !waiting.empty() && !pass)) {
      hand_on();
      if (base::stop_requested() || enough()) stop_copy(from, stopped);
      if (copied.bytes >= told + tell_every) progress(copied), told = copied.bytes;
    }
    if (size > 0) continue;
    wait_for_copy(from, stopped, enough);
  }
  from.last_result(out);  // throws what ended it
  hand_on();
  copied.rows = to.copy_end();
  return copied;
}

}  // namespace pg
