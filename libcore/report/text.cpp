#include "report/text.hpp"

#include <algorithm>
#include <string_view>

#include "base/size_text.hpp"
#include "base/tame.hpp"
#include "report/health.hpp"
#include "report/words.hpp"

namespace report {
namespace {

using base::tame;

constexpr const char* plain = "\033[0m";
const char* colour_of(Level level) {
  constexpr const char* colours[] = {"\033[32m", "\033[33m", "\033[1;31m", "\033[35m"};
  return colours[static_cast<size_t>(level)];
}
const char* colour_of(Health health) {
  return colour_of(health == Health::healthy   ? Level::ok
                   : health == Health::warning ? Level::warning
                                               : Level::critical);
}

// Lines of a screen: a label of one width, and what is to be said.
class Screen {
 public:
  Screen(bool colour, size_t width) : colour_(colour), width_(width) {}

  // Whole, whatever the width: what is wrong and what mends it is to be read to its end.
  void line(const std::string& text) { out_ += tame(text, 0) + '\n'; }
  void coloured(const char* colour, const std::string& text) {
    out_ += (colour_ ? colour : "") + tame(text, 0) + (colour_ ? plain : "") + '\n';
  }
  // The word in colour, the rest as it is.
  void entry(const std::string& label, const char* colour, const std::string& word, const std::string& rest) {
    const std::string begin = padded(label);
    const size_t left = width_ == 0 ? 0 : std::max(width_, begin.size() + 1) - begin.size();
    const std::string shown = tame(word, left);
    out_ += tame(begin, width_) + (colour_ && colour != nullptr ? colour + shown + plain : shown);
    if (width_ == 0 || left > shown.size()) out_ += tame(rest, width_ == 0 ? 0 : left - shown.size());
    out_ += '\n';
  }
  void entry(const std::string& label, const std::string& text) { entry(label, nullptr, text, ""); }
  void gap() { out_ += '\n'; }
  std::string text() && { return std::move(out_); }

 private:
  static std::string padded(std::string label) {
    constexpr size_t column = 16;
    label.append(label.size() < column ? column - label.size() : 1, ' ');
    return label;
  }
  bool colour_;
  size_t width_;
  std::string out_;
};

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

// Of a line as Screen makes it: characters, and colours that take no place.
size_t columns_of(std::string_view line) {
  size_t columns = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\033')
      i = std::min(line.find('m', i), line.size());
    else if ((static_cast<unsigned char>(line[i]) & 0xC0) != 0x80)
      ++columns;
  }
  return columns;
}

std::string sync_words(const Snapshot& at) {
  if (!at.auto_sync_enabled) return "disabled" + (at.switched_by.empty() ? "" : " by " + at.switched_by);
  if (at.by_services) return "enabled, by services";
  const Incremental& pass = at.incremental;
  if (pass.running) return "enabled, an incremental pass runs since " + moment_words(pass.started);
  if (pass.ended) return "enabled, last incremental pass " + span_words(seconds_between(*pass.ended, at.time)) + " ago";
  return "enabled, but nothing runs";
}

std::string node_words(const Node& node) {
  std::vector<std::string> parts = {node.name};
  if (!node.server.reached()) {
    parts.push_back(node.server.error);
  } else {
    const int version = node.server.version;
    parts.push_back("PostgreSQL " + std::to_string(version / 10000) + "." + std::to_string(version % 10000));
    parts.push_back("answers in " + std::to_string(static_cast<int>(node.server.seconds * 1000)) + " ms");
  }
  return ", " + join(parts);
}

std::string slot_words(const Snapshot& at) {
  const Slot& slot = at.slot;
  if (!slot.exists) return "not known, " + at.current_primary + " was not asked or did not answer";
  if (!*slot.exists) return slot.name + " is missing";
  std::vector<std::string> parts = {slot.name, slot.active ? "in use" : "not in use"};
  if (slot.retained) parts.push_back(base::size_text(static_cast<uint64_t>(*slot.retained)) + " of WAL kept");
  if (!slot.wal_status.empty() && slot.wal_status != "reserved") parts.push_back(slot.wal_status);
  if (slot.safe_wal_size)
    parts.push_back(base::size_text(static_cast<uint64_t>(*slot.safe_wal_size)) + " left until it is lost");
  return join(parts);
}

std::string queue_words(const Snapshot& at) {
  const Spool& spool = at.spool;
  if (!spool.founded) return spool.error.empty() ? "none yet" : spool.error;
  std::vector<std::string> parts = {at.sync_queue_size ? count_words(*at.sync_queue_size, "operation") + " waiting"
                                                       : "nobody can tell how much waits"};
  if (at.oldest_pending) parts.push_back("the oldest for " + span_words(seconds_between(*at.oldest_pending, at.time)));
  parts.push_back(base::size_text(spool.bytes) + " of " + base::size_text(spool.max_bytes));
  return join(parts);
}

std::string rate_words(double rate) { return std::to_string(static_cast<int64_t>(rate)) + " operations/s"; }

std::string captured_words(const Snapshot& at) {
  const Spool& spool = at.spool;
  if (!spool.founded) return "nothing";
  std::string text = "everything up to " + spool.captured_to;
  if (spool.captured_to_time)
    text += ", said " + span_words(seconds_between(*spool.captured_to_time, at.time)) + " ago";
  if (spool.captured_time) text += "; last change of " + moment_words(spool.captured_time);
  if (spool.rate.value_or(0) > 0) text += ", " + rate_words(*spool.rate);
  return text;
}

std::string applied_words(const Snapshot& at, const Standby& of) {
  if (!of.error.empty()) return of.error;
  std::vector<std::string> parts;
  if (of.applied_to.empty())
    parts.push_back(at.spool.error.empty() ? "nothing" : "not known");
  else
    parts.push_back("everything up to " + of.applied_to + (of.caught_up ? ", where the primary is" : ""));
  if (!of.caught_up && of.lag_seconds) parts.push_back("at most " + span_words(*of.lag_seconds) + " behind");
  if (of.applied_time) parts.push_back("last change of " + moment_words(of.applied_time));
  if (of.rate && *of.rate > 0) parts.push_back(rate_words(*of.rate));
  if (at.standbys.size() > 1 && of.waiting) parts.push_back(count_words(*of.waiting, "operation") + " waiting");
  return join(parts);
}

std::string proof_words(const Snapshot& at, const Standby& of) {
  size_t equal = 0;
  Time since;
  for (const TableState& table : of.tables) {
    if (!table.equal.value_or(false)) continue;
    ++equal;
    if (!since || table.equal_time < since) since = table.equal_time;
  }
  std::string text = std::to_string(equal) + " of " + count_words(of.tables.size(), "table") + " proven equal";
  if (since) text += ", the oldest proof of " + moment_words(since);
  if (of.full.running)
    text += "; a full pass runs since " + moment_words(of.full.started);
  else if (of.full.proven)
    text += "; last full pass " + span_words(seconds_between(*of.full.proven, at.time)) + " ago";
  return text;
}

void show_standby(Screen& screen, const Snapshot& at, const Standby& of) {
  screen.entry(at.standbys.size() > 1 ? "at " + of.node : "applied", applied_words(at, of));
  screen.entry("proven", proof_words(at, of));
  std::vector<std::string> odd;
  for (const auto& [kind, count] : of.conflicts) odd.push_back(std::to_string(count) + " " + kind);
  if (!odd.empty()) screen.entry("conflicts", join(odd) + ", ever");
  if (of.quarantined > 0) screen.entry("quarantine", count_words(of.quarantined, "operation"));
  for (const PausedTable& table : of.paused) screen.entry("paused", table.table + ": " + table.reason);
}

}  // namespace

