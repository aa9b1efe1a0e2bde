// The command line: what is parsed, what is refused, and what becomes of an error. One case a promise.
#include <catch2/catch.hpp>
#include <new>

#include "base/log.hpp"
#include "base/stop.hpp"
#include "capture.hpp"

using base::Exit;
using capture::Folder;
using capture::Result;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

// A tool with everything that a tool can have; remembers what ran.
struct Sample {
  bool follow = false;
  std::string node;
  std::optional<change::Lsn> until;
  std::string input;
  bool force = false;
  std::string ran;
  std::function<Exit(const config::Settings&)> body = [](const config::Settings&) { return Exit::done; };
  Folder folder;
  std::string config = folder.write("pg.yaml", capture::configuration());
  cli::Tool tool;

  Sample() : tool("sample", "do what samples do", action("sample")) {
    tool.flag("-f,--follow", follow, "stay")
        .text("-n,--node", node, "NAME", "the node")
        .lsn("--until-lsn", until, "stop there")
        .word("INPUT", input, "- for stdin");
    tool.command("init", "make it", action("init")).flag("--force", force, "even so");
    cli::Command& dead = tool.command("dead", "what is dead");
    dead.command("list", "list them", action("dead list"));
    dead.command("drop", "drop them", action("dead drop"));
  }
  cli::Action action(const std::string& name) {
    return [this, name](const config::Settings& settings) {
      ran = name;
      return body(settings);
    };
  }
  Result run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-c", config});
    return capture::tool(tool, arguments);
  }
};

size_t lines(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

// The exit code, and that there is one line of error and nothing else.
int usage_error(const std::vector<std::string>& arguments, const std::string& says) {
  Sample sample;
  const Result result = sample.run(arguments);
  INFO(result.err);
  CHECK(result.out.empty());
  CHECK(lines(result.err) == 1);
  CHECK_THAT(result.err, Catch::StartsWith("sample: ") && Contains(says) && Contains("; see pgtandem sample"));
  CHECK(sample.ran.empty());
  return result.code;
}

}  // namespace

TEST_CASE("options, words and LSNs arrive where they were bound") {
  Sample sample;
  const Result result = sample.run({"--follow", "--node", "b", "--until-lsn", "16/B374D848", "-"});
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK(sample.ran == "sample");
  CHECK(sample.follow);
  CHECK(sample.node == "b");
  CHECK(sample.input == "-");
  REQUIRE(sample.until);
  CHECK(sample.until->text() == "16/B374D848");
}

TEST_CASE("what is not given keeps its value, and short options and = work") {
  Sample sample;
  CHECK(sample.run({"-n", "b", "--until-lsn=0/1"}).code == 0);
  CHECK_FALSE(sample.follow);
  CHECK(sample.node == "b");
  CHECK(sample.until->value == 1);
  CHECK(sample.input.empty());
}

TEST_CASE("of an option that is given twice the last one counts") {
  Sample sample;
  CHECK(sample.run({"--node", "a", "--node", "b", "-f", "-f", "--log-level", "info", "--log-level", "warn"}).code == 0);
  CHECK(sample.node == "b");
  CHECK(sample.follow);
}

