#include "spool/report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/size_text.hpp"
#include "spool/reader.hpp"
#include "spool/room.hpp"
#include "spool/segment_reader.hpp"

namespace spool {
namespace {

using Json = nlohmann::ordered_json;

// Names of nodes are the configuration's, in whatever bytes.
std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}
std::string right(const std::string& text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::optional<int64_t> first_pending(const std::filesystem::path& spool, change::Lsn applied) {
  try {
    Reader reader(spool, applied, change::Lsn{UINT64_MAX});
    base::Arena arena;
    while (const change::Event* event = reader.next(arena))
      if (event->type == change::EventType::begin) return event->time;
  } catch (const base::Error& error) {
    base::log(base::Level::warn, error.what());
  }
  return std::nullopt;
}

}  // namespace

Stat stat(const config::Settings& settings) {
  const std::filesystem::path& spool = settings.spool.directory;
  Stat stat;
  stat.mark = require_mark(spool);
  stat.max_bytes = static_cast<uint64_t>(settings.spool.max_bytes);
  for (const Segment& segment : list_segments(spool)) {
    stat.bytes += segment.bytes;
    ++stat.segments;
  }
  stat.dead = list_dead(spool).size();
  stat.writer = writer_running(spool);
  stat.full = stat.writer && !full_because(spool).empty();
  stat.cursors = read_cursors(settings);
  if (!stat.cursors.nodes.empty()) {
    const Cursor lowest = stat.cursors.lowest();
    stat.waiting = waiting(stat.mark, lowest.operations);
    if (lowest.lsn < stat.mark.commit_lsn) stat.oldest_pending = first_pending(spool, lowest.lsn);
  }
  stat.congested = stat.waiting > static_cast<uint64_t>(settings.synchronization.max_queue_size);
  return stat;
}

std::string stat_json(const Stat& stat) {
  Json json = {{"operations", stat.waiting}, {"transactions", stat.mark.transactions},
               {"bytes", stat.bytes},        {"max_bytes", stat.max_bytes},
               {"segments", stat.segments},  {"lsn", stat.mark.lsn.text()},
               {"oldest_pending", nullptr},  {"congested", stat.congested},
               {"dead", stat.dead},          {"writer", stat.writer},
               {"full", stat.full},          {"nodes", Json::object()}};
  if (stat.oldest_pending) json["oldest_pending"] = base::iso_time(*stat.oldest_pending);
  for (const auto& [node, cursor] : stat.cursors.nodes) {
    Json& at = json["nodes"][node] = {{"lsn", nullptr},
                                      {"operations", waiting(stat.mark, cursor.value_or(Cursor{}).operations)},
                                      {"applied", cursor.value_or(Cursor{}).operations},
                                      {"time", nullptr}};
    if (!cursor) continue;
    at["lsn"] = cursor->lsn.text();
    at["time"] = base::iso_time(cursor->time);
  }
  return dumped(json);
}

std::string stat_text(const Stat& stat) {
  std::string out;
  const auto line = [&out](const char* name, const std::string& text) { out += padded(name, 16) + text + "\n"; };
  line("waiting", std::to_string(stat.waiting) + " operations" + (stat.congested ? ", congested" : "") +
                      (stat.oldest_pending ? ", the oldest of " + base::iso_time(*stat.oldest_pending) : ""));
  line("durable up to", stat.mark.lsn.text());
  line("put so far", std::to_string(stat.mark.transactions) + " transactions, " + std::to_string(stat.mark.operations) +
                         " operations");
  line("size", base::size_text(stat.bytes) + " of " + base::size_text(stat.max_bytes) + " in " +
                   std::to_string(stat.segments) + " segments");
  line("writer", stat.writer ? "running" : "none");
  line("dead", std::to_string(stat.dead) + " operations");
  line("source", stat.mark.source.id());
  size_t width = 7;
  for (const auto& [node, cursor] : stat.cursors.nodes) width = std::max(width, node.size());
  out += "\n" + padded("standby", width) + "  " + right("waiting", 12) + "  " + right("applied", 12) + "  " +
         right("up to", 17) + "  commit time\n";
  for (const auto& [node, cursor] : stat.cursors.nodes)
    out += padded(node, width) + "  " +
           right(std::to_string(waiting(stat.mark, cursor.value_or(Cursor{}).operations)), 12) + "  " +
           right(std::to_string(cursor.value_or(Cursor{}).operations), 12) + "  " +
           right(cursor ? cursor->lsn.text() : "-", 17) + "  " + (cursor ? base::iso_time(cursor->time) : "-") + "\n";
  return out;
}

std::vector<SegmentInfo> list(const config::Settings& settings) {
  const std::filesystem::path& spool = settings.spool.directory;
  const Mark mark = require_mark(spool);
  std::vector<SegmentInfo> infos;
  for (Segment& segment : list_segments(spool)) {
    if (segment.first > mark.segment) break;  // not yet for anyone's eyes
    if (segment.first == mark.segment) segment.bytes = mark.segment_bytes;
    SegmentInfo info{segment, {}, 0, 0, {}};
    try {
      change::Reader parser("line");
      SegmentReader reader(segment, parser);
      reader.extend(segment.bytes);
      base::Arena arena;
      uint64_t before = 0;
      while (const change::Event* event = reader.next(arena, SegmentReader::Depth::skim)) {
        if (event->type == change::EventType::source) before = event->operations;
        arena.reset();
        info.last = reader.tail().commit_lsn;
        info.operations = reader.tail().operations - before;
        info.time = reader.tail().time;
      }
      if (!reader.whole()) reader.damaged("the segment ends before its last transaction does");
    } catch (const base::Error& error) {
      if (!std::filesystem::exists(segment.path)) continue;  // pruned under our eyes
      if (error.kind() != base::Exit::data) throw;
      info.damage = error.what();
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string list_json(const std::vector<SegmentInfo>& list) {
  std::string out;
  for (const SegmentInfo& info : list) {
    Json json = {{"name", info.segment.name()}, {"first", info.segment.first.text()},
                 {"last", info.last.text()},    {"operations", info.operations},
                 {"bytes", info.segment.bytes}, {"time", base::iso_time(info.time)}};
    if (!info.damage.empty()) json["damage"] = info.damage;
    out += dumped(json);
  }
  return out;
}

std::string list_text(const std::vector<SegmentInfo>& list) {
  std::string out = padded("segment", 26) + right("first", 17) + "  " + right("last", 17) + "  " +
                    right("operations", 12) + "  " + right("bytes", 12) + "  last commit\n";
  for (const SegmentInfo& info : list)
    out += padded(info.segment.name(), 26) + right(info.segment.first.text(), 17) + "  " + right(info.last.text(), 17) +
           "  " + right(std::to_string(info.operations), 12) + "  " + right(std::to_string(info.segment.bytes), 12) +
           "  " + (info.damage.empty() ? base::iso_time(info.time) : "damaged: " + info.damage) + "\n";
  return out;
}

}  // namespace spool
