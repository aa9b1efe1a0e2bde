// A node's connection as a service (libpq's pg_service.conf), for a program that is run and would show a password in
// its arguments. Pure.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace pg {

// Of the one service `name`; holds the password, so the file has to be for the owner's eyes. Throws Error(config) for a
// database_url that is no connection string, or has a value that no such file can hold.
std::string service_file(const config::Node& node, const std::string& name);

}  // namespace pg