TEST_CASE("a list takes an option each time, a number has its bounds") {
  std::vector<std::string> tables;
  uint64_t jobs = 1;
  const auto run = [&](std::vector<std::string> arguments) {
    tables.clear();
    jobs = 1;
    cli::Tool tool("sample", "do what samples do", [](const config::Settings&) { return base::Exit::done; });
    tool.list("--table", tables, "NAME", "this one").number("--jobs", jobs, 1, 64, "N", "so many");
    arguments.insert(arguments.begin(), {"sample", "--config", "/nowhere"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    return tool.run(static_cast<int>(argv.size()), argv.data());
  };
  CHECK(run({"--table", "a", "--table=b", "--jobs", "64"}) == 78);  // parsed, and there is no configuration
  CHECK(tables == std::vector<std::string>{"a", "b"});
  CHECK(jobs == 64);
  for (const char* wrong : {"0", "65", "-1", "x", "1x", "", "18446744073709551616"}) {
    CAPTURE(wrong);
    CHECK(run({"--jobs", wrong}) == 64);
  }
  CHECK(run({"--table", ""}) == 64);
  CHECK(run({"--table", "a", "b"}) == 64);
}

TEST_CASE("subcommands run, to any depth") {
  Sample sample;
  CHECK(sample.run({"dead", "drop"}).code == 0);
  CHECK(sample.ran == "dead drop");
  Sample other;
  CHECK(other.run({"init", "--force"}).code == 0);
  CHECK(other.ran == "init");
  CHECK(other.force);
}

TEST_CASE("common options work before and after a subcommand") {
  for (const bool before : {true, false}) {
    Sample sample;
    std::vector<std::string> arguments = {"--config", sample.config, "--log-level", "debug", "--log-format", "json"};
    arguments.insert(before ? arguments.end() : arguments.begin(), {"dead", "list"});
    sample.body = [](const config::Settings&) {
      base::log(base::Level::debug, "here");
      return Exit::done;
    };
    const Result result = capture::tool(sample.tool, arguments);
    CHECK(result.code == 0);
    CHECK(sample.ran == "dead list");
    CHECK_THAT(result.err, Contains("\"message\":\"here\""));
  }
}

TEST_CASE("every usage error is one line and 64") {
  CHECK(usage_error({"--folow"}, "there is no option --folow, did you mean --follow?") == 64);
  CHECK(usage_error({"-x"}, "there is no option -x") == 64);
  CHECK(usage_error({"--node"}, "--node: a value is missing") == 64);
  CHECK(usage_error({"--node", ""}, "--node: the value is empty") == 64);
  CHECK(usage_error({"--follow=1"}, "--follow takes no value") == 64);
  CHECK(usage_error({"--until-lsn", "1234"}, "1234 is no LSN; write one as 0/1A2B3C8") == 64);
  CHECK(usage_error({"--until-lsn", "0/XYZ"}, "0/XYZ is no LSN") == 64);
  CHECK(usage_error({"--log-level", "loud"}, "loud is none of debug|info|warn|error") == 64);
  CHECK(usage_error({"--log-format", "xml"}, "xml is none of text|json") == 64);
  CHECK(usage_error({"dead"}, "a command is missing, one of list, drop; see pgtandem sample dead --help") == 64);
  CHECK(usage_error({"dead", "lst"}, "there is no command lst, did you mean list?") == 64);
  CHECK(usage_error({"dead", "list", "drop"}, "drop") == 64);
  CHECK(usage_error({"init", "dead"}, "dead") == 64);
  CHECK(usage_error({"init", "more"}, "there is no argument more") == 64);
  CHECK(usage_error({"a", "b"}, "b") == 64);
  CHECK(usage_error({"inti"}, "there is no command inti, did you mean init?") == 64);
  CHECK(usage_error({"bad\nname", "x\ny"}, "x\\ny") == 64);
}

TEST_CASE("an option of the tool does not belong to its subcommands") {
  CHECK(usage_error({"--follow", "init"}, "--follow does not belong to init") == 64);
  CHECK(usage_error({"init", "--follow"}, "there is no option --follow") == 64);
}

TEST_CASE("a usage error comes before the configuration is read") {
  Sample sample;
  CHECK(capture::tool(sample.tool, {"-c", "/nowhere", "--bogus"}).code == 64);
}

TEST_CASE("help goes to stdout, needs no configuration and names every option") {
  Sample sample;
  const Result result = capture::tool(sample.tool, {"-c", "/nowhere", "--help"});
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Equals("usage: pgtandem sample [OPTION]... [INPUT]\n"
                                "       pgtandem sample COMMAND [OPTION]...\n"
                                "\n"
                                "do what samples do\n"
                                "\n"
                                "arguments:\n"
                                "  INPUT                   - for stdin\n"
                                "\n"
                                "commands:\n"
                                "  init                    make it\n"
                                "  dead                    what is dead\n"
                                "\n"
                                "options:\n"
                                "  -f, --follow            stay\n"
                                "  -n, --node NAME         the node\n"
                                "  --until-lsn LSN         stop there\n"
                                "\n"
                                "common options:\n"
                                "  -c, --config FILE       the configuration; else $PGTANDEM_CONFIG, else\n"
                                "                          /etc/pgtandem/pgtandem.yaml\n"
                                "  --log-level debug|info|warn|error\n"
                                "                          log what is at least that urgent; else logging.level\n"
                                "  --log-format text|json  lines for people, or JSON objects; else logging.format\n"
                                "  --version               print name and version\n"
                                "  -h, --help              print this help\n"));
}

TEST_CASE("help of a subcommand is its own") {
  Sample sample;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"dead", "--help"}, std::vector<std::string>{"--help", "dead"}}) {
    const Result result = capture::tool(sample.tool, arguments);
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Catch::StartsWith("usage: pgtandem sample dead COMMAND [OPTION]...\n\nwhat is dead\n"));
    CHECK_THAT(result.out, Contains("  list                    list them\n"));
    CHECK_THAT(result.out, !Contains("--follow"));
  }
}

TEST_CASE("no line of help is wider than a terminal") {
  Sample sample;
  std::string node;
  sample.tool.text("--a-very-long-option-name", node, "A-LONG-VALUE",
                   std::string(50, 'x') + " " + std::string(50, 'y') + " z");
  std::istringstream help(capture::tool(sample.tool, {"--help"}).out);
  for (std::string line; std::getline(help, line);) CHECK(line.size() <= 80);
}

