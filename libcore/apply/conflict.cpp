#include "apply/conflict.hpp"

#include <numeric>

#include "base/clock.hpp"
#include "change/writer.hpp"

namespace apply {

std::string_view name_of(Conflict kind) {
  constexpr std::array<std::string_view, conflict_kinds> names = {"insert_exists", "update_missing", "update_newer",
                                                                  "delete_missing", "unique_taken"};
  return names[static_cast<size_t>(kind)];
}

Conflicts Conflicts::operator+(const Conflicts& other) const {
  Conflicts sum = *this;
  for (size_t i = 0; i < counts.size(); ++i) sum.counts[i] += other.counts[i];
  return sum;
}

uint64_t Conflicts::total() const { return std::accumulate(counts.begin(), counts.end(), uint64_t{0}); }

std::string Conflicts::text() const {
  std::string out;
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      out +=
          (out.empty() ? "" : ", ") + std::to_string(counts[i]) + " " + std::string(name_of(static_cast<Conflict>(i)));
  return out;
}

ConflictLog::ConflictLog(const config::Settings& settings, const config::Node& node)
    : policy_(config::name_of(settings.synchronization.conflict_resolution)),
      journal_(settings.state_directory / ("conflicts." + node.name + ".jsonl")) {}

void ConflictLog::add(Conflict kind, const Operation& operation, std::string_view outcome, std::string_view present) {
  ++open_.counts[static_cast<size_t>(kind)];
  std::string line = R"({"time":")" + base::iso_time(base::unix_microseconds()) + R"(","operation_id":")" +
                     id_of(operation) + R"(","kind":")" + std::string(name_of(kind)) + R"(","policy":")" + policy_ +
                     R"(","outcome":)";
  change::append_json_string(line, outcome);
  line += R"(,"change":)" + line_of(operation) + R"(,"standby":)";
  line += present.empty() ? "null" : present;
  line += '}';
  journal_.add(line);
}

void ConflictLog::take_back() {
  journal_.forget();
  take();
}

}  // namespace apply
