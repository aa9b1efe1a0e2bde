#include <optional>
#include <string>

#include "base/margin.hpp"
#include "base/size_text.hpp"
#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {
namespace {

// Of what a limit leaves: below it a warning, in time to do something.
constexpr double little = 0.2;
constexpr int64_t much_wal = int64_t{1} << 30;  // bytes kept for a slot that nobody reads

void judge_slot(const Snapshot& at, Findings& out) {
  const Slot& slot = at.slot;
  const std::string& node = at.current_primary;
  const std::string named = "slot " + slot.name;
  if (!slot.exists || !at.spool.founded) return;
  if (!*slot.exists) {
    out.push_back({Level::critical, "slot_missing", node,
                   named + " is gone from " + node + ": what was committed after " + at.spool.captured_to +
                       " cannot be read any more",
                   begin_anew});
    return;
  }
  if (slot.wal_status == "lost")
    out.push_back({Level::critical, "slot_lost", node,
                   named + " is lost: " + node + " has removed WAL that was not read yet (max_slot_wal_keep_size)",
                   begin_anew});
  else if (slot.wal_status == "unreserved")
    out.push_back({Level::critical, "slot_unreserved", node,
                   named + " is about to be lost: its WAL goes with the next checkpoint of " + node,
                   "now: " + incremental_pass(at) + "; then raise max_slot_wal_keep_size"});
  else if (slot.safe_wal_size && slot.retained &&
           static_cast<double>(*slot.safe_wal_size) <
               little * static_cast<double>(*slot.safe_wal_size + *slot.retained))
    out.push_back({Level::warning, "slot_headroom", node,
                   "after another " + base::size_text(static_cast<uint64_t>(*slot.safe_wal_size)) + " of WAL " + named +
                       " is lost",
                   incremental_pass(at) + "; then raise max_slot_wal_keep_size"});
  if (!slot.active && slot.retained.value_or(0) > much_wal)
    out.push_back(
        {Level::warning, "wal_retained", node,
         node + " keeps " + base::size_text(static_cast<uint64_t>(*slot.retained)) + " of WAL for " + named +
             ", which nobody reads",
         incremental_pass(at) + (at.spool.capture_running || !at.auto_sync_enabled ? "" : ", or start the services")});
  if (!slot.publication_exists.value_or(true))
    out.push_back({Level::critical, "publication_missing", node,
                   "publication " + slot.name + " is gone from " + node +
                       ": nothing can be captured, and one that is made now is none of the time without it",
                   begin_anew});
}

// `of`: what lies there, and the setting that moves it.
void judge_disk(const std::optional<uint64_t>& free, const std::optional<uint64_t>& size, const std::string& of,
                Findings& out) {
  if (!free || !size) return;
  const base::Room room = base::room_on(*free, *size);
  if (room == base::Room::enough) return;
  const bool full = room == base::Room::none;
  out.push_back({full ? Level::critical : Level::warning, full ? "disk_full" : "disk_space", "",
                 "the disk of the " + of + " is " + std::string(full ? "full" : "nearly full") + ": " +
                     base::size_text(*free) + " free of " + base::size_text(*size),
                 "make room there, or move " + of + ".directory to a larger one; df says what is where"});
}

}  // namespace

void judge_way(const Snapshot& at, Findings& out) {
  const Spool& spool = at.spool;
  const std::string run_apply =
      std::string(at.auto_sync_enabled ? "" : "pgtandem status enable, and ") + "let pgtandem apply --follow";
  if (!spool.error.empty())
    out.push_back({spool.readable ? Level::critical : Level::unknown,
                   spool.readable ? "spool_damaged" : "spool_unreadable", "", spool.error,
                   spool.readable ? "pgtandem queue check tells what is damaged"
                                  : as_services(at) + ", or let it read the spool's directory"});
  else if (!spool.founded)
    out.push_back(
        {Level::critical, "not_set_up", "", "nothing is set up yet: there is no spool", "pgtandem sync-full --init"});
  judge_slot(at, out);
  if (!spool.founded) return;
  judge_disk(spool.free_bytes, spool.disk_bytes, "spool", out);
  if (at.state_disk_apart) judge_disk(at.state_free_bytes, at.state_disk_bytes, "state", out);
  const auto used = static_cast<double>(spool.bytes);
  const auto most = static_cast<double>(spool.max_bytes);
  if (spool.full)
    out.push_back({Level::critical, "spool_full", "",
                   "the spool is full (" + base::size_text(spool.bytes) + " of " + base::size_text(spool.max_bytes) +
                       "): nothing more is captured until there is room, and the primary keeps its WAL",
                   run_apply + " run, or raise spool.max_bytes"});
  else if (used > (1 - little) * most)
    out.push_back(
        {Level::warning, "spool_nearly_full", "",
         "the spool is nearly full: " + base::size_text(spool.bytes) + " of " + base::size_text(spool.max_bytes),
         run_apply + " run, or raise spool.max_bytes"});
  for (const auto& [name, of] : at.standbys)
    if (of.waiting.value_or(0) > static_cast<uint64_t>(at.limits.max_queue_size))
      out.push_back({Level::warning, "queue_congested", name,
                     "the queue is congested: " + std::to_string(*of.waiting) + " operations wait" +
                         (at.standbys.size() > 1 ? " for " + name : "") + ", more than max_queue_size (" +
                         std::to_string(at.limits.max_queue_size) + ")",
                     run_apply + node_option(at, name) + " run; where it runs, raise batch_size"});
}

}  // namespace report