TEST_CASE("the version names tool and project") {
  Sample sample;
  CHECK(capture::tool(sample.tool, {"--version"}).out == "sample (pgtandem) " PGTANDEM_VERSION "\n");
  CHECK(capture::tool(sample.tool, {"init", "--version"}).out == "sample (pgtandem) " PGTANDEM_VERSION "\n");
  CHECK(capture::tool(sample.tool, {"--version"}).code == 0);
}

TEST_CASE("the action's result is the exit code, an error's kind is") {
  for (const Exit code : {Exit::done, Exit::finding, Exit::data, Exit::unreachable, Exit::try_later}) {
    Sample sample;
    sample.body = [code](const config::Settings&) { return code; };
    const Result result = sample.run({});
    CHECK(result.code == static_cast<int>(code));
    CHECK(result.err.empty());
  }
  for (const Exit code : {Exit::usage, Exit::data, Exit::unreachable, Exit::bug, Exit::cannot_create, Exit::io,
                          Exit::try_later, Exit::no_right, Exit::config}) {
    Sample sample;
    sample.body = [code](const config::Settings&) -> Exit { throw base::Error(code, "it broke, there; mend it"); };
    const Result result = sample.run({});
    CHECK(result.code == static_cast<int>(code));
    CHECK(result.err == "sample: it broke, there; mend it\n");
  }
}

TEST_CASE("a transient error that outlives the retries ends as its kind says") {
  Sample sample;
  sample.body = [](const config::Settings&) -> Exit { throw base::Transient(Exit::unreachable, "no answer"); };
  CHECK(sample.run({}).code == 69);
}

TEST_CASE("statements that grant what is missing stand on stdout, one a line, and the error beside them") {
  Sample sample;
  sample.body = [](const config::Settings&) -> Exit {
    throw base::MissingRights("here: two rights are missing; run them", {"GRANT a TO b;", "GRANT c TO d;"});
  };
  const Result result = sample.run({"init"});
  CHECK(result.code == 77);
  CHECK(result.out == "GRANT a TO b;\nGRANT c TO d;\n");
  CHECK_THAT(result.err, Equals("sample: here: two rights are missing; run them\n"));
}

TEST_CASE("whatever else is thrown is a bug, in one line") {
  Sample memory;
  memory.body = [](const config::Settings&) -> Exit { throw std::bad_alloc(); };
  CHECK(memory.run({}).code == 70);
  Sample logic;
  logic.body = [](const config::Settings&) -> Exit { throw std::logic_error("two\nlines"); };
  const Result result = logic.run({});
  CHECK(result.code == 70);
  CHECK_THAT(result.err, Contains("sample: a bug: two\\nlines; please report it"));
}

TEST_CASE("what the action printed through stdio and could not be written is an error") {
  Sample sample;
  sample.body = [](const config::Settings&) {
    std::puts("0/1");
    return Exit::done;
  };
  const int saved = ::dup(STDOUT_FILENO);
  const int full = ::open("/dev/full", O_WRONLY);
  std::vector<std::string> words = {"sample", "-c", sample.config};
  std::vector<char*> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  std::fflush(stdout);
  ::dup2(full, STDOUT_FILENO);
  const int code = sample.tool.run(3, argv.data());
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(full);
  std::clearerr(stdout);
  CHECK(code == 73);
}

TEST_CASE("a reader that went away is an exit code and no message") {
  Sample sample;
  sample.body = [](const config::Settings&) -> Exit { throw base::PipeClosed(Exit::io, "cannot write stdout"); };
  const Result result = sample.run({});
  CHECK(result.code == 74);
  CHECK(result.err.empty());
}

TEST_CASE("a bad configuration ends the tool with 78 before anything runs") {
  Sample sample;
  sample.config = sample.folder.write("pg.yaml", capture::configuration("spool: {strict: 5}\n"));
  const Result result = sample.run({});
  CHECK(result.code == 78);
  CHECK(result.err == "sample: " + sample.config + ":6:17: spool.strict is \"5\"; write true or false\n");
  CHECK(sample.ran.empty());
}

TEST_CASE("the configuration is found by the environment too") {
  Sample sample;
  ::setenv("PGTANDEM_CONFIG", sample.config.c_str(), 1);
  CHECK(capture::tool(sample.tool, {}).code == 0);
  ::unsetenv("PGTANDEM_CONFIG");
  CHECK(sample.ran == "sample");
}

TEST_CASE("SIGTERM asks the action to stop, which ends with 0") {
  Sample sample;
  sample.body = [](const config::Settings&) {
    ::kill(::getpid(), SIGTERM);
    return base::sleep_or_stop(10) ? Exit::done : Exit::bug;
  };
  CHECK(sample.run({}).code == 0);
}
