// Choosing nodes and the file, sizes, and the settings as JSON.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/nearest.hpp"
#include "sample.hpp"

using Catch::Matchers::Contains;

namespace {

config::Settings with_roles(const std::string& local, const std::vector<std::pair<std::string, config::Role>>& nodes) {
  config::Settings settings;
  settings.file = "/etc/pg.yaml";
  settings.local_node = local;
  for (const auto& [name, role] : nodes) {
    settings.nodes[name].name = name;
    settings.nodes[name].role = role;
  }
  return settings;
}

template <class Call>
std::pair<base::Exit, std::string> failure(Call call) {
  try {
    call();
  } catch (const base::Error& e) {
    return {e.kind(), e.what()};
  }
  return {base::Exit::done, ""};
}

constexpr auto primary = config::Role::primary;
constexpr auto secondary = config::Role::secondary;

}  // namespace

TEST_CASE("the primary is the node with that role") {
  const config::Settings one = with_roles("b", {{"a", primary}, {"b", secondary}});
  CHECK(one.primary().name == "a");
  CHECK(one.primary("a").name == "a");
  CHECK(failure([&] { one.primary("aa"); }) ==
        std::pair{base::Exit::usage, std::string("there is no node \"aa\" in /etc/pg.yaml; did you mean a?")});
  CHECK(failure([&] { one.primary("b"); }).first == base::Exit::usage);

  const config::Settings none = with_roles("b", {{"b", secondary}});
  CHECK(failure([&] { none.primary(); }).first == base::Exit::config);
  const config::Settings two = with_roles("b", {{"a", primary}, {"b", secondary}, {"c", primary}});
  CHECK_THAT(failure([&] { two.primary(); }).second, Contains("several nodes are primaries, a, c"));
  CHECK(two.primary("c").name == "c");
}

TEST_CASE("the secondary is the one named, the local one, or the only one") {
  const config::Settings local = with_roles("c", {{"a", primary}, {"b", secondary}, {"c", secondary}});
  CHECK(local.secondary().name == "c");
  CHECK(local.secondary("b").name == "b");
  CHECK(local.secondaries() == std::vector<std::string>{"b", "c"});
  CHECK(with_roles("a", {{"a", primary}, {"b", secondary}}).secondary().name == "b");
  CHECK_THAT(failure([&] {
               with_roles("a", {{"a", primary}, {"b", secondary}, {"c", secondary}}).secondary();
             }).second,
             Contains("several nodes are secondaries, b, c; name one with --node"));
  CHECK(failure([&] { with_roles("a", {{"a", primary}}).secondary(); }).first == base::Exit::config);
}

TEST_CASE("a primary is never applied to, whatever --node says") {
  const config::Settings settings = with_roles("b", {{"a", primary}, {"b", secondary}});
  const auto [kind, message] = failure([&] { settings.secondary("a"); });
  CHECK(kind == base::Exit::usage);
  CHECK_THAT(message, Contains("node a is a primary, wanted is a secondary; name one of: b"));
}

TEST_CASE("the file is the option, else the environment, else /etc") {
  ::unsetenv("PGTANDEM_CONFIG");
  CHECK(config::find_file("") == "/etc/pgtandem/pgtandem.yaml");
  ::setenv("PGTANDEM_CONFIG", "/x/env.yaml", 1);
  CHECK(config::find_file("") == "/x/env.yaml");
  CHECK(config::find_file("/x/option.yaml") == "/x/option.yaml");
  ::setenv("PGTANDEM_CONFIG", "", 1);
  CHECK(config::find_file("") == "/etc/pgtandem/pgtandem.yaml");
  ::unsetenv("PGTANDEM_CONFIG");
}

TEST_CASE("sizes take KiB, MiB, GiB or plain bytes") {
  CHECK(config::parse_size("10GiB") == int64_t{10} << 30);
  CHECK(config::parse_size("512 MiB") == 512 << 20);
  CHECK(config::parse_size("64KiB") == 64 << 10);
  CHECK(config::parse_size("1.5GiB") == (int64_t{3} << 30) / 2);
  CHECK(config::parse_size("123") == 123);
  CHECK(config::parse_size("0") == 0);
  for (const char* const wrong :
       {"", "GiB", "10GB", "10gib", "-1", "-1KiB", "1.5", "inf", "nan", "0x10", "10 20", "10GiB!", "9999999999GiB"}) {
    INFO(wrong);
    CHECK(failure([&] { config::parse_size(wrong); }).first == base::Exit::config);
  }
}

