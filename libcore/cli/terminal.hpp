// What standard output can show: whether it is a terminal, how large, and whether in colours. NO_COLOR (of any value),
// PG_COLOR (always, never) and TERM=dumb are respected. Looks only.
#pragma once

#include <cstddef>

namespace cli {

size_t terminal_width(int fd);   // columns; 80 where there is no telling
size_t terminal_height(int fd);  // rows; 24 where there is no telling
bool is_terminal(int fd);
bool wants_colour(int fd);

}  // namespace cli
