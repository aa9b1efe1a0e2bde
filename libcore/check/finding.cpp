#include "check/finding.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/size_text.hpp"
#include "base/tame.hpp"

namespace check {
namespace {

using base::count_words;

std::string without_end(std::string statement) {
  while (!statement.empty() && statement.back() == ';') statement.pop_back();
  return statement;
}

std::string node_of(const std::string& place) { return place.substr(0, place.find(' ')); }

// Whether two ways of mending are one statement; some quote a name that needs no quotes.
bool same_statement(std::string a, std::string b) {
  for (std::string* text : {&a, &b}) {
    *text = without_end(*text);
    std::erase(*text, '"');
  }
  return a == b && (a.find("ALTER ") != std::string::npos || a.find("GRANT ") != std::string::npos);
}

}  // namespace

const char* name_of(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

void Findings::add(Finding finding) {
  std::replace(finding.what.begin(), finding.what.end(), '\n', ' ');
  const auto same = [&](const Finding& other) { return other.place == finding.place && other.what == finding.what; };
  if (std::none_of(list_.begin(), list_.end(), same)) list_.push_back(std::move(finding));
}

void Findings::add(Severity severity, const std::string& area, const std::string& place, const std::string& message) {
  const size_t split = message.find("; ");
  Finding finding{severity, area, place, message.substr(0, split), ""};
  if (split != std::string::npos) finding.mend = message.substr(split + 2);
  // Node and table stand in the place already.
  const size_t blank = place.find(' ');
  const std::string table = blank == std::string::npos ? "" : place.substr(blank + 1);
  for (const std::string& known : {place.substr(0, blank) + ": ", "table " + table + " ", table + ": "})
    if (finding.what.starts_with(known)) finding.what.erase(0, known.size());
  if (!is_mended_by(finding.place, finding.mend)) add(std::move(finding));
}

bool Findings::is_mended_by(const std::string& place, const std::string& statement) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Finding& other) {
    return node_of(other.place) == node_of(place) && same_statement(other.mend, statement);
  });
}

void Findings::add_right(const std::string& place, const std::string& statement) {
  const std::string mend = without_end(statement);
  if (is_mended_by(place, mend)) return;
  // GRANT what ON …, ALTER ROLE … what: the statement says best what is missing.
  list_.push_back({Severity::error, "rights", place, "a right is missing: " + mend, mend + ";"});
}

std::vector<Finding> Findings::sorted() const {
  std::vector<Finding> out = list_;
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return out;
}

size_t Findings::count(Severity severity) const {
  return static_cast<size_t>(
      std::count_if(list_.begin(), list_.end(), [&](const Finding& f) { return f.severity == severity; }));
}

std::string text_of(const Findings& findings) {
  constexpr size_t width = 9;  // of "warning" and two blanks
  std::string out;
  for (const Finding& finding : findings.sorted()) {
    std::string line = name_of(finding.severity);
    line.resize(width, ' ');
    line +=
        base::tame((finding.place.empty() ? "" : finding.place + ": ") + finding.what) + " [" + finding.area + "]\n";
    if (!finding.mend.empty()) line += std::string(width, ' ') + "mend: " + base::tame(finding.mend) + "\n";
    out += line;
  }
  const size_t errors = findings.count(Severity::error);
  const size_t warnings = findings.count(Severity::warning);
  const size_t notes = findings.count(Severity::note);
  if (errors + warnings == 0) return out + "nothing to mend; " + count_words(notes, "note") + "\n";
  return out + count_words(errors, "error") + ", " + count_words(warnings, "warning") + ", " +
         count_words(notes, "note") + "\n";
}

std::string json_of(const Findings& findings) {
  using nlohmann::ordered_json;
  const auto text = [](const std::string& value) { return value.empty() ? ordered_json() : ordered_json(value); };
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings.sorted())
    list.push_back({{"severity", name_of(finding.severity)},
                    {"area", finding.area},
                    {"place", text(finding.place)},
                    {"what", finding.what},
                    {"mend", text(finding.mend)}});
  return ordered_json({{"errors", findings.count(Severity::error)},
                       {"warnings", findings.count(Severity::warning)},
                       {"notes", findings.count(Severity::note)},
                       {"findings", list}})
             .dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace check
