// database_url: the forms it takes, and that no form of it ever shows its password.
#include <catch2/catch.hpp>

#include "config/settings.hpp"
#include "config/url.hpp"

using Catch::Matchers::Contains;

namespace {

std::string normalized(const std::string& text) {
  std::string url;
  std::string why;
  return config::normalize_url(text, url, why) ? url : "refused: " + why;
}

struct Shape {
  std::string url;
  std::string shown;
};

// "hunter" and "ter2" are the ends of every password here.
const std::vector<Shape> shapes = {
    // well-formed
    {"postgresql://u:hunter2@h:5432/d", "postgresql://u:***@h:5432/d"},
    {"postgres://u:hunter2@h/d", "postgres://u:***@h/d"},
    {"postgresql+psycopg2://u:hunter2@h/d", "postgresql+psycopg2://u:***@h/d"},
    {"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
    {"postgresql://h:5432/d", "postgresql://h:5432/d"},
    {"postgresql://:hunter2@h/d", "postgresql://:***@h/d"},
    {"postgresql://u:@h/d", "postgresql://u:***@h/d"},
    {"postgresql:///d", "postgresql:///d"},
    {"postgresql://", "postgresql://"},
    {"postgresql://u:hunter2@/d?host=/run/pg", "postgresql://u:***@/d?host=/run/pg"},
    {"postgresql://u:hunter2@[::1]:5432/d", "postgresql://u:***@[::1]:5432/d"},
    {"postgresql://[2001:db8::1]/d", "postgresql://[2001:db8::1]/d"},
    {"postgresql://u:hunter2@h1:1,h2:2/d?target_session_attrs=any",
     "postgresql://u:***@h1:1,h2:2/d?target_session_attrs=any"},
    {"postgresql://h/d?user=u&password=hunter2&sslmode=require",
     "postgresql://h/d?user=u&password=***&sslmode=require"},
    {"postgresql://h/d?password=hunter2", "postgresql://h/d?password=***"},
    {"postgresql://h/d?password=hun@ter2&user=u", "postgresql://h/d?password=***&user=u"},
    {"postgresql://h/d?sslpassword=hunter2&sslkey=/k", "postgresql://h/d?***=***&sslkey=/k"},
    {"postgresql://u@h/d?application_name=me@x", "postgresql://u@h/d?application_name=me@x"},
    {"postgresql://u@h/d?options=-csearch_path%3Dx", "postgresql://u@h/d?options=-csearch_path%3Dx"},
    // percent-encoded
    {"postgresql://u:hunter%402@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u%3Ahunter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u%3ahunter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://h/d?pass%77ord=hunter2", "postgresql://h/d?password=***"},
    {"postgresql://h/d?options=-c%20my.password%3Dhunter2", "postgresql://h/d?options=***"},
    {"postgresql://h/d?host=x%3Bpassword%3Dhunter2", "postgresql://h/d?host=***"},
    // malformed
    {"postgresql://u:hun@ter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u:hun/ter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u:hun:ter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u:hun?ter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u:hun#ter2@h/d", "postgresql://u:***@h/d"},
    {"postgresql://u:hun@ter2?x@h/d", "postgresql://***"},
    {"postgresql://u:hun/x?ter2@h/d", "postgresql://***"},
    {"postgresql://u:hunter2", "postgresql://u:***"},
    {"postgresql://u:hunter2/d", "postgresql://u:***"},
    {"postgresql://h?password=hunter2", "postgresql://h?password=***"},
    {"postgresql://h?password=hun@ter2", "postgresql://***@ter2"},
    {"postgresql://h/d?password=hun&ter2", "postgresql://***"},
    {"postgresql://h/d?sslmode=require;password=hunter2", "postgresql://h/d?sslmode=***"},
    {"postgresql://h/d?Password=hunter2", "postgresql://h/d?***=***"},
    {"postgresql://h/d?pasword=hunter2", "postgresql://h/d?***=***"},
    {"postgresql://h/d;password=hunter2", "postgresql://h/***"},
    {"postgresql://u:hunter%2@h/d", "postgresql://u:***@h/d"},
    {"u:hunter2@h/d", "***"},
    {"hunter2", "***"},
    {"", "***"},
    {"  postgresql://u:hunter2@h/d\n", "postgresql://u:***@h/d"},
    // keyword strings
    {"host=h user=u password=hunter2 dbname=d", "host=h user=u password=*** dbname=d"},
    {"service=x", "service=x"},
    {"password = hunter2 host = h", "password=*** host=h"},
    {"password='hunter2' host=h", "password=*** host=h"},
    {"password='hun ter2' host=h", "password=*** host=h"},
    {"password='it\\'s hunter2' host='a b'", "password=*** host='a b'"},
    {"password=hun\\ ter2 host=h", "password=*** host=h"},
    {"host=h password='hunter2", "host=h ***"},
    {"host=h password='hun'ter2 host=hunter2", "host=h ***"},
    {"password=hun ter2 host=h", "password=*** ***"},
    {"host=h pasword=hunter2", "host=h pasword=***"},
    {"host=h sslpassword=hunter2", "host=h sslpassword=***"},
    {"Server=h;Password=hunter2", "Server=***"},
    {"host=h;password=hunter2", "host=***"},
    {"dbname=postgresql://u:hunter2@h/d", "dbname=***"},
    {"options='-c my.secret=hunter2' host=h", "options=*** host=h"},
    {"options='-c search_path=x' host=h", "options='-c search_path=x' host=h"},
    {"u:hunter2=x@h", "***"},
};

}  // namespace

TEST_CASE("a database_url is shown without its password, in every shape") {
  REQUIRE(shapes.size() >= 30);
  for (const Shape& shape : shapes) {
    INFO(shape.url);
    CHECK(config::redact(shape.url) == shape.shown);
    CHECK_THAT(config::redact(shape.url), !Contains("hunter"));
  }
}

TEST_CASE("no reason to refuse a database_url repeats any of it") {
  for (const Shape& shape : shapes) {
    INFO(shape.url);
    const std::string answer = normalized(shape.url);
    if (answer.rfind("refused: ", 0) == 0) {
      CHECK_THAT(answer, !Contains("hunter") && !Contains("ter2"));
    }
  }
}

TEST_CASE("what is shown never holds a password that stands anywhere in the text") {
  // Every place of a marked word among the signs that have a meaning.
  const std::vector<std::string> parts = {"postgresql://", "u", ":", "@", "h", "/", "?", "=", "&", " ", "'",
                                          "password"};
  size_t seen = 0;
  for (const std::string& a : parts) {
    for (const std::string& b : parts) {
      for (const std::string& c : parts) {
        for (const std::string& text :
             {"postgresql://u:" + a + "S3CRET" + b + c + "@h/d", "postgresql://u:S3CRET" + a + b + c + "@h/d?sslmode=x",
              "password='" + (a + b == "'" ? "" : a) + "S3CRET host=h", "host=h password=S3CRET" + a + b + c}) {
          if (text.find("'S3CRET'") != std::string::npos) continue;
          ++seen;
          INFO(text);
          CHECK_THAT(config::redact(text), !Contains("S3CRET"));
        }
      }
    }
  }
  CHECK(seen > 5000);
}

TEST_CASE("a database_url takes what libpq and SQLAlchemy take") {
  CHECK(normalized("postgresql://u:p@h:5432/d") == "postgresql://u:p@h:5432/d");
  CHECK(normalized("postgres://u:p@h/d") == "postgres://u:p@h/d");
  CHECK(normalized("postgresql+psycopg2://u:p@h/d") == "postgresql://u:p@h/d");
  CHECK(normalized("postgresql+asyncpg://u:a+b@h/d?x=1") == "postgresql://u:a+b@h/d?x=1");
  CHECK(normalized("postgres+psycopg://h/d") == "postgres://h/d");
  CHECK(normalized("  postgresql://h/d\n") == "postgresql://h/d");
  CHECK(normalized("postgresql:///d?host=/run/pg&port=5433") == "postgresql:///d?host=/run/pg&port=5433");
  CHECK(normalized("postgresql://u:p@[::1]:5432,h2:5433/d") == "postgresql://u:p@[::1]:5432,h2:5433/d");
  CHECK(normalized("postgresql://u:a%40b%2Fc@h/d") == "postgresql://u:a%40b%2Fc@h/d");
  CHECK(normalized("postgresql://u:a?b#c:d@h/d") == "postgresql://u:a?b#c:d@h/d");
  CHECK(normalized("service=image_crawler") == "service=image_crawler");
  CHECK(normalized("host=h dbname=d password='it\\'s'") == "host=h dbname=d password='it\\'s'");
  CHECK(normalized("host = /run/pg  user=u") == "host = /run/pg  user=u");
}

TEST_CASE("what libpq would take apart wrongly, and then quote in its error, is refused") {
  for (const char* const wrong :
       {"postgresql://u:a@b@h/d", "postgresql://u:a/b@h/d", "postgresql://u:secret", "postgresql://u:p%zz@h/d",
        "postgresql://h/d?password", "postgresql://u:p%00@h/d", "postgresql://[::1/d", "mysql://u:p@h/d",
        "sqlite:///x.db", "mysql+pymysql://h/d", "h:5432/d", "", "   ", "host=h password='x", "host=h password", "=x",
        "postgresql://u:p@h/d\nhost=x"}) {
    INFO(wrong);
    CHECK_THAT(normalized(wrong), Contains("refused: ") && Contains("; "));
  }
}
