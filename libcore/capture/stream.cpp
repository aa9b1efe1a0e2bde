#include "capture/stream.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "capture/catalog.hpp"
#include "capture/decoder.hpp"
#include "capture/filter.hpp"
#include "capture/link.hpp"
#include "capture/outlet.hpp"
#include "change/reader.hpp"
#include "change/writer.hpp"
#include "pg/error.hpp"
#include "pg/replication.hpp"
#include "spool/mark.hpp"
#include "state/gate.hpp"
#include "state/tool_record.hpp"

namespace capture {
namespace {

using change::Lsn;

constexpr size_t chunk = 256 << 10;    // bytes handed to the outlet at once: few locks, little delay
constexpr double gather_for = 0.001;   // s between looks at a busy stream: what is woken costs more than what is read
constexpr double feedback_every = 1;   // s; far below any sane wal_sender_timeout, and WAL is freed soon
constexpr double keepalive_every = 1;  // s between lines that only move an idle position
constexpr double look_every = 10;  // s between looks at the publication: no message tells of a table dropped from it
constexpr double tell_every = 60;  // s between lines on what a filter's program keeps
constexpr double settle_every = 0.02;  // s between looks at the mark at the end of a pass

}  // namespace

class Stream::State {
 public:
  State(const config::Settings& settings, const config::Node& primary, std::optional<Lsn>& target, bool to_now,
        Outlet& outlet, base::Backoff& backoff, state::Gate* gate, state::ToolRecord& record)
      : settings_(settings),
        target_(target),
        backoff_(backoff),
        record_(record),
        outlet_(outlet),
        gate_(gate),
        session_(primary, {.purpose = "pgtandem capture", .answer_timeout = settings.synchronization.sync_timeout}),
        walsender_(open_walsender(settings, primary)),
        any_bytes_(takes_any_bytes(session_)),
        catalog_(session_),
        decoder_({[this](uint32_t type) { return catalog_.type_name(type); },
                  [this](uint32_t table, change::Relation& relation) { catalog_.describe(table, relation); },
                  any_bytes_}) {
    if (!settings.filters.program.empty())
      filter_ = std::make_unique<Filter>(settings.filters.program, settings.synchronization.sync_timeout);
    const spool::Mark mark = check(settings, session_, *walsender_);
    // Else the server would end the stream at such a text, and not say where it is; the decoder does.
    if (any_bytes_) walsender_->query("SET client_encoding = 'SQL_ASCII'");
    durable_ = sent_ = mark.lsn;
    if (to_now && !target) target = pg::identify_system(*walsender_).flushed;
    change::append_source(lines_, mark.source, mark.lsn);
    // Where all of it is written already no word is waited for: the server tells where it is only to who says that he
    // is not there yet (walsender.c, WalSndWaitForWal), else not before half of wal_sender_timeout.
    reached_ = target && *target <= mark.lsn;
    hand_over();
    stream_ = std::make_unique<pg::ReplicationStream>(*walsender_, mark.source.slot, mark.source.slot, mark.lsn);
    heard_ = looked_ = base::monotonic_seconds();
  }

  // What stops the stream for good comes behind whole transactions: these go on first, for the way out of it begins
  // with using up the spool.
  void pump() try { pump_on(); } catch (const base::Transient&) {
    throw;
  } catch (const base::Error&) {
    if (!filter_) {
      outlet_.put(lines_);
      outlet_.close(settings_.synchronization.sync_timeout);
    }
    throw;
  }

  void settle() {
    const double patience = base::stop_requested() ? 1 : settings_.synchronization.sync_timeout;
    double deadline = base::monotonic_seconds() + patience;
    while (!outlet_.close(settle_every)) {
      if (base::monotonic_seconds() - fed_back_ >= feedback_every) feedback();
      if (!base::stop_requested()) deadline = base::monotonic_seconds() + patience;
      if (base::monotonic_seconds() > deadline) return;
    }
    feedback();
    while (durable_ < sent_ && base::monotonic_seconds() < deadline &&
           spool::writer_running(settings_.spool.directory)) {
      if (base::sleep_or_stop(settle_every)) break;
      feedback();
    }
  }