TEST_CASE("the nearest word is the one that was meant, or none") {
  const std::vector<std::string> words = {"batch_size", "sync_interval", "sync_timeout", "spool", "state", "api"};
  CHECK(config::nearest("batchsize", words) == "batch_size");
  CHECK(config::nearest("Batch-Size", words) == "batch_size");
  CHECK(config::nearest("sync_intreval", words) == "sync_interval");
  CHECK(config::nearest("sotol", words) == "spool");
  CHECK(config::nearest("interval", words) == "sync_interval");
  CHECK(config::nearest("monitoring", words).empty());
  CHECK(config::nearest("", words).empty());
  CHECK(config::nearest(std::string(100000, 'x'), words).empty());
}

TEST_CASE("the JSON has all that scripts need, and no password") {
  const config::Settings settings = sample::load(sample::with(7, "  sync_interval: 0.5\n  sync_timeout: 30"));
  const std::string text = config::to_json(settings);
  CHECK_THAT(text, !Contains("hunter2"));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["file"] == settings.file.string());
  CHECK(json["local_node"] == "b");
  CHECK(json["nodes"]["a"]["role"] == "primary");
  CHECK(json["nodes"]["b"]["database_url"] == "postgresql://u:***@h2/d");
  CHECK(json["nodes"]["b"]["server"]["api_port"].is_null());
  CHECK(json["synchronization"]["sync_tables"] == nlohmann::json{"public.images"});
  CHECK(json["synchronization"]["auto_sync_enabled"] == true);
  CHECK(json["synchronization"]["sync_interval"].dump() == "0.5");
  CHECK(json["synchronization"]["sync_timeout"].dump() == "30");
  CHECK(json["synchronization"]["conflict_resolution"] == "primary_wins");
  CHECK(json["spool"]["directory"] == "/var/spool/pgtandem");
  CHECK(json["spool"]["max_bytes"] == int64_t{10} << 30);
  CHECK(json["spool"]["strict"] == false);
  CHECK(json["state"]["directory"] == "/var/lib/pgtandem");
  CHECK(json["filters"].dump() == "{}");
  CHECK(json["schema_drift"] == "stop");
  CHECK(json["logging"]["file"].is_null());
}

TEST_CASE("the JSON shows the filters") {
  const config::Settings settings =
      sample::load(sample::with(8, "filters: {program: [jq, .], images: {columns: [id], where: \"id > 3\"}}"));
  CHECK(nlohmann::json::parse(config::to_json(settings))["filters"] ==
        nlohmann::json::parse(R"({"public.images":{"where":"id > 3","columns":["id"]},"program":["jq","."]})"));
}

TEST_CASE("the JSON stands even where a path is no UTF-8") {
  config::Settings settings;
  settings.spool.directory = "/x/\xff";
  CHECK_NOTHROW(nlohmann::json::parse(config::to_json(settings)));
}

TEST_CASE("the man page has every setting, and its example works") {
  std::stringstream page;
  page << std::ifstream(PGTANDEM_SOURCE "/man/pgtandem.yaml.5").rdbuf();
  const std::string man = page.str();
  const config::Settings settings = sample::load(sample::with(0, ""));
  const auto json = nlohmann::json::parse(config::to_json(settings));
  for (const char* const section : {"synchronization", "spool", "state", "logging"}) {
    for (const auto& [key, value] : json[section].items()) {
      CHECK_THAT(man, Contains(".It Cm " + std::string(section) + "." + key + "\n"));
    }
  }
  for (const auto& [key, value] : json["nodes"]["a"].items()) CHECK_THAT(man, Contains("Cm ." + key + "\n"));

  const size_t start = man.find("local_node: backup\n");
  REQUIRE(start != std::string::npos);
  const config::Settings example = sample::load(man.substr(start, man.find(".Ed", start) - start));
  CHECK(example.warnings.empty());
  CHECK(example.secondary().name == "backup");
}
