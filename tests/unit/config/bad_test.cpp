// Everything that is wrong in a configuration is an error (or a warning) at its place, and quotes no password.
#include <catch2/catch.hpp>

#include "sample.hpp"

using Catch::Matchers::Contains;
using sample::error_of;
using sample::with;

namespace {

struct Bad {
  size_t line;              // of the sample that is replaced; past its end: appended
  std::string replacement;  // no other line changes
  std::string place;        // LINE:COLUMN
  std::string says;
};

const std::vector<Bad> table = {
    // YAML itself
    {7, "  batch_size: [1, 2", "8:1", "this is no YAML, end of sequence flow not found; mend"},
    {7, "  batch_size: 1: 2", "7:16", "illegal map value"},
    {7, "\tbatch_size: 1", "7:2", "a tab in the indentation, which YAML forbids; use spaces"},
    {7, "  batch_size: *other", "7:15", "the referenced anchor is not defined"},
    {7, "  sync_tables: [users]", "7:3", "this key is there twice, first in line 6"},
    {4, "  a: {role: secondary}", "4:3", "this key is there twice, first in line 3"},
    {8, "---\nlocal_node: a", "8:1", "a second YAML document"},
    {7, "  batch_size: !int 5", "7:15", "a YAML tag that means nothing here"},
    {7, "  ? [batch_size]\n  : 5", "7:5", "a key that is no word"},
    {7, "  batch_size: 5\x04", "7:16", "a control character"},
    {7, "  batch_size: \xff", "7:15", "not UTF-8"},
    {7, "  <<: 5", "7:7", "<< takes a mapping"},
    // local_node and nodes
    {1, "local_node: bb", "1:13", "local_node is \"bb\", which is none of the nodes; did you mean \"b\"?"},
    {1, "local_nod: b", "1:1", "is it what \"local_nod\" in line 1 should be?"},
    {1, "local_node: [b]", "1:13", "local_node is a list; write a text"},
    {3, "  a: {role: master, database_url: \"postgresql://h/d\"}", "3:13",
     "nodes.a.role is \"master\"; write primary or"},
    {3, "  a: {role: primari, database_url: \"postgresql://h/d\"}", "3:13", "(primary perhaps)"},
    {3, "  a: {database_url: \"postgresql://h/d\"}", "3:6", "nodes.a.role is missing; write role: primary or"},
    {3, "  a: {role: primary}", "3:6", "nodes.a.database_url is missing"},
    {3, "  a: {role: primary, database_ulr: \"postgresql://u:hunter2@h/d\"}", "3:6", "\"database_ulr\" in line 3"},
    {3, "  a: {role: primary, database_url: \"sqlite:///hunter2.db\"}", "3:36", "no address of a PostgreSQL database"},
    {3, "  a: {role: primary, database_url: \"postgresql://u:hun@ter2@h/d\"}", "3:36", "write %40 for @"},
    {3, "  a: {role: primary, database_url: \"postgresql://u:hun/ter2@h/d\"}", "3:36", "write %40 for @ and %2F for /"},
    {3, "  a: {role: primary, database_url: \"postgresql://u:hunter2%@h/d\"}", "3:36", "has a % that starts no escape"},
    {3, "  a: {role: primary, database_url: \"postgresql://u:hunter2\"}", "3:36", "has a port that is no number"},
    {3, "  a: {role: primary, database_url: \"host=h password='hunter2\"}", "3:36", "a quote that does not end"},
    {3, "  a: {role: primary, database_url: \"\"}", "3:36", "nodes.a.database_url is empty"},
    {3, "  a: {role: primary, database_url: }", "3:22", "nodes.a.database_url is empty; write postgresql://"},
    {3, "  a: {role: primary, database_url: [hunter2]}", "3:36", "nodes.a.database_url is a list"},
    {3, "  a: {role: primary, database_url: \"postgresql://u:hunter2@h/d}", "4:39",
     "this is no YAML, end of map flow not found"},
    {3, "  a: {role: primary, database_url: \"service=x\", server: {port: 65536}}", "3:64", "from 1 to 65535"},
    {3, "  a: {role: primary, database_url: \"service=x\", priority: -1}", "3:59", "nodes.a.priority is \"-1\""},
    {3, "  a: {role: primary, database_url: \"service=x\", connection_timeout: 0}", "3:69", "a number of seconds from"},
    {3, "  a/b: {role: primary, database_url: \"service=x\"}", "3:3", "a node cannot be called \"a/b\""},
    {3, "  .a: {role: primary, database_url: \"service=x\"}", "3:3", "a node cannot be called"},
    {3, "  a.lock: {role: primary, database_url: \"service=x\"}", "3:3", "a node cannot be called"},
    {3, "  a: primary", "3:6", "nodes.a is \"primary\"; write KEY: VALUE lines"},
    // synchronization
    {5, "synchronisation:", "1:1", "synchronization is missing; is it what \"synchronisation\" in line 5 should be?"},
    {6, "  sync_tables: []", "6:16", "sync_tables is empty"},
    {6, "  sync_tables:", "6:3", "synchronization.sync_tables is empty; write a list"},
    {6, "  sync_tables: images", "6:16", "write a list, as [images, categories]"},
    {6, "  sync_tables: [images, Odd Name]", "6:25", "names no table"},
    {6, "  sync_tables: [images, a.b.c]", "6:25", "more than a schema and a name"},
    {6, "  sync_tables: [images, {name: x}]", "6:25", "sync_tables holds a mapping"},
    {6, "  full_tables: [images]", "6:3", "synchronization.sync_tables is missing"},
    {7, "  batch_size: 0", "7:15", "synchronization.batch_size is \"0\"; write a whole number from 1 to"},
    {7, "  batch_size: \"100\"", "7:15",
     "is \"100\" in quotes; write a whole number from 1 to 10000000, without quotes"},
    {7, "  batch_size: 1.5", "7:15", "a whole number"},
    {7, "  batch_size: 010", "7:15", "a whole number"},
    {7, "  batch_size: 99999999999999999999", "7:15", "a whole number"},
    {7, "  batch_size:", "7:3", "synchronization.batch_size is empty"},
    {7, "  full_sync_interval: -1", "7:23", "full_sync_interval is \"-1\"; write a number of seconds from 0.001 to"},
    {7, "  incremental_sync_interval: 10s", "7:30", "a number of seconds"},
    {7, "  sync_interval: 0", "7:18", "a number of seconds"},
    {7, "  sync_timeout: .nan", "7:17", "a number of seconds"},
    {7, "  sync_timeout: inf", "7:17", "a number of seconds"},
    {7, "  sync_timeout: 3e9", "7:17", "a number of seconds from 0.001 to 2000000"},
    {7, "  retry_delay: [5]", "7:16", "retry_delay is a list"},
    {7, "  max_retry_attempts: -3", "7:23", "max_retry_attempts"},
    {7, "  max_queue_size: many", "7:19", "max_queue_size is \"many\""},
    {7, "  auto_sync_enabled: maybe", "7:22", "auto_sync_enabled is \"maybe\"; write true or false"},
    {7, "  verify_sync: \"true\"", "7:16", "write true or false, without quotes"},
    {7, "  conflict_resolution: newest_wins", "7:24", "newest_wins compares a column; name it in newest_column"},
    {7, "  conflict_resolution: last_wins", "7:24", "primary_wins, standby_wins, newest_wins or stop"},
    {7, "  conflict_resolution: {strategy: timestamp}", "7:24", "conflict_resolution is a mapping"},
    // the new sections
    {8, "spool: {max_bytes: 10GB}", "8:20", "spool.max_bytes is \"10GB\"; write a number of bytes"},
    {8, "spool: {max_bytes: 0}", "8:20", "spool.max_bytes"},
    {8, "spool: {max_bytes: 99999999GiB}", "8:20", "spool.max_bytes"},
    {8, "spool: {directory: ~/spool}", "8:20", "starts with ~"},
    {8, "spool: {directory: null}", "8:9", "spool.directory is empty; write a path"},
    {8, "spool: {retain: -1}", "8:17", "spool.retain"},
    {8, "spool: {strict: 1}", "8:17", "true or false"},
    {8, "spool: /var/spool", "8:8", "spool is \"/var/spool\"; write KEY: VALUE lines"},
    {8, "schema_drift: ignore", "8:15", "stop, common_columns or follow"},
    {8, "logging: {level: loud}", "8:18", "logging.level"},
    {8, "logging: {format: xml}", "8:19", "text or json"},
    {8, "api: {ports: [8000, 70000]}", "8:21", "api.ports is \"70000\"; write port numbers"},
    {8, "filters: {\"a b\": {where: x}}", "8:11", "names no table"},
    {8, "filters: {images: {columns: []}}", "8:29", "filters.images.columns"},
    {8, "filters: {other: {where: x}}", "8:11", "filters names public.other, which is not in sync_tables"},
    {8, "filters: {images: {wear: x}}", "8:11", "filters.images has neither where nor columns"},
    {8, "filters: {images: {where: \" \"}}", "8:27", "filters.images.where"},
    {8, "filters: {images: {where: [a]}}", "8:27", "filters.images.where is a list"},
    {8, "filters: {images: {columns: [a, \"b c\"]}}", "8:33", "names no column"},
    {8, "filters: {images: {where: x}, public.images: {where: x}}", "8:31", "filters names public.images twice"},
    {8, "filters: {program: []}", "8:20", "a program and its arguments"},
    {8, "filters: {program: jq}", "8:20", "filters.program is \"jq\"; write a list"},
    {8, "hooks: {on_failure: []}", "8:21", "a program and its arguments"},
    {8, "api: {ports: []}", "8:14", "api.ports"},
    {8, "full_sync: {scrub: 101%}", "8:20", "full_sync.scrub"},
    {8, "full_sync: {scrub: some}", "8:20", "full_sync.scrub"},
    {8, "full_sync: {max_age: 0}", "8:22", "full_sync.max_age"},
    {8, "monitoring: {failure_threshold: 0}", "8:33", "monitoring.failure_threshold"},
    {8, "alerts: {queue: {threshold: lots}}", "8:29", "alerts.queue.threshold"},
    {8, "alerts: {queue: {cooldown: -1}}", "8:28", "alerts.queue.cooldown"},
};

}  // namespace

