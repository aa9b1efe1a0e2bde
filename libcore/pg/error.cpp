#include "pg/error.hpp"

#include <algorithm>
#include <cctype>

#include "pg/unavailable.hpp"

namespace pg {
namespace {

using base::Exit;

bool one_of(std::string_view state, std::initializer_list<std::string_view> states) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

bool heals(std::string_view state) {
  return state.empty() || state.substr(0, 2) == "08" ||
         // shutdown, crash and start-up of the server; serialization, deadlock, lock and statement timeout; a slot or
         // an object in use; too many connections; timeouts of idle sessions, in and outside of transactions, and of
         // transactions; the server's disk or memory is full
         one_of(state, {"57P01", "57P02", "57P03", "57P05", "57014", "40001", "40P01", "55P03", "55006", "53300",
                        "25P03", "25P04", "53100", "53200", "58030"});
}

Exit kind_of(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (state == "42501" || group == "28") return Exit::no_right;
  if (state == "3D000") return Exit::config;
  if (state == "55006") return Exit::try_later;
  return heals(state) ? Exit::unreachable : Exit::data;
}

const char* advice(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  if (group == "28") return "; check user (LOGIN), password (~/.pgpass) and the server's pg_hba.conf";
  if (state == "3D000") return "; correct the database name in database_url";
  if (state == "53100") return "; make room on that server's disk";
  if (state == "25006") return "; the server is read-only: is it a physical standby?";
  return "";
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// "FATAL:  28P01: password authentication failed": the severity is in the server's language, the SQLSTATE is not.
std::string sqlstate_in(std::string_view text) {
  for (size_t at = text.find(": "); at != std::string_view::npos; at = text.find(": ", at + 1)) {
    size_t start = at + 1;
    while (start < text.size() && text[start] == ' ') ++start;
    if (start + 6 > text.size() || text[start + 5] != ':') continue;
    const std::string_view word = text.substr(start, 5);
    const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    const auto upper = [](unsigned char c) { return std::isupper(c) != 0; };
    // Every SQLSTATE has a digit; "FATAL" has none.
    if (std::any_of(word.begin(), word.end(), digit) &&
        std::all_of(word.begin(), word.end(), [&](unsigned char c) { return digit(c) || upper(c); }))
      return std::string(word);
  }
  return {};
}

}  // namespace

bool is_refusal_of_rows(std::string_view state) {
  const std::string_view group = state.substr(0, 2);
  // 54: a limit of the server, as a staging table's one column more than the table, or an index row that is too large.
  return group == "23" || group == "22" || group == "54" || group == "P0" || group == "09" ||
         one_of(state, {"428C9", "0A000", "44000"});
}

bool is_refusal_of_rows(const SqlError& refused) {
  return is_refusal_of_rows(refused.sqlstate()) || (refused.inside() && refused.kind() != Exit::no_right);
}

bool is_refusal_of_names(std::string_view state) {
  return one_of(state, {"42703", "42P01", "42804", "42883", "42P10", "3F000"});
}

void throw_sql(const std::string& where, const std::string& sqlstate, const std::string& text, const std::string& row,
               bool inside) {
  // Sessions have no search_path: what a function names without a schema is not found, or only in pg_catalog.
  const std::string reason =
      one_line(text) +
      (inside && one_of(sqlstate, {"42P01", "42883", "42704", "3F000"})
           ? ", named by a function that runs there; let it name schemas, or ALTER FUNCTION it SET search_path"
           : "");
  const std::string message =
      where + ": " + reason + (sqlstate.empty() ? "" : " (" + sqlstate + ")") + advice(sqlstate);
  if (sqlstate == "53300") throw NotNow(kind_of(sqlstate), message, Unavailable::full);
  if (sqlstate == "57P03") throw NotNow(kind_of(sqlstate), message, Unavailable::starting);
  if (heals(sqlstate)) throw base::Transient(kind_of(sqlstate), message);
  throw SqlError(kind_of(sqlstate), message, sqlstate, row.empty() ? reason : reason + ": " + one_line(row), inside);
}

void throw_connect(const std::string& where, const std::string& text, bool encrypting) {
  const std::string state = sqlstate_in(text);
  std::string first = one_line(std::string_view(text).substr(0, text.find("\nLOCATION:")));
  if (!state.empty()) {
    const size_t at = first.find(state + ": ");
    if (at != std::string::npos) first = first.substr(at + state.size() + 2);
  }
  // A connection that broke off just then says nothing of either. libpq has one language here: nobody sets a locale.
  const auto says = [&](const char* word) { return first.find(word) != std::string::npos; };
  if (state.empty() && encrypting && (says("SSL") || says("certificate")))
    throw NotNow(
        Exit::unreachable,
        where + ": " + first + "; mend ssl = on and the certificate there, or sslmode and sslrootcert in database_url",
        Unavailable::encryption);
  throw_sql(where, state, first);
}

}  // namespace pg
