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

// Empty where it is the same. A list of a former version has no members.
std::string changed(const Oids& was, const Oids& is) {
  if (was.table != is.table)
    return "was dropped and made again, or another one has its name: rows of the old one are on the standby, and those "
           "that the new one had before it was published are not";
  if (!was.member.empty() && was.member != is.member)
    return "was taken out of the publication and put into it again, or its filter was changed: what changed in it "
           "meanwhile may not be in the stream";
  return "";
}

}  // namespace

void note_oids(const config::Settings& settings, const std::string& slot, const std::map<base::TableName, Oids>& oids) {
  const std::filesystem::path file = list_of(settings, slot);
  const std::string before = base::read_file(file).value_or("");
  std::map<std::string, Oids> known;  // by the table's text, which may have blanks
  std::istringstream lines(before);
  std::string of_table;  // TABLE/MEMBER
  std::string table;
  while (lines >> of_table && lines.ignore() && std::getline(lines, table)) {
    const size_t slash = of_table.find('/');
    known[table] = {of_table.substr(0, slash), slash == std::string::npos ? "" : of_table.substr(slash + 1)};
  }
  std::string now;
  for (const auto& [name, is] : oids) {
    now += is.table + "/" + is.member + " " + name.text() + "\n";
    const auto was = known.find(name.text());
    if (was == known.end()) continue;
    const std::string what = changed(was->second, is);
    if (what.empty()) continue;
    base::log(base::Level::warn, "table " + name.text() + " " + what + "; the next full pass mends it");
    for (const std::string& node : settings.secondaries())
      state::mark_table(settings.state_directory, node, name.text(), what, "");
  }
  if (now == before) return;
  base::make_directories(settings.state_directory);
  base::replace_file(file, now, base::Durable::yes);
}

void forget_oids(const config::Settings& settings, const std::string& slot) {
  std::filesystem::remove(list_of(settings, slot));
}

}  // namespace capture