TEST_CASE("an error names file, line and column, says what to do and quotes no password") {
  REQUIRE(table.size() >= 30);
  for (const Bad& bad : table) {
    INFO(bad.replacement);
    const std::string error = error_of(with(bad.line, bad.replacement));
    CHECK_THAT(error, Contains("pg.yaml:" + bad.place + ": "));
    CHECK_THAT(error, Contains(bad.says));
    CHECK_THAT(error, Contains("; ") || Contains("did you mean") || Contains("perhaps"));
    CHECK_THAT(error, !Contains("hunter") && !Contains("ter2"));
    CHECK_THAT(error, !Contains("\n"));
  }
}

TEST_CASE("a document that is no mapping is refused") {
  CHECK_THAT(error_of(""), Contains("pg.yaml:1:1: nodes is missing"));
  CHECK_THAT(error_of("# nothing\n"), Contains("nodes is missing"));
  CHECK_THAT(error_of("- a\n- b\n"), Contains("pg.yaml:1:1: the document is a list"));
  CHECK_THAT(error_of("hunter2://hunter2\n"), Contains("the document is a text that may hold a password"));
}

TEST_CASE("a small file that expands without end is refused, not expanded") {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string last(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += (i == 0 ? "*" : ", *") + last;
    bomb += "]\n";
  }
  CHECK_THAT(error_of(bomb), Contains("nested or repeated without end"));
  CHECK_THAT(error_of("a: &a [*a]\n"), Contains("pg.yaml:1:4") && Contains("nested or repeated without end"));
}

