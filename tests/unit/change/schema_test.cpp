// config/changes.schema.json says what the reader does. The part of JSON Schema that it uses is checked here by hand,
// as no validator stands on a bare machine.
#include <regex.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "change/forms.hpp"
#include "rows.hpp"

using nlohmann::json;

namespace {

const json& schema() {
  static const json all = json::parse(std::ifstream(PGTANDEM_SOURCE "/config/changes.schema.json"));
  return all;
}

bool fits(const json& value, const json& rule);

bool fits_type(const json& value, const json& type) {
  if (type.is_array())
    return std::any_of(type.begin(), type.end(), [&](const json& one) { return fits_type(value, one); });
  static const std::map<std::string, bool (*)(const json&)> types = {
      {"object", [](const json& v) { return v.is_object(); }},
      {"array", [](const json& v) { return v.is_array(); }},
      {"string", [](const json& v) { return v.is_string(); }},
      {"boolean", [](const json& v) { return v.is_boolean(); }},
      {"null", [](const json& v) { return v.is_null(); }},
      {"integer", [](const json& v) { return v.is_number_integer(); }},
  };
  return types.at(type.get<std::string>())(value);
}

// (std::regex makes GCC 12 warn of itself under the sanitizers.)
bool matches(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  REQUIRE(::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool fits_object(const json& value, const json& rule) {
  for (const auto& [name, member] : value.items()) {
    const bool known = rule.contains("properties") && rule["properties"].contains(name);
    const json& its = known ? rule["properties"][name] : rule.value("additionalProperties", json(true));
    if (its == json(false) || (its != json(true) && !fits(member, its))) return false;
    if (rule.contains("propertyNames") && !fits(name, rule["propertyNames"])) return false;
  }
  for (const json& name : rule.value("required", json::array()))
    if (!value.contains(name.get<std::string>())) return false;
  return true;
}

bool fits_array(const json& value, const json& rule) {
  if (value.size() < rule.value("minItems", 0U) || value.size() > rule.value("maxItems", SIZE_MAX)) return false;
  if (rule.value("uniqueItems", false) && std::set<json>(value.begin(), value.end()).size() != value.size())
    return false;
  return std::all_of(value.begin(), value.end(),
                     [&](const json& item) { return !rule.contains("items") || fits(item, rule["items"]); });
}

bool fits_keyword(const json& value, const json& rule, const std::string& keyword, const json& says) {
  const bool text = value.is_string();
  if (keyword == "$ref") return fits(value, schema()["$defs"][says.get<std::string>().substr(8)]);
  if (keyword == "oneOf")
    return std::count_if(says.begin(), says.end(), [&](const json& one) { return fits(value, one); }) == 1;
  if (keyword == "type") return fits_type(value, says);
  if (keyword == "const") return value == says;
  if (keyword == "enum") return std::find(says.begin(), says.end(), value) != says.end();
  if (keyword == "minimum") return !value.is_number() || value.get<double>() >= says.get<double>();
  if (keyword == "maximum") return !value.is_number() || value.get<double>() <= says.get<double>();
  if (keyword == "minLength") return !text || characters(value.get<std::string>()) >= says.get<size_t>();
  if (keyword == "maxLength") return !text || characters(value.get<std::string>()) <= says.get<size_t>();
  if (keyword == "pattern") return !text || matches(value.get<std::string>(), says.get<std::string>());
  if (keyword == "properties") return !value.is_object() || fits_object(value, rule);
  if (keyword == "additionalProperties")
    return rule.contains("properties") || !value.is_object() || fits_object(value, rule);
  if (keyword == "items" || keyword == "minItems" || keyword == "uniqueItems")
    return !value.is_array() || fits_array(value, rule);
  static const std::vector<std::string> elsewhere = {"description", "required", "propertyNames", "maxItems",
                                                     "$schema",     "$id",      "title",         "$defs"};
  INFO("the test does not know the keyword " << keyword);
  REQUIRE(std::find(elsewhere.begin(), elsewhere.end(), keyword) != elsewhere.end());
  return true;
}

bool fits(const json& value, const json& rule) {
  for (const auto& [keyword, says] : rule.items())
    if (!fits_keyword(value, rule, keyword, says)) return false;
  return true;
}

// A reader where a line of any type may come next: the table's shape is known; a transaction is open or not.
bool taken(const json& line) {
  for (const bool open : {true, false}) {
    Lines lines;
    lines.read(
        R"({"type":"relation","table":"public.t","columns":[{"name":"id","type":"integer"},{"name":"txt","type":"text"},)"
        R"({"name":"ok","type":"boolean"}],"key":["id"]})");
    if (open) lines.read(R"({"type":"begin","lsn":"0/10"})");
    if (lines.refusal(line.dump()).empty()) return true;
  }
  return false;
}

// A line of each type with every member that it may have.
const std::vector<json>& whole_lines() {
  static const std::vector<json> lines = [] {
    std::vector<json> out;
    for (
        const char* text :
        {R"({"type":"source","system_id":"7314","timeline":1,"slot":"s_1","created":"0/1","lsn":"0/2","operations":0,"cut":"0/3"})",
         R"({"type":"relation","table":"public.u","columns":[{"name":"id","type":"integer"}],"key":["id"],"identity":"index"})",
         R"({"type":"begin","lsn":"0/10","xid":7,"time":"2026-11-23T04:05:06.123456Z"})",
         R"({"type":"insert","table":"public.t","key":{"id":1},"new":{"id":1,"txt":"a","ok":true}})",
         R"({"type":"update","table":"public.t","key":{"id":1},"new":{"id":2,"ok":null},"unchanged":["txt"]})",
         R"({"type":"delete","table":"public.t","key":{"id":1}})",
         R"({"type":"truncate","tables":["public.t","\"A\".b"],"restart_identity":true,"cascade":false})",
         R"({"type":"copy","tables":["public.t","\"A\".b"]})",
         R"({"type":"commit","lsn":"0/10","end_lsn":"0/18","changes":2,"xxh3":"0123456789abcdef"})",
         R"({"type":"keepalive","lsn":"0/20","time":"2026-11-23T04:05:06.123456Z"})"})
      out.push_back(json::parse(text));
    return out;
  }();
  return lines;
}

}  // namespace

