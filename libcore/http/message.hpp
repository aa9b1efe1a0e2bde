// A request's head and an answer as plain values. Owns their shape and the fields that every answer carries; knows no
// socket and no library. For http's own files, and its tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

// What is asked, before any of the body. Fields are as sent; of a field that came twice both values are there.
struct Request {
  std::string method = {};
  std::string path = {};  // as sent, nothing decoded, without what follows a "?"
  std::vector<std::string> host = {};
  std::vector<std::string> origin = {};
  std::vector<std::string> fetch_site = {};     // Sec-Fetch-Site: what a browser says of where the request comes from
  std::vector<std::string> authorization = {};  // HOLDS THE TOKEN, perhaps
  std::string peer = {};                        // the address that it came from, for the record of who did what
  bool is_read() const { return method == "GET" || method == "HEAD"; }
};

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  Fields fields = {};  // beside those that every answer has
};

// {"status":"error","code":…,"message":…}
Answer refusal(int status, std::string_view message, Fields fields = {});
// {"status":"success","message":…}
Answer success(std::string_view message);
// The same with "run" and "already_running": of the run that was asked for, or was there before.
Answer success(std::string_view message, std::string_view run, bool already_running);

// Of every answer, whatever it holds: nothing is kept, framed, sniffed or read by another site's page.
const Fields& common_fields();

}  // namespace http
