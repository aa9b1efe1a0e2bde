#include "spool/dead.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
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
          {"present", letter.present.empty() ? Json() : Json::parse(letter.present)},
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
  if (!json.at("present").is_null()) letter.present = json.at("present").dump();
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
  std::vector<DeadLetter> out;
  for (const std::filesystem::path& file : list_dead(spool)) {
    const std::optional<std::string> text = base::read_file(file);
    if (!text) continue;  // apply has just taken it away
    try {
      DeadLetter letter = letter_of(Json::parse(*text));
      if (node.empty() || letter.node == node) out.push_back(std::move(letter));
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
  base::replace_file(dead_letter_path(spool, letter.lsn, letter.ordinal, letter.node), json_of(letter).dump() + "\n",
                     base::Durable::yes, private_file);
}

void audit_dead(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action) {
  state::Journal audit(audit_path(spool));
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
  audit_dead(spool, letter, action);
  std::filesystem::remove(dead_letter_path(spool, letter.lsn, letter.ordinal, letter.node));
  base::sync_directory(dead_path(spool));
}

std::string retry_dead(const config::Settings& settings, const std::string& id) {
  const std::vector<DeadLetter> meant = named(settings, id);
  std::set<std::pair<std::string, uint64_t>> rows;
  for (const DeadLetter& letter : meant)
    for (const uint64_t key : letter.keys) rows.insert({letter.node + '\n' + letter.table, key});
  std::vector<DeadLetter> out;
  for (DeadLetter& letter : dead_letters(settings.spool.directory)) {
    const bool same_row = std::any_of(letter.keys.begin(), letter.keys.end(), [&](uint64_t key) {
      return rows.contains({letter.node + '\n' + letter.table, key});
    });
    const bool named_itself = std::any_of(meant.begin(), meant.end(), [&](const DeadLetter& other) {
      return other.id() == letter.id() && other.node == letter.node;
    });
    if (!same_row && !named_itself) continue;
    letter.retry = true;
    put_dead(settings.spool.directory, letter);
    audit_dead(settings.spool.directory, letter, "retry");
    out.push_back(std::move(letter));
  }
  return lines_of(out);
}

std::string drop_dead(const config::Settings& settings, const std::string& id) {
  const std::vector<DeadLetter> meant = named(settings, id);
  for (const DeadLetter& letter : meant) remove_dead(settings.spool.directory, letter, "dropped");
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