 private:
  void pump_on() {
    while (!reached_ && !base::stop_requested()) {
      const bool full = outlet_.full() || (filter_ && filter_->full());
      if (full != was_full_) base::log(base::Level::debug, full ? "what reads is slow: waiting" : "what reads goes on");
      was_full_ = full;
      const bool still = full || waits_for_switch();
      const bool more = !still && (take_messages() || reached_ || more_arrived());
      if (!more || filter_) hand_over();
      const double now = base::monotonic_seconds();
      if (now - fed_back_ >= feedback_every || reply_wanted_) feedback();
      if (now - looked_ >= look_every) look();
      if (more) continue;
      // Silence can be a long decoding: ask before giving the server up, and only then.
      if (!still && now - heard_ > 4 * settings_.synchronization.sync_timeout)
        throw base::Transient(base::Exit::unreachable, walsender_->where("stream") + ": the server is silent");
      wait(still);
    }
    hand_over();
    while (filter_ && !filter_->idle() && !base::stop_requested()) {
      if (base::monotonic_seconds() - fed_back_ >= feedback_every) feedback();
      wait(true);
      hand_over();
    }
    if (filter_) filter_->tell();
  }

  // Decodes what has arrived, up to a chunk; false when nothing more is there now.
  bool take_messages() {
    for (;;) {
      const pg::StreamMessage message = next_message();
      switch (message.kind) {
        case pg::StreamMessage::Kind::none:
          return false;
        case pg::StreamMessage::Kind::end:
          return false;
        case pg::StreamMessage::Kind::keepalive:
          reply_wanted_ = reply_wanted_ || message.reply_wanted;
          keepalive(message.server_end);
          break;
        case pg::StreamMessage::Kind::data:
          data(message.data);
          break;
      }
      if (reached_) return false;
      if (lines_.size() >= chunk) {
        hand_over();
        return true;
      }
      if (filter_ && filter_->full()) return true;
    }
  }

  // A character of the database's encoding that UTF-8 lacks: the server ends the stream at it, with no word on its
  // place.
  pg::StreamMessage next_message() try { return stream_->next(); } catch (const pg::SqlError& refused) {
    if (refused.sqlstate() != "22P05" && refused.sqlstate() != "22021") throw;
    const std::string place = decoder_.in_transaction() ? "after change " + std::to_string(decoder_.changes()) +
                                                              " of the transaction " + decoder_.commit_lsn().text()
                                                        : "in the transaction after " + sent_.text();
    throw refused.saying(std::string(refused.what()) + ", " + place +
                         "; UPDATE that text on the primary; the WAL keeps what was written before, and no capture "
                         "gets past it, so then " +
                         begin_again);
  }

  // While sync is disabled the primary is left unread, as where the reader is slow: its WAL waits, and it hears of us.
  bool waits_for_switch() {
    const bool waits = gate_ != nullptr && !gate_->open_as(session_.node());
    if (std::exchange(was_waiting_, waits) && !waits) heard_ = base::monotonic_seconds();
    return waits;
  }

  // Takes what the socket has, if it has anything.
  bool more_arrived() {
    pollfd fd{stream_->socket(), POLLIN, 0};
    if (::poll(&fd, 1, 0) <= 0) return false;
    stream_->receive();
    heard_ = base::monotonic_seconds();
    return true;
  }

  void data(std::string_view message) {
    const Lsn commit = Decoder::begins(message);
    if (target_ && commit.value != 0 && commit >= *target_) {
      idle_at(*target_);
      reached_ = true;
      return;
    }
    const size_t before = lines_.size();
    const Decoder::Step step = decode(message);
    if (step == Decoder::Step::commit) {
      sent_ = decoder_.end_lsn();
      backoff_.succeeded();
      record_.did(decoder_.changes());
    }
    if (const size_t size = lines_.size() - before; size > change::max_line) {
      lines_.resize(before);
      throw base::Error(base::Exit::data, "a row of " + std::to_string(size) + " bytes in the transaction " +
                                              decoder_.commit_lsn().text() +
                                              " is longer than a line may be; make it smaller on the primary, or leave "
                                              "its table out of sync_tables and begin again");
    }
    if (filter_) filter(step, before);
  }

  // Of a message that is refused nothing stays.
  Decoder::Step decode(std::string_view message) {
    const size_t before = lines_.size();
    try {
      return decoder_.decode(message, lines_);
    } catch (const base::Error&) {
      lines_.resize(before);
      throw;
    }
  }

  // The lines of one message, which start at `from`, go through the program, or around it.
  void filter(Decoder::Step step, size_t from) {
    const std::string_view lines = std::string_view(lines_).substr(from);
    filter_->mark(std::string_view(lines_).substr(0, from));
    switch (step) {
      case Decoder::Step::begin:
        filter_->begin(lines);
        break;
      case Decoder::Step::commit:
        filter_->commit(decoder_.commit_lsn(), decoder_.end_lsn());
        break;
      case Decoder::Step::inside: {  // the shape of its table may stand before it
        const size_t before = lines.rfind('\n', lines.size() - 2);
        const size_t start = before == std::string_view::npos ? 0 : before + 1;
        filter_->mark(lines.substr(0, start));
        filter_->change(lines.substr(start), decoder_.commit_lsn(), decoder_.changes());
        break;
      }
      case Decoder::Step::other:
        filter_->mark(lines);
        break;
    }
    lines_.clear();
  }