std::string show_text(const Snapshot& at, bool colour, size_t width) {
  Screen screen(colour, width);
  const Verdict& verdict = at.verdict;
  screen.entry("pgtandem", colour_of(verdict.level), name_of(verdict.level), ": " + verdict.line);
  screen.entry("at", moment_words(at.time) + ", on " + at.local_node);
  screen.gap();
  for (const Finding& finding : verdict.findings) {
    screen.coloured(colour_of(finding.level),
                    std::string(name_of(finding.level)) + ": " + finding.what + since_words(finding));
    screen.line("    do: " + finding.mend);
  }
  if (!verdict.findings.empty()) screen.gap();
  screen.entry("sync", sync_words(at));
  for (const auto& [name, node] : at.nodes)
    screen.entry(node.role == config::Role::primary ? "primary" : "standby", colour_of(node.health),
                 name_of(node.health), node_words(node));
  screen.entry("slot", slot_words(at));
  screen.entry("captured", captured_words(at));
  screen.entry("queue", queue_words(at));
  for (const auto& [name, of] : at.standbys) show_standby(screen, at, of);
  if (at.last_error_time) screen.entry("last error", moment_words(at.last_error_time) + ": " + at.last_error);
  return std::move(screen).text();
}

std::string first_rows(const std::string& text, size_t width, size_t rows) {
  size_t end = 0;
  for (size_t start = 0; start < text.size(); start = text.find('\n', start) + 1) {
    const size_t stop = text.find('\n', start);
    if (stop == std::string::npos) break;
    const size_t columns = columns_of(std::string_view(text).substr(start, stop - start));
    const size_t taken = std::max<size_t>(1, (columns + width - 1) / width);
    if (taken > rows) break;
    rows -= taken;
    end = stop;
  }
  return text.substr(0, end);
}

std::string line_text(const Snapshot& at) {
  const Verdict& verdict = at.verdict;
  const Standby* const of = at.slowest();
  std::string out = moment_words(at.time) + " " + name_of(verdict.level) + " queue " +
                    (at.sync_queue_size ? std::to_string(*at.sync_queue_size) : "not known");
  if (of != nullptr && of->lag_seconds) out += " lag " + span_words(*of->lag_seconds);
  return tame(out + ": " + verdict.line, 0) + "\n";
}

}  // namespace report