TEST_CASE("bug: yaml-cpp fills the memory with empty documents at a stray comma") {
  CHECK_THAT(error_of(", in the form\n" + with(0, "")), Contains("pg.yaml:1:1: ") && Contains("belongs to no key"));
  CHECK_THAT(error_of("# head\n] x\n"), Contains("pg.yaml:2:1: "));
}

TEST_CASE("a file that cannot be read says so") {
  const sample::Folder folder;
  const auto kind_of = [](const std::filesystem::path& path) {
    try {
      config::load(path);
    } catch (const base::Error& e) {
      CHECK_THAT(e.what(), Contains(path.string()));
      return e.kind();
    }
    return base::Exit::done;
  };
  CHECK(kind_of(folder.path() / "none.yaml") == base::Exit::config);
  CHECK(kind_of(folder.path()) == base::Exit::config);
  CHECK(kind_of(folder.write("long.yaml", std::string(2 << 20, '#'))) == base::Exit::config);
  CHECK(kind_of("/dev/zero") == base::Exit::config);
}

TEST_CASE("unknown keys warn with the nearest known one, at their place") {
  const auto warnings_of = [](size_t line, const std::string& text) {
    std::string all;
    for (const std::string& warning : sample::load(with(line, text)).warnings) all += warning + "\n";
    return all;
  };
  CHECK_THAT(warnings_of(7, "  bach_size: 5"),
             Contains("pg.yaml:7:3: unknown key \"bach_size\" in synchronization; did you mean \"batch_size\"?"));
  CHECK_THAT(warnings_of(7, "  sync_batch_size: 5"), Contains("did you mean \"batch_size\"?"));
  CHECK_THAT(warnings_of(8, "spol: {}"), Contains("pg.yaml:8:1: unknown key \"spol\"; did you mean \"spool\"?"));
  CHECK_THAT(warnings_of(8, "image_processing: {}"), Contains("unknown key \"image_processing\"; it has no effect"));
  CHECK_THAT(warnings_of(3, "  a: {rol: x, role: primary, database_url: service=x}"),
             Contains("pg.yaml:3:7") && Contains("in nodes.a; did you mean \"role\"?"));
  CHECK_THAT(warnings_of(8, "\"postgresql://u:hunter2@h/d\": 5"), Contains("unknown key") && !Contains("hunter2"));
  CHECK(warnings_of(0, "").empty());
}
