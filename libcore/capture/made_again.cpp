#include "capture/made_again.hpp"

#include <filesystem>
#include <sstream>

#include "base/files.hpp"
#include "base/log.hpp"
#include "state/marks.hpp"

namespace capture {
namespace {

std::filesystem::path list_of(const config::Settings& settings, const std::string& slot) {
  return settings.state_directory / ("published." + slot + ".list");
}

// Empty where it is the same. A list of a former version has no members, or no versions.
std::string changed(const Oids& was, const Oids& is) {
  if (was.table != is.table)
    return "was dropped and made again, or another one has its name: rows of the old one are on the standby, and those "
           "that the new one had before it was published are not";
  if (!was.member.empty() && was.member != is.member)
    return "was taken out of the publication and put into it again, or its filter was changed: what changed in it "
           "meanwhile may not be in the stream";
  if (!was.version.empty() && was.version != is.version)
    return "is published by a publication that was altered: what it left out meanwhile is not in the stream";
  return "";
}

// By the table's text, which may have blanks; in the file TABLE/MEMBER/VERSION stands before it.
using Known = std::map<std::string, Oids>;

Known read_known(const std::filesystem::path& file) {
  Known known;
  std::istringstream lines(base::read_file(file).value_or(""));
  std::string oids;
  std::string table;
  while (lines >> oids && lines.ignore() && std::getline(lines, table)) {
    Oids& was = known[table];
    std::istringstream parts(oids);
    for (std::string* part : {&was.table, &was.member, &was.version}) std::getline(parts, *part, '/');
  }
  return known;
}

void write_known(const std::filesystem::path& file, const Known& known) {
  std::string now;
  for (const auto& [table, is] : known) now += is.table + "/" + is.member + "/" + is.version + " " + table + "\n";
  if (now == base::read_file(file)) return;
  base::make_directories(file.parent_path());
  base::replace_file(file, now, base::Durable::yes);
}

}  // namespace

void note_oids(const config::Settings& settings, const std::string& slot, const std::map<base::TableName, Oids>& oids) {
  const std::filesystem::path file = list_of(settings, slot);
  const Known known = read_known(file);
  Known now;
  for (const auto& [name, is] : oids) {
    now[name.text()] = is;
    const auto was = known.find(name.text());
    if (was == known.end()) continue;
    const std::string what = changed(was->second, is);
    if (what.empty()) continue;
    base::log(base::Level::warn, "table " + name.text() + " " + what + "; the next full pass mends it");
    for (const std::string& node : settings.secondaries())
      state::mark_table(settings.state_directory, node, name.text(), what, "");
  }
  write_known(file, now);
}

void note_own_change(const config::Settings& settings, const std::string& slot, const base::TableName& table,
                     const Oids& was, const Oids& is) {
  const std::filesystem::path file = list_of(settings, slot);
  Known known = read_known(file);
  const auto found = known.find(table.text());
  if (found == known.end() || found->second.table != is.table || !changed(found->second, was).empty()) return;
  found->second = is;
  write_known(file, known);
}

void forget_oids(const config::Settings& settings, const std::string& slot) {
  std::error_code stays;  // then the next link marks its tables, which does no harm
  std::filesystem::remove(list_of(settings, slot), stays);
}

}  // namespace capture
