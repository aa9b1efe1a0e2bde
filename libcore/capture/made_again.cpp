#include "capture/made_again.hpp"

#include <filesystem>
#include <sstream>

#include "base/files.hpp"
#include "base/log.hpp"
#include "state/marks.hpp"

namespace capture {

void note_oids(const config::Settings& settings, const std::string& slot,
               const std::map<base::TableName, std::string>& oids) {
  const std::filesystem::path file = settings.state_directory / ("published." + slot + ".list");
  const std::string before = base::read_file(file).value_or("");
  std::map<std::string, std::string> known;  // by the table's text, which may have blanks
  std::istringstream lines(before);
  std::string oid;
  std::string table;
  while (lines >> oid && lines.ignore() && std::getline(lines, table)) known[table] = oid;
  std::string now;
  for (const auto& [name, is] : oids) {
    now += is + " " + name.text() + "\n";
    const auto was = known.find(name.text());
    if (was == known.end() || was->second == is) continue;
    const std::string what =
        "was dropped and made again, or another one has its name: rows of the old one are on the standby, and those "
        "that the new one had before it was published are not";
    base::log(base::Level::warn, "table " + name.text() + " " + what + "; the next full pass mends it");
    for (const std::string& node : settings.secondaries())
      state::mark_table(settings.state_directory, node, name.text(), what, "");
  }
  if (now == before) return;
  base::make_directories(settings.state_directory);
  base::replace_file(file, now, base::Durable::yes);
}

}  // namespace capture