TEST_CASE("the schema lists the types and members that the reader takes") {
  REQUIRE(schema()["oneOf"].size() == std::size(change::forms));
  for (const change::Form& form : change::forms) {
    CAPTURE(form.name);
    const std::string name(form.name);
    CHECK(std::find(schema()["oneOf"].begin(), schema()["oneOf"].end(), json{{"$ref", "#/$defs/" + name}}) !=
          schema()["oneOf"].end());
    const json& rule = schema()["$defs"][name];
    CHECK(rule["properties"]["type"] == json{{"const", name}});
    CHECK(rule["additionalProperties"] == json(false));
    for (unsigned m = 0; m < change::m_count; ++m) {
      const std::string member(change::member_names[m]);
      CAPTURE(member);
      CHECK(rule["properties"].contains(member) == form.has(m));
      const bool required = m == change::m_type || (form.required & change::bit(m)) != 0;
      CHECK((std::find(rule["required"].begin(), rule["required"].end(), member) != rule["required"].end()) ==
            required);
    }
    CHECK(rule["properties"].size() ==
          1 + static_cast<size_t>(std::find(form.members.begin(), form.members.end(), change::m_count) -
                                  form.members.begin()));
  }
  const json& identities = schema()["$defs"]["relation"]["properties"]["identity"]["enum"];
  CHECK(identities ==
        json(std::vector<std::string>(std::begin(change::identity_names), std::end(change::identity_names))));
}

TEST_CASE("schema and reader agree on members left out and put in") {
  REQUIRE(whole_lines().size() == std::size(change::forms));
  for (const json& whole : whole_lines()) {
    CAPTURE(whole.dump());
    CHECK(fits(whole, schema()));
    CHECK(taken(whole));
    for (const auto& [member, value] : whole.items()) {
      CAPTURE(member);
      json less = whole;
      less.erase(member);
      CHECK(fits(less, schema()) == taken(less));
      for (const json& other :
           {json(nullptr), json(1), json(true), json(""), json::array(), json::object(), json("0/1")}) {
        json changed = whole;
        changed[member] = other;
        CAPTURE(other.dump());
        // The reader knows more: that a column is one of the table's, that a table's name is one, the order of lines.
        if (taken(changed))
          CHECK(fits(changed, schema()));
        else if (member != "key" && member != "new" && member != "table" && member != "columns" &&
                 member != "end_lsn" && !(member == "lsn" && whole["type"] == "commit"))
          CHECK_FALSE(fits(changed, schema()));
      }
    }
    for (unsigned m = 0; m < change::m_count; ++m) {
      const std::string member(change::member_names[m]);
      if (whole.contains(member)) continue;
      json more = whole;
      more[member] = "0/1";
      CHECK_FALSE(fits(more, schema()));
      CHECK_FALSE(taken(more));
    }
  }
}

TEST_CASE("the schema takes what the writer writes") {
  const change::Relation shape = relation(
      "\"Odd \"\"Schema\".t", {{std::string(63, 'n'), "oid"}, {"\xc3\xa4", "bigint"}}, {0, 1}, change::Identity::full);
  const std::vector<Given> row{"4294967295", "-9223372036854775808"};
  std::string lines;
  change::append_source(lines, {"18446744073709551615", UINT32_MAX, std::string(63, 's'), {0}}, {UINT64_MAX});
  append_relation(lines, shape);
  change::append_begin(lines, {UINT64_MAX - 1}, UINT32_MAX, 0);
  append_insert(lines, shape, {}, values(row));
  append_update(lines, shape, values(row), values({null, absent}));
  append_remove(lines, shape, values(row));
  change::append_truncate(lines, std::vector{shape.table}, false, true);
  change::append_copy(lines, std::vector{shape.table});
  std::string commit;
  change::append_commit(commit, {UINT64_MAX - 1}, {UINT64_MAX}, UINT64_MAX);
  change::append_checksum(commit, 0);
  lines += commit;
  change::append_keepalive(lines, {0}, INT64_MAX);
  Lines reader;
  reader.read_written(lines);
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    CAPTURE(line);
    CHECK(fits(json::parse(line), schema()));
  }
}
