// What `database_url` may be, in the forms that libpq and SQLAlchemy know. Owns reading it and hiding its secrets
// (config::redact(), in settings.hpp); never connects, and never repeats any of the text in a reason.
#pragma once

#include <string>
#include <string_view>

namespace config {

// Makes of `text` what libpq takes: blanks around it and a SQLAlchemy "+driver" go. False, with the reason in `why`,
// for what is no address of PostgreSQL, and for an unescaped @ or / in a password: libpq would take the rest of the
// password for a host or port, and quote it in its error message.
bool normalize_url(std::string_view text, std::string& url, std::string& why);

}  // namespace config
