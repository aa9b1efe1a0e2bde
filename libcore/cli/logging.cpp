#include "cli/logging.hpp"

#include <fcntl.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace cli {
namespace {

// One write(2) a line: lines of threads and of processes that append to one file then never mix. What cannot be written
// is lost; a full disk under the log must not stop the sync.
class FdSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FdSink(base::Fd own) : own_(std::move(own)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    spdlog::memory_buf_t line;
    formatter_->format(msg, line);
    try {
      base::write_all(own_ ? own_.get() : STDERR_FILENO, {line.data(), line.size()}, "the log");
    } catch (const base::Error&) {
    }
  }
  void flush_() override {}

 private:
  base::Fd own_;  // none: stderr
};

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::warn:
      return "warn";
    case spdlog::level::err:
      return "error";
    default:
      return "info";
  }
}

std::string text_line(std::string_view time, std::string_view level, std::string_view tool, std::string_view message) {
  std::string line(time);
  line += ' ';
  line += level;
  line.append(level.size() < 6 ? 6 - level.size() : 1, ' ');
  return line.append(tool) + ": " + escape_controls(message) + '\n';
}

std::string json_line(std::string_view time, std::string_view level, std::string_view tool, std::string_view message) {
  const nlohmann::ordered_json object = {{"time", time}, {"level", level}, {"tool", tool}, {"message", message}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::string milliseconds(int64_t unix_us) { return base::iso_time(unix_us).substr(0, 23) + "Z"; }

class LineFormatter : public spdlog::formatter {
 public:
  LineFormatter(std::string tool, bool json) : tool_(std::move(tool)), json_(json) {}

  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(msg.time.time_since_epoch()).count();
    const std::string_view message(msg.payload.data(), msg.payload.size());
    const std::string line =
        (json_ ? json_line : text_line)(milliseconds(since), level_name(msg.level), tool_, message);
    dest.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(tool_, json_); }

 private:
  std::string tool_;
  bool json_;
};

spdlog::level::level_enum spdlog_level(base::Level level) {
  switch (level) {
    case base::Level::debug:
      return spdlog::level::debug;
    case base::Level::info:
      return spdlog::level::info;
    case base::Level::warn:
      return spdlog::level::warn;
    case base::Level::error:
      break;
  }
  return spdlog::level::err;
}

bool stderr_is_json = false;
bool logs_to_file = false;

}  // namespace

std::string escape_controls(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < ' ' || c == 0x7F) {
      out += std::string("\\x") + digits[c >> 4] + digits[c & 15];
    } else if (c == 0xC2 && next >= 0x80 && next < 0xA0) {  // the C1 controls; a terminal obeys these too
      out += std::string("\\x") + digits[next >> 4] + digits[next & 15];
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

void start_logging(const LogOptions& options) {
  base::Fd file;
  if (!options.file.empty()) file = base::open_file(options.file, O_WRONLY | O_CREAT | O_APPEND, 0640);
  logs_to_file = static_cast<bool>(file);
  stderr_is_json = options.format == "json" && !logs_to_file;

  const auto logger = std::make_shared<spdlog::logger>(options.tool, std::make_shared<FdSink>(std::move(file)));
  logger->set_formatter(std::make_unique<LineFormatter>(options.tool, options.format == "json"));
  logger->set_level(options.level == "debug"   ? spdlog::level::debug
                    : options.level == "warn"  ? spdlog::level::warn
                    : options.level == "error" ? spdlog::level::err
                                               : spdlog::level::info);
  base::set_log_listener([logger](base::Level level, std::string_view line) {
    logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  });
}

void print_failure(const std::string& tool, std::string_view message) {
  if (logs_to_file || stderr_is_json) base::log(base::Level::error, std::string(message));
  if (stderr_is_json) return;
  try {
    base::write_all(STDERR_FILENO, tool + ": " + escape_controls(message) + "\n", "stderr");
  } catch (const base::Error&) {
  }
}

}  // namespace cli
