// The bytes of page/page.html, put into the program when it is built (page/page_text.cpp.in). For page.cpp.
#pragma once

#include <string_view>

namespace http {

std::string_view page_text();

}  // namespace http
