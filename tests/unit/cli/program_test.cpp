// The programs as they are built: `config`, and the dispatcher `pgtandem`.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "capture.hpp"

using capture::Folder;
using capture::Result;
using capture::shell;
using Catch::Matchers::Contains;

namespace {

const std::string bin = PGTANDEM_BIN;
const std::string program = bin + "/config";
const std::string pgtandem = bin + "/pgtandem";

}  // namespace

TEST_CASE("config prints the settings in effect as JSON, without passwords") {
  const Folder folder;
  const std::string file = folder.write("pg.yaml", capture::configuration());
  const Result result = shell(program + " -c " + file);
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, !Contains("hunter2"));
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["file"] == file);
  CHECK(json["nodes"]["a"]["database_url"] == "postgresql://u:***@h/d");
}

TEST_CASE("no level of logging shows a password") {
  const Folder folder;
  for (const char* const more : {"", "spol: 1\n", "spool: {strict: x}\n", "local_node: c\n"}) {
    const std::string file = folder.write("pg.yaml", capture::configuration(more));
    const Result result = shell(program + " --log-level debug -c " + file);
    CHECK_THAT(result.out + result.err, !Contains("hunter2"));
  }
}

TEST_CASE("config ends with the documented exit codes") {
  const Folder folder;
  const std::string file = folder.write("pg.yaml", capture::configuration());
  CHECK(shell(program + " --help").code == 0);
  CHECK(shell(program + " --bogus").code == 64);
  CHECK(shell(program + " -c /nowhere.yaml").code == 78);
  CHECK(shell(program + " -c " + folder.write("bad.yaml", "a: [")).code == 78);
  const Result full = shell(program + " -c " + file + " > /dev/full");
  CHECK(full.code == 73);
  CHECK_THAT(full.err, Contains("config: cannot write stdout: disk full"));
  const Result closed = shell("{ " + program + " -c " + file + "; echo $? >&2; } | :");
  CHECK((closed.err == "74\n" || closed.err == "0\n"));  // 0 where it was faster than the reader's end
}

TEST_CASE("the dispatcher runs a tool with its arguments and its exit code") {
  const Folder folder;
  const std::string file = folder.write("with blank.yaml", capture::configuration());
  const Result result = shell(pgtandem + " config -c '" + file + "'");
  CHECK(result.code == 0);
  CHECK(nlohmann::json::parse(result.out)["file"] == file);
  CHECK(shell(pgtandem + " config -c /nowhere.yaml").code == 78);
  CHECK(shell("cd / && " + pgtandem + " config --version").out == "config (pgtandem) " PGTANDEM_VERSION "\n");
}

TEST_CASE("the dispatcher lists the tools that exist, with what they say of themselves") {
  const Result result = shell(pgtandem + " --help");
  CHECK(result.code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, Contains("  config            Prints the settings in effect as JSON, passwords hidden.\n"));
  CHECK_THAT(result.out, Contains("  sync-full         Compares all tables of both sides"));
  CHECK_THAT(result.out, Contains("  sync-incremental  Brings the standby to where the primary is now"));
  CHECK(shell(pgtandem + " -h").out == result.out);
  CHECK(shell(pgtandem + " --version").out == "pgtandem (pgtandem) " PGTANDEM_VERSION "\n");
}

TEST_CASE("the dispatcher refuses what is no tool with 64 and one line") {
  for (const std::string arguments :
       {"", "nonsense", "''", "../bin/config", "/bin/ls", ".", "--bogus", "pgtandem", "ls"}) {
    INFO(arguments);
    const Result result = shell(pgtandem + " " + arguments);
    CHECK(result.code == 64);
    CHECK(result.out.empty());
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    CHECK_THAT(result.err, Catch::StartsWith("pgtandem: ") && Contains("; see pgtandem --help"));
  }
}

TEST_CASE("the dispatcher finds its tools through links, and never those of the PATH") {
  const Folder folder;
  std::filesystem::create_symlink(pgtandem, folder.file("first"));
  std::filesystem::create_symlink("first", folder.file("second"));
  CHECK(shell("PATH=" + folder.file("") + ":$PATH second config --version").code == 0);
  folder.write("mine", "#!/bin/sh\n");
  std::filesystem::permissions(folder.file("mine"), std::filesystem::perms::owner_all);
  CHECK(shell("PATH=" + folder.file("") + ":$PATH " + pgtandem + " mine").code == 64);
}
