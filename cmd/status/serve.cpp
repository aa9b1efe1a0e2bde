#include "status/serve.hpp"

#include "http/serve.hpp"

namespace status {

void add_serve(cli::Tool& tool) {
  tool.command("serve", "the HTTP API, metrics and a page, on the ports of api.ports, until stopped",
               [](const config::Settings& settings) {
                 http::serve(settings);
                 return base::Exit::done;
               });
}

}  // namespace status
