#include "state/tool_record.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace state {
namespace {

using nlohmann::ordered_json;

constexpr int64_t second = 1'000'000;
constexpr int64_t window = 60 * second;       // that rates are over
constexpr int64_t sample_every = 5 * second;  // fine enough for a minute, and a dozen of them to keep
constexpr double write_every = 1;             // s
constexpr unsigned private_file = 0600;       // a message of a server may quote a row

ordered_json time_or_null(const std::optional<int64_t>& time) {
  return time ? ordered_json(base::iso_time(*time)) : ordered_json();
}
int64_t time_of(const ordered_json& json) { return base::parse_iso_time(json.get_ref<const std::string&>()); }

}  // namespace

std::optional<double> ToolFacts::rate(int64_t now) const {
  if (recent.empty()) return {};
  const int64_t from = now - window;
  const auto later = std::find_if(recent.begin(), recent.end(), [&](const Sample& of) { return of.time > from; });
  // What was done by the beginning of the minute: nothing happened between two samples that are further apart.
  const Sample& before = later == recent.begin() ? *later : *std::prev(later);
  const int64_t length = now - std::max(before.time, from);
  if (length <= 0) return {};
  return static_cast<double>(recent.back().operations - before.operations) / (static_cast<double>(length) / second);
}

std::filesystem::path tool_path(const std::filesystem::path& state, const std::string& name) {
  return state / "runs" / (name + ".json");
}

std::string facts_text(const ToolFacts& facts) {
  ordered_json recent = ordered_json::array();
  for (const ToolFacts::Sample& sample : facts.recent)
    recent.push_back({base::iso_time(sample.time), sample.operations});
  const bool failed = !facts.last_error.empty();
  return ordered_json(
             {{"pid", facts.pid},
              {"started", base::iso_time(facts.started)},
              {"ended", time_or_null(facts.ended)},
              {"exit_code", facts.exit_code ? ordered_json(*facts.exit_code) : ordered_json()},
              {"operations", facts.operations},
              {"retries", facts.retries},
              {"quarantined", facts.quarantined},
              {"conflicts", facts.conflicts},
              {"last_error", failed ? ordered_json(facts.last_error) : ordered_json()},
              {"last_error_time", failed ? ordered_json(base::iso_time(facts.last_error_time)) : ordered_json()},
              {"recent", recent}})
             .dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

ToolFacts parse_facts(const std::string& text, const std::string& name) {
  try {
    const ordered_json json = ordered_json::parse(text);
    ToolFacts facts;
    facts.pid = json.at("pid");
    facts.started = time_of(json.at("started"));
    if (!json.at("ended").is_null()) facts.ended = time_of(json.at("ended"));
    if (!json.at("exit_code").is_null()) facts.exit_code = json.at("exit_code").get<int>();
    facts.operations = json.at("operations");
    facts.retries = json.at("retries");
    facts.quarantined = json.at("quarantined");
    facts.conflicts = json.at("conflicts").get<std::map<std::string, uint64_t>>();
    if (!json.at("last_error").is_null()) {
      facts.last_error = json.at("last_error");
      facts.last_error_time = time_of(json.at("last_error_time"));
    }
    for (const ordered_json& sample : json.at("recent"))
      facts.recent.push_back({time_of(sample.at(0)), sample.at(1).get<uint64_t>()});
    return facts;
  } catch (const nlohmann::json::exception&) {
    throw base::Error(base::Exit::data, name + " is damaged; remove it, the next run writes it anew");
  }
}

std::optional<ToolFacts> tool_facts(const std::filesystem::path& state, const std::string& name) {
  const std::filesystem::path file = tool_path(state, name);
  const std::optional<std::string> text = base::read_file(file);
  return text ? std::optional(parse_facts(*text, file.string())) : std::nullopt;
}

ToolRecord::ToolRecord(const std::filesystem::path& state, const std::string& name) : file_(tool_path(state, name)) {
  try {
    if (std::optional<ToolFacts> before = tool_facts(state, name)) facts_ = *std::move(before);
  } catch (const base::Error& error) {
    base::log(base::Level::warn, error.what());
  }
  facts_.pid = ::getpid();
  facts_.started = base::unix_microseconds();
  facts_.ended.reset();
  facts_.exit_code.reset();
  sample(facts_.started);
  write();
}

void ToolRecord::failed(const std::string& why, bool again) {
  if (again) ++facts_.retries;
  facts_.last_error = why;
  facts_.last_error_time = base::unix_microseconds();
  write();
}

void ToolRecord::did(uint64_t operations) {
  facts_.operations += operations;
  if (base::monotonic_seconds() - written_ < write_every) return;
  sample(base::unix_microseconds());
  write();
}

void ToolRecord::ended(int exit_code) {
  facts_.ended = base::unix_microseconds();
  facts_.exit_code = exit_code;
  sample(*facts_.ended);
  write();
}

// The last one moves on until it is `sample_every` after the one before it.
void ToolRecord::sample(int64_t now) {
  std::vector<ToolFacts::Sample>& all = facts_.recent;
  const size_t size = all.size();
  if (size >= 2 && all[size - 1].time - all[size - 2].time < sample_every && all[size - 1].time <= now)
    all.back() = {now, facts_.operations};
  else
    all.push_back({now, facts_.operations});
  // One older than the minute stays: it tells what had been done when that began.
  while (all.size() > 2 && all[1].time <= now - window) all.erase(all.begin());
}

void ToolRecord::write() {
  written_ = base::monotonic_seconds();
  try {
    base::make_directories(file_.parent_path());
    base::replace_file(file_, facts_text(facts_), base::Durable::no, private_file);
    complained_ = false;
  } catch (const base::Error& error) {
    if (!complained_) base::log(base::Level::warn, std::string(error.what()) + "; status will know less");
    complained_ = true;
  }
}

}  // namespace state
