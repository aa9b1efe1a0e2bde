// Figures as people read them: "2 h 5 min", a time of day. For texts only; programs get plain numbers. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/size_text.hpp"
#include "config/settings.hpp"
#include "report/snapshot.hpp"

namespace report {

std::string span_words(double seconds);  // "0.4 s", "12 s", "3 min", "2 h 5 min", "4 d 3 h"
using base::count_words;
std::string moment_words(const Time& time);  // "2026-11-23 04:05:06 UTC"; "never"
// " (since 2026-11-23 04:05:06 UTC)", where it is known and not said already.
std::string since_words(const Finding& finding);
double seconds_between(int64_t from, int64_t to);  // of microseconds; never below zero
const char* name_of(config::Role role);            // primary, secondary

}  // namespace report
