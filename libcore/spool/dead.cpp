#include "spool/dead.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "spool/layout.hpp"
#include "state/journal.hpp"

namespace spool {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const DeadLetter& letter) {
  Json keys = Json::array();
  for (const uint64_t key : letter.keys) keys.push_back(base::hex16(key));
  return {{"operation_id", letter.id()},
          {"node", letter.node},
          {"table", letter.table},
          {"type", letter.type},
          {"sqlstate", letter.sqlstate},
          {"message", letter.message},
          {"time", base::iso_time(letter.time)},
          {"retry", letter.retry},
          {"change", Json::parse(letter.change)},
          {"present", letter.present.empty() ? Json() : Json(letter.present)},  // as text: no digit of a number may go
          {"superseded_by", letter.superseded_by == change::Lsn() ? Json() : Json(letter.superseded_by.text())},
          {"ordinal", letter.ordinal},
          {"lsn", letter.lsn.text()},
          {"keys", keys},
          {"lines", {letter.relation, letter.change}}};  // to the byte, for the retry
}

DeadLetter letter_of(const Json& json) {
  DeadLetter letter;
  letter.node = json.at("node");
  letter.table = json.at("table");
  letter.type = json.at("type");
  letter.sqlstate = json.at("sqlstate");
  letter.message = json.at("message");
  letter.time = base::parse_iso_time(json.at("time").get<std::string>());
  letter.retry = json.at("retry");
  if (!json.at("present").is_null()) letter.present = json.at("present");
  letter.ordinal = json.at("ordinal");
  change::Lsn::parse(json.at("lsn").get<std::string>(), letter.lsn);
  if (!json.at("superseded_by").is_null())
    change::Lsn::parse(json.at("superseded_by").get<std::string>(), letter.superseded_by);
  for (const Json& key : json.at("keys")) {
    uint64_t hash = 0;
    base::parse_hex16(key.get<std::string>(), hash);
    letter.keys.push_back(hash);
  }
  letter.relation = json.at("lines").at(0);
  letter.change = json.at("lines").at(1);
  return letter;
}

// One at a time reads letters to write them again: apply, or `queue dead`. Goes with the object.
class Turn {
 public:
  explicit Turn(const std::filesystem::path& spool)
      : fd_(base::open_file(dead_path(spool) / ".lock", O_RDWR | O_CREAT, private_file)) {
    while (::flock(fd_.get(), LOCK_EX) != 0)
      if (errno != EINTR) base::throw_errno("cannot lock " + dead_path(spool).string());
  }

 private:
  base::Fd fd_;
};

void write_letter(const std::filesystem::path& spool, const DeadLetter& letter) {
  base::replace_file(dead_letter_path(spool, letter.lsn, letter.ordinal, letter.node), json_of(letter).dump() + "\n",
                     base::Durable::yes, private_file);
}

void take_away(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action) {
  audit_dead(spool, letter, action);
  std::error_code gone;
  std::filesystem::remove(dead_letter_path(spool, letter.lsn, letter.ordinal, letter.node), gone);
  base::sync_directory(dead_path(spool));
}

// Else the files would no longer be apply's to read.
void check_owner(const std::filesystem::path& spool) {
  struct stat folder {};
  if (::stat(dead_path(spool).c_str(), &folder) != 0 || folder.st_uid == ::geteuid()) return;
  throw base::Error(base::Exit::no_right, "the spool " + spool.string() + " belongs to user id " +
                                              std::to_string(folder.st_uid) + "; run this as that user");
}

// What concerns only us is left out.
Json shown(const DeadLetter& letter) {
  Json json = json_of(letter);
  for (const char* inner : {"lsn", "ordinal", "keys", "lines", "superseded_by"}) json.erase(inner);
  return json;
}

std::vector<DeadLetter> named(const config::Settings& settings, const std::string& id) {
  std::vector<DeadLetter> out = dead_letters(settings.spool.directory);
  if (id == "all") return out;
  std::erase_if(out, [&](const DeadLetter& letter) { return letter.id() != id; });
  if (out.empty())
    throw base::Error(base::Exit::usage,
                      id.empty() ? "name an operation_id, or all; see pgtandem queue dead list"
                                 : "no operation " + id + " is in quarantine; see pgtandem queue dead list");
  return out;
}

std::string lines_of(const std::vector<DeadLetter>& letters) {
  std::string out;
  for (const DeadLetter& letter : letters)
    out += letter.id() + "  " + letter.type + " on " + letter.table + " (" + letter.node + ")  " + letter.sqlstate +
           "  " + letter.message + (letter.retry ? "  [to be tried again]" : "") + "\n";
  return out;
}

}  // namespace