  // Everything up to `server_end` was sent to us; between transactions that is progress, also on an idle table.
  void keepalive(Lsn server_end) {
    if (decoder_.in_transaction()) return;
    reached_ = target_ && server_end >= *target_;
    const double now = base::monotonic_seconds();
    if (server_end <= sent_ || (!reached_ && now - kept_alive_ < keepalive_every)) return;
    kept_alive_ = now;
    idle_at(server_end);
  }

  void idle_at(Lsn lsn) {
    if (lsn <= sent_) return;
    change::append_keepalive(lines_, lsn, base::unix_microseconds());
    sent_ = lsn;
  }

  void hand_over() {
    if (filter_) {
      filter_->mark(lines_);
      lines_.clear();
      filter_->step(lines_, reached_);
    }
    if (!lines_.empty()) handed_ = base::monotonic_seconds();
    outlet_.put(lines_);
  }

  void feedback() {
    if (const std::optional<spool::Mark> mark = spool::read_mark(settings_.spool.directory))
      durable_ = std::max(durable_, mark->lsn);
    fed_back_ = base::monotonic_seconds();
    const bool ask = !was_waiting_ && fed_back_ - heard_ > settings_.synchronization.sync_timeout;
    stream_->feedback(std::max(sent_, durable_), durable_, ask);
    reply_wanted_ = false;
  }

  void look() {
    check_published(settings_, session_);
    if (filter_ && told_ + tell_every < base::monotonic_seconds()) {
      filter_->tell();
      told_ = base::monotonic_seconds();
    }
    looked_ = base::monotonic_seconds();
  }

  // `still`: whatever the primary sends stays where it is.
  void wait(bool still) {
    const double now = base::monotonic_seconds();
    if (!still && handed_ + gather_for > now)
      std::this_thread::sleep_for(std::chrono::duration<double>(handed_ + gather_for - now));
    double until = fed_back_ + feedback_every - now;
    if (gate_ != nullptr) until = std::min(until, state::Gate::look_every);
    const double due = filter_ ? filter_->due_in() : -1;
    if (due >= 0) until = std::min(until, due);
    pollfd fds[5] = {{still ? -1 : stream_->socket(), POLLIN, 0},
                     {base::stop_fd(), POLLIN, 0},
                     {still ? outlet_.wake_fd() : -1, POLLIN, 0},
                     {outlet_.fd(), 0, 0},
                     {filter_ ? filter_->wake_fd() : -1, POLLIN, 0}};
    ::poll(fds, 5, std::max(1, static_cast<int>(until * 1000)));
    if (fds[0].revents != 0) more_arrived();
    if (fds[2].revents != 0) outlet_.drain();
    // While the stream is idle nothing is written that would tell.
    if ((fds[3].revents & POLLERR) != 0 && !base::stop_requested()) Outlet::reader_gone();
  }

  const config::Settings& settings_;
  const std::optional<Lsn>& target_;
  base::Backoff& backoff_;
  state::ToolRecord& record_;
  Outlet& outlet_;
  state::Gate* gate_;  // null: no switch counts
  pg::Session session_;
  std::unique_ptr<pg::Session> walsender_;
  std::unique_ptr<pg::ReplicationStream> stream_;
  const bool any_bytes_;  // of the primary's texts
  Catalog catalog_;
  Decoder decoder_;
  std::unique_ptr<Filter> filter_;  // none: every line goes on as it is
  std::string lines_;
  Lsn sent_;     // the end of the last whole transaction written, or an idle position after it
  Lsn durable_;  // what the spool's mark says; never more is confirmed
  double heard_ = 0;
  double handed_ = 0;
  double fed_back_ = 0;
  double looked_ = 0;
  double told_ = 0;
  double kept_alive_ = 0;
  bool reply_wanted_ = false;
  bool reached_ = false;
  bool was_full_ = false;
  bool was_waiting_ = false;  // for the switch
};

Stream::Stream(const config::Settings& settings, const config::Node& primary, std::optional<Lsn>& target, bool to_now,
               Outlet& outlet, base::Backoff& backoff, state::Gate* gate, state::ToolRecord& record)
    : state_(std::make_unique<State>(settings, primary, target, to_now, outlet, backoff, gate, record)) {}

Stream::~Stream() = default;

void Stream::pump() { state_->pump(); }
void Stream::settle() { state_->settle(); }

}  // namespace capture
