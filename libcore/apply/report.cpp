#include "apply/report.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "base/error.hpp"
#include "change/writer.hpp"

namespace apply {
namespace {

constexpr size_t flush_bytes = 1 << 20;

// Which row it was, before and after: who verifies what was applied looks there.
void append_keys(std::string& out, const Operation& operation) {
  const change::Relation& relation = *operation.relation;
  std::vector<change::Value> key(operation.key.begin(), operation.key.end());
  if (operation.type == change::EventType::remove) return change::append_key(out, relation, key);
  std::vector<change::Value> after;
  bool moved = false;
  for (size_t i = 0; i < relation.key.size(); ++i) {
    const change::Value& value = operation.row[relation.key[i]];
    const bool sent = value.kind != change::ValueKind::absent || key.empty();
    after.push_back(sent ? value : key[i]);
    moved = moved || key.empty() || after[i].kind != key[i].kind || after[i].text() != key[i].text();
  }
  if (operation.type == change::EventType::insert) return change::append_key(out, relation, after);
  change::append_key(out, relation, key);
  if (moved) change::append_key(out, relation, after, "new_key");
}

}  // namespace

Report::Report(const std::filesystem::path& file, bool repairs)
    : name_(file.string()), done_(repairs ? "repaired" : "applied") {
  if (name_.empty()) return;
  fd_ = base::open_file(file, O_WRONLY | O_CREAT | (repairs ? 0 : O_TRUNC));
  committed_ = written_ = ::lseek(fd_.get(), 0, SEEK_END);
}

// What is left is of a batch that was not committed.
Report::~Report() {
  if (fd_ && written_ > committed_) (void)!::ftruncate(fd_.get(), committed_);
}

void Report::add(const Piece& piece, const Results& results) {
  if (!fd_) return;
  for (const Truncate& truncate : piece.truncates) {
    lines_ += R"({"operation_id":")" + id_of(truncate) + R"(","tables":[)";
    for (const base::TableName& table : truncate.tables) {
      if (&table != &truncate.tables.front()) lines_ += ',';
      change::append_json_string(lines_, table.text());
    }
    lines_ += R"(],"type":"truncate","result":"applied"})"
              "\n";
  }
  for (const Operation& operation : piece.operations) {
    lines_ += R"({"operation_id":")" + id_of(operation) + R"(","table":)";
    change::append_json_string(lines_, operation.relation->text);
    const auto found = results.find(id_of(operation));
    append_keys(lines_, operation);
    lines_ += std::string(R"(,"type":")") + type_name(operation.type) + R"(","result":")" +
              (found == results.end() ? done_ : found->second.what) + "\"}\n";
  }
  if (lines_.size() >= flush_bytes) flush();
}

void Report::flush() {
  base::pwrite_all(fd_.get(), lines_, written_, name_);
  written_ += static_cast<long>(lines_.size());
  lines_.clear();
}

void Report::commit() {
  if (!fd_) return;
  flush();
  committed_ = written_;
}

void Report::roll_back() {
  if (!fd_) return;
  lines_.clear();
  written_ = committed_;
  if (::ftruncate(fd_.get(), committed_) != 0) base::throw_errno("cannot write " + name_);
}

}  // namespace apply
