#include "spool/mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/locked.hpp"
#include "change/writer.hpp"
#include "spool/layout.hpp"

namespace spool {
namespace {

// Two slots written in turn, so that a torn write leaves the other one. Each is a disk sector, which a disk writes
// whole or not at all; the longest mark (a slot name of 63 bytes, every number at its largest) has 503 bytes.
constexpr size_t slot_size = 512;
constexpr size_t slots = 2;

struct Stamped {
  uint64_t generation = 0;
  Mark mark;
};

void append_member(std::string& out, const char* name, const std::string& text) {
  out += std::string(",\"") + name + "\":\"" + text + '"';
}
void append_member(std::string& out, const char* name, uint64_t number) {
  out += std::string(",\"") + name + "\":" + std::to_string(number);
}

std::string slot_text(const Mark& mark, uint64_t generation) {
  std::string out = "{\"generation\":" + std::to_string(generation) + ",\"system_id\":";
  change::append_json_string(out, mark.source.system_id);
  append_member(out, "timeline", mark.source.timeline);
  out += ",\"slot\":";
  change::append_json_string(out, mark.source.slot);
  append_member(out, "created", mark.source.created.text());
  append_member(out, "lsn", mark.lsn.text());
  append_member(out, "commit_lsn", mark.commit_lsn.text());
  append_member(out, "end_lsn", mark.end_lsn.text());
  append_member(out, "operations", mark.operations);
  append_member(out, "transactions", mark.transactions);
  append_member(out, "time", base::iso_time(mark.time));
  append_member(out, "segment", segment_stem(mark.segment));
  append_member(out, "bytes", mark.segment_bytes);
  append_member(out, "chain", base::hex16(mark.segment_chain));
  const uint64_t checksum = base::hash_bytes(out);
  out += "}\n";
  change::append_checksum(out, checksum);
  if (out.size() > slot_size)
    throw base::Error(base::Exit::data,
                      "the slot name or system identifier is too long for a mark: " + mark.source.id());
  out.insert(out.size() - 1, slot_size - out.size(), ' ');
  return out;
}

bool parse_lsn(const nlohmann::json& json, const char* name, change::Lsn& lsn) {
  return change::Lsn::parse(json.at(name).get_ref<const std::string&>(), lsn);
}

std::optional<Stamped> parse_slot(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  const size_t at = change::checksum_position(text);
  if (at == std::string_view::npos) return std::nullopt;
  if (text.substr(at) != ",\"xxh3\":\"" + base::hex16(base::hash_bytes(text.substr(0, at))) + "\"}")
    return std::nullopt;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    Stamped stamped;
    Mark& mark = stamped.mark;
    stamped.generation = json.at("generation").get<uint64_t>();
    mark.source.system_id = json.at("system_id").get<std::string>();
    mark.source.timeline = json.at("timeline").get<uint32_t>();
    mark.source.slot = json.at("slot").get<std::string>();
    mark.operations = json.at("operations").get<uint64_t>();
    mark.transactions = json.at("transactions").get<uint64_t>();
    mark.segment_bytes = json.at("bytes").get<uint64_t>();
    mark.time = base::parse_iso_time(json.at("time").get_ref<const std::string&>());
    const bool good = parse_lsn(json, "created", mark.source.created) && parse_lsn(json, "lsn", mark.lsn) &&
                      parse_lsn(json, "commit_lsn", mark.commit_lsn) && parse_lsn(json, "end_lsn", mark.end_lsn) &&
                      parse_segment_stem(json.at("segment").get_ref<const std::string&>(), mark.segment) &&
                      base::parse_hex16(json.at("chain").get_ref<const std::string&>(), mark.segment_chain);
    if (good) return stamped;
  } catch (const nlohmann::json::exception&) {
    // a mark that its checksum fits but this version does not read counts as damaged
  }
  return std::nullopt;
}

std::array<std::optional<Stamped>, slots> read_slots(int fd, const std::string& name) {
  char bytes[slots * slot_size] = {};
  size_t have = 0;
  while (have < sizeof bytes) {
    const ssize_t n = ::pread(fd, bytes + have, sizeof bytes - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) base::throw_errno("cannot read " + name);
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  std::array<std::optional<Stamped>, slots> read;
  for (size_t i = 0; i < slots; ++i) read[i] = parse_slot({bytes + i * slot_size, slot_size});
  return read;
}

// The newest slot. A writer may be at work, and on both slots if we are slow: a mark that stays unreadable for longer
// than any pwrite(2) of a sector takes is damaged.
std::optional<Stamped> newest(const std::filesystem::path& spool) {
  const std::filesystem::path file = mark_path(spool);
  const base::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) base::throw_errno("cannot open " + file.string());
  for (int attempt = 0; attempt < 50; ++attempt) {
    auto read = read_slots(fd.get(), file.string());
    if (read[0] && (!read[1] || read[0]->generation > read[1]->generation)) return read[0];
    if (read[1]) return read[1];
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  throw base::Error(base::Exit::data, file.string() +
                                          " is damaged; `pgtandem queue put </dev/null` mends it from the "
                                          "segments, then run `pgtandem queue check`");
}

}  // namespace

std::optional<Mark> read_mark(const std::filesystem::path& spool) {
  const std::optional<Stamped> stamped = newest(spool);
  return stamped ? std::optional(stamped->mark) : std::nullopt;
}

Mark require_mark(const std::filesystem::path& spool) {
  std::optional<Mark> mark = read_mark(spool);
  if (mark) return *std::move(mark);
  throw base::Error(base::Exit::data, spool.string() + " is no spool yet; run `pgtandem capture init`");
}

bool mark_has_damage(const std::filesystem::path& spool) {
  const std::string name = mark_path(spool).string();
  const base::Fd fd = base::open_file(name, O_RDONLY);
  for (int attempt = 0; attempt < 50; ++attempt) {
    const auto read = read_slots(fd.get(), name);
    if (read[0] && read[1]) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

MarkFile::MarkFile(const std::filesystem::path& spool) : fd_(base::open_file(mark_path(spool), O_RDWR | O_NOFOLLOW)) {
  for (const std::optional<Stamped>& slot : read_slots(fd_.get(), "the spool's mark"))
    if (slot) generation_ = std::max(generation_, slot->generation);
}

void MarkFile::publish(const Mark& mark, base::Durable durable) {
  ++generation_;
  base::pwrite_all(fd_.get(), slot_text(mark, generation_), static_cast<long>(generation_ % slots * slot_size),
                   "the spool's mark");
  if (durable == base::Durable::yes) base::sync_data(fd_.get(), "the spool's mark");
}

void found(const std::filesystem::path& spool, const change::Source& source) {
  const auto founded = [&spool] { return ::access(mark_path(spool).c_str(), F_OK) == 0; };
  if (!founded()) {
    make_spool_directories(spool);
    const base::FileLock lock(lock_path(spool), "capture init", private_file);
    if (!list_segments(spool).empty())
      throw base::Error(base::Exit::data, spool.string() +
                                              " holds segments but no mark; put the mark back, or move the "
                                              "directory away, then " +
                                              link_anew);
    Mark mark;
    mark.source = source;
    mark.lsn = mark.end_lsn = source.created;
    if (!founded())
      base::replace_file(mark_path(spool), slot_text(mark, 0) + slot_text(mark, 1), base::Durable::yes, private_file);
  }
  const std::optional<Mark> mark = read_mark(spool);
  if (mark && mark->source == source) return;
  throw base::Error(base::Exit::data, spool.string() + " belongs to " + (mark ? mark->source.id() : "nobody") +
                                          ", not to " + source.id() + "; use it up with `pgtandem apply`, then " +
                                          link_anew);
}

bool writer_running(const std::filesystem::path& spool) { return base::is_locked(lock_path(spool)); }

}  // namespace spool