std::vector<DeadLetter> dead_letters(const std::filesystem::path& spool, const std::string& node) {
  return read_letters(node.empty() ? list_dead(spool) : list_dead(spool, node));
}

std::vector<DeadLetter> read_letters(const std::vector<std::filesystem::path>& files) {
  std::vector<DeadLetter> out;
  for (const std::filesystem::path& file : files) {
    const std::optional<std::string> text = base::read_file(file);
    if (!text) continue;  // apply has just taken it away
    try {
      out.push_back(letter_of(Json::parse(*text)));
    } catch (const nlohmann::json::exception&) {
      throw base::Error(base::Exit::data,
                        file.string() + " is damaged; move it away, and compare the tables with the primary's");
    }
  }
  std::sort(out.begin(), out.end(), [](const DeadLetter& a, const DeadLetter& b) {
    return std::tie(a.lsn, a.ordinal, a.node) < std::tie(b.lsn, b.ordinal, b.node);
  });
  return out;
}

std::filesystem::file_time_type dead_changed(const std::filesystem::path& spool) {
  std::error_code none;
  return std::filesystem::last_write_time(dead_path(spool), none);
}

void put_dead(const std::filesystem::path& spool, const DeadLetter& letter) {
  const Turn turn(spool);
  write_letter(spool, letter);
}

void update_dead(const std::filesystem::path& spool, const DeadLetter& letter) {
  const Turn turn(spool);
  std::error_code none;
  if (std::filesystem::exists(dead_letter_path(spool, letter.lsn, letter.ordinal, letter.node), none))
    write_letter(spool, letter);
}

void audit_dead(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action) {
  state::Journal audit(audit_path(spool), UINT64_MAX);  // never set aside: it is the proof
  audit.add(Json{{"time", base::iso_time(base::unix_microseconds())},
                 {"action", action},
                 {"operation_id", letter.id()},
                 {"node", letter.node},
                 {"table", letter.table},
                 {"sqlstate", letter.sqlstate},
                 {"uid", ::getuid()},
                 {"change", Json::parse(letter.change)}}
                .dump());
  audit.sync();
}

void remove_dead(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action) {
  const Turn turn(spool);
  take_away(spool, letter, action);
}

std::string retry_dead(const config::Settings& settings, const std::string& id) {
  const std::filesystem::path& spool = settings.spool.directory;
  check_owner(spool);
  const Turn turn(spool);
  std::vector<DeadLetter> all = dead_letters(spool);
  std::set<std::string> rows;
  const auto take = [&](DeadLetter& letter) {
    letter.retry = true;
    for (const uint64_t key : letter.keys) rows.insert(letter.node + '\n' + letter.table + '\n' + base::hex16(key));
  };
  for (const DeadLetter& meant : named(settings, id))
    for (DeadLetter& letter : all)
      if (letter.id() == meant.id() && letter.node == meant.node) take(letter);
  // What concerns the same rows, and the rows that those concern, and so on.
  for (size_t known = 0; known != rows.size();) {
    known = rows.size();
    for (DeadLetter& letter : all)
      if (std::any_of(letter.keys.begin(), letter.keys.end(), [&](uint64_t key) {
            return rows.contains(letter.node + '\n' + letter.table + '\n' + base::hex16(key));
          }))
        take(letter);
  }
  std::erase_if(all, [](const DeadLetter& letter) { return !letter.retry; });
  for (const DeadLetter& letter : all) {
    write_letter(spool, letter);
    audit_dead(spool, letter, "retry");
  }
  return lines_of(all);
}

std::string drop_dead(const config::Settings& settings, const std::string& id) {
  check_owner(settings.spool.directory);
  const Turn turn(settings.spool.directory);
  const std::vector<DeadLetter> meant = named(settings, id);
  for (const DeadLetter& letter : meant) take_away(settings.spool.directory, letter, "dropped");
  return lines_of(meant);
}

std::string dead_text(const config::Settings& settings, const std::string& id) { return lines_of(named(settings, id)); }

std::string dead_json(const config::Settings& settings, const std::string& id) {
  std::string out;
  for (const DeadLetter& letter : named(settings, id)) out += shown(letter).dump() + "\n";
  return out;
}

std::string show_dead(const config::Settings& settings, const std::string& id) {
  std::string out;
  for (const DeadLetter& letter : named(settings, id)) out += shown(letter).dump(2) + "\n";
  return out;
}

}  // namespace spool
