// The page for people: one file, page/page.html, which is a part of this program. Owns the policy that it is shown
// under: its own script and style and nothing else, no other place asked.
#pragma once

#include "http/message.hpp"

namespace http {

// With a nonce of its own: script and style that did not come with this very answer do not run.
Answer page_answer();

}  // namespace http
