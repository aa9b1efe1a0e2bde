// Log lines: their two forms, their level, their file, and that nothing in a message can break them.
#include <catch2/catch.hpp>
#include <cctype>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "capture.hpp"
#include "cli/logging.hpp"

using base::Exit;
using base::Level;
using capture::Folder;
using capture::Result;
using Catch::Matchers::Contains;

namespace {

// Runs a tool whose configuration ends in `more` and that does `body`.
Result logged(const Folder& folder, const std::string& more, std::vector<std::string> arguments,
              const std::function<void()>& body) {
  const std::string config = folder.write("pg.yaml", capture::configuration(more));
  cli::Tool tool("capture", "sample", [&](const config::Settings&) {
    body();
    return Exit::done;
  });
  arguments.insert(arguments.begin(), {"-c", config});
  return capture::tool(tool, arguments);
}

void one_of_each() {
  base::log(Level::debug, "a");
  base::log(Level::info, "b");
  base::log(Level::warn, "c");
  base::log(Level::error, "d");
}

std::vector<nlohmann::json> objects(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

}  // namespace

TEST_CASE("a text line has time, level, tool and message") {
  const Folder folder;
  std::string shape = logged(folder, "", {"--log-level", "debug"}, one_of_each).err;
  for (char& c : shape) c = std::isdigit(static_cast<unsigned char>(c)) ? '9' : c;
  const std::string time = "9999-99-99T99:99:99.999Z ";
  CHECK(shape == time + "debug capture: a\n" + time + "info  capture: b\n" + time + "warn  capture: c\n" + time +
                     "error capture: d\n");
}

TEST_CASE("a JSON line has the same as an object") {
  const Folder folder;
  const auto lines = objects(logged(folder, "", {"--log-level", "debug", "--log-format", "json"}, one_of_each).err);
  REQUIRE(lines.size() == 4);
  CHECK(lines[2]["level"] == "warn");
  CHECK(lines[2]["tool"] == "capture");
  CHECK(lines[2]["message"] == "c");
  const std::string time = lines[2]["time"];
  CHECK(time.size() == 24);
  CHECK(lines[2].size() == 4);
}

TEST_CASE("the level is the option's, else the configuration's, else info") {
  const Folder folder;
  const auto count = [&](const std::string& more, const std::vector<std::string>& arguments) {
    const std::string err = logged(folder, more, arguments, one_of_each).err;
    return std::count(err.begin(), err.end(), '\n');
  };
  CHECK(count("", {}) == 3);
  CHECK(count("logging: {level: warn}\n", {}) == 2);
  CHECK(count("logging: {level: warn}\n", {"--log-level", "error"}) == 1);
  CHECK(count("logging: {level: error}\n", {"--log-level", "debug"}) == 4);
}

TEST_CASE("the format is the configuration's where no option says otherwise") {
  const Folder folder;
  CHECK(objects(logged(folder, "logging: {format: json}\n", {}, one_of_each).err).size() == 3);
  CHECK_THAT(logged(folder, "logging: {format: json}\n", {"--log-format", "text"}, one_of_each).err,
             Contains("warn  capture: c"));
}

TEST_CASE("a log file gets the lines, and is appended to") {
  const Folder folder;
  folder.write("x.log", "old\n");
  const Result result = logged(folder, "logging: {file: x.log}\n", {}, one_of_each);
  CHECK(result.err.empty());
  CHECK_THAT(folder.read("x.log"), Catch::StartsWith("old\n") && Contains("warn  capture: c\n"));
}

TEST_CASE("a log file that cannot be opened ends the tool") {
  const Folder folder;
  const Result result = logged(folder, "logging: {file: none/x.log}\n", {}, one_of_each);
  CHECK(result.code == 74);
  CHECK_THAT(result.err, Contains("capture: cannot open") && Contains("none/x.log"));
}

TEST_CASE("the last word of a failing tool is on stderr, in the log's form, and in the log file") {
  const auto fail = [] { throw base::Error(Exit::data, "it broke\nbadly"); };
  const Folder folder;
  CHECK(logged(folder, "", {}, fail).err == "capture: it broke\\nbadly\n");

  const auto lines = objects(logged(folder, "", {"--log-format", "json"}, fail).err);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["level"] == "error");
  CHECK(lines[0]["message"] == "it broke\nbadly");

  CHECK(logged(folder, "logging: {file: x.log}\n", {}, fail).err == "capture: it broke\\nbadly\n");
  CHECK_THAT(folder.read("x.log"), Contains("error capture: it broke\\nbadly\n"));
}

TEST_CASE("warnings of the configuration are logged, notes only at debug") {
  const Folder folder;
  const std::string more = "spol: {}\napi_server: {port: 1}\n";
  const std::string quiet = logged(folder, more, {}, [] {}).err;
  CHECK_THAT(quiet, Contains("warn  capture: ") && Contains("pg.yaml:6:1: unknown key \"spol\""));
  CHECK_THAT(quiet, !Contains("without effect"));
  CHECK_THAT(logged(folder, more, {"--log-level", "debug"}, [] {}).err,
             Contains("debug capture: ") && Contains("api_server: without effect here"));
}

TEST_CASE("a message is one line and moves no cursor") {
  CHECK(cli::escape_controls("a\nb\tc\rd\x1b[31me\x7f") == "a\\nb\\tc\\x0dd\\x1b[31me\\x7f");
  CHECK(cli::escape_controls(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(cli::escape_controls("\xc2\x9b"
                             "31m") == "\\x9b31m");
  CHECK(cli::escape_controls("备节点 é") == "备节点 é");
  const Folder folder;
  const auto hostile = [] { base::log(Level::warn, "x\n2026-01-01T00:00:00.000Z error capture: forged \xff"); };
  const std::string text = logged(folder, "", {}, hostile).err;
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(objects(logged(folder, "", {"--log-format", "json"}, hostile).err).size() == 1);
}

TEST_CASE("lines of several threads do not mix") {
  const Folder folder;
  const std::string err = logged(folder, "", {"--log-format", "json"}, [] {
                            std::vector<std::thread> threads;
                            for (int t = 0; t < 4; ++t) {
                              threads.emplace_back([] {
                                for (int i = 0; i < 200; ++i) base::log(Level::info, std::string(5000, 'x'));
                              });
                            }
                            for (std::thread& thread : threads) thread.join();
                          }).err;
  CHECK(objects(err).size() == 800);
}

TEST_CASE("a log that cannot be written does not stop the tool") {
  const Folder folder;
  const Result result = logged(folder, "logging: {file: /dev/full}\n", {}, one_of_each);
  CHECK(result.code == 0);
}
