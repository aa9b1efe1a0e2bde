#include "apply/quarantine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "apply/row_keys.hpp"
#include "apply/target.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "change/writer.hpp"
#include "state/marks.hpp"

namespace apply {
namespace {

std::string row_name(const std::string& table, uint64_t key) { return table + '\n' + base::hex16(key); }

std::string relation_line(const change::Relation& relation) {
  std::string line;
  change::append_relation(line, relation);
  line.pop_back();
  return line;
}

}  // namespace

// The reader looks up to 64 bytes beyond a line.
HeldOperation::HeldOperation(const spool::DeadLetter& letter) : reader_("quarantine " + letter.id()) {
  std::string begin;
  change::append_begin(begin, letter.lsn, 1, 0);
  begin.pop_back();
  const change::Event* event = nullptr;
  for (const std::string* line : {&letter.relation, static_cast<const std::string*>(&begin), &letter.change}) {
    const std::string_view kept = {arena_.copy(*line + std::string(64, '\0')), line->size()};
    event = &reader_.read(kept, 1, arena_);
  }
  operation_ = {event->type, event->relation, event->key, event->row, letter.lsn, letter.ordinal};
}

Quarantine::Quarantine(const config::Settings& settings, const config::Node& node, const Tables& tables, bool enabled)
    : settings_(settings), node_(node), tables_(tables), enabled_(enabled) {}

void Quarantine::load(change::Lsn at) {
  added_.clear();
  gone_.clear();
  letters_.clear();
  told_apart_by_.clear();
  if (!enabled_) return;
  seen_ = spool::dead_changed(settings_.spool.directory);
  // A change within the clock's tick would look like this one: look again soon.
  if (std::filesystem::file_time_type::clock::now() - seen_ < std::chrono::milliseconds(50)) seen_ = {};
  for (spool::DeadLetter& letter : spool::dead_letters(settings_.spool.directory, node_.name)) {
    const change::Lsn there = tables_.position(letter.table, at);
    if (letter.lsn > there) {
      spool::remove_dead(settings_.spool.directory, letter, "not_committed");
      continue;
    }
    if (letter.superseded_by > there) {
      letter.superseded_by = {};
      spool::update_dead(settings_.spool.directory, letter);
    } else if (letter.superseded_by > change::Lsn()) {
      spool::remove_dead(settings_.spool.directory, letter, "superseded");
      continue;
    }
    know(*HeldOperation(letter).operation().relation);
    letters_.push_back(std::move(letter));
  }
  rebuild();
}

void Quarantine::know(const change::Relation& relation) {
  if (relation.key.empty()) return;
  std::vector<std::vector<std::string>>& all = told_apart_by_[relation.text];
  std::vector<std::string> names = key_names(relation);
  if (std::find(all.begin(), all.end(), names) == all.end()) all.push_back(std::move(names));
}

// Under FULL the key is the whole row; what is held may know the row by less.
std::vector<uint64_t> Quarantine::keys_of(const Operation& operation) const {
  const auto found = told_apart_by_.find(operation.relation->text);
  if (operation.relation->identity != change::Identity::full || found == told_apart_by_.end())
    return row_keys(operation);
  std::vector<uint64_t> out;
  for (const std::vector<std::string>& columns : found->second)
    for (const uint64_t key : row_keys(operation, columns)) out.push_back(key);
  return out;
}

void Quarantine::look(change::Lsn at) {
  if (enabled_ && spool::dead_changed(settings_.spool.directory) != seen_) load(at);
}

void Quarantine::retried(const spool::DeadLetter& letter, const std::string& refusal, const std::string& conflicts) {
  const std::string what = node_.name + ": operation " + letter.id() + " on " + letter.table;
  if (refusal.empty()) {
    spool::remove_dead(settings_.spool.directory, letter, "applied");
    base::log(base::Level::info, what + " is out of quarantine" +
                                     (conflicts.empty() ? " and on the standby" : "; conflicts: " + conflicts));
    std::erase_if(letters_, [&](const spool::DeadLetter& other) { return other.id() == letter.id(); });
  } else {
    spool::DeadLetter again = letter;
    again.retry = false;
    again.message = refusal;
    spool::update_dead(settings_.spool.directory, again);
    base::log(base::Level::error, what + " stays in quarantine: " + refusal);
    for (spool::DeadLetter& other : letters_)
      if (other.id() == letter.id()) other = again;
  }
  rebuild();
}

void Quarantine::rebuild() {
  rows_.clear();
  for (size_t i = 0; i < letters_.size(); ++i)
    for (const uint64_t key : letters_[i].keys) rows_[row_name(letters_[i].table, key)].push_back(i);
}

const spool::DeadLetter* Quarantine::first_of(const Operation& operation) const {
  if (letters_.empty()) return nullptr;
  const spool::DeadLetter* first = nullptr;
  for (const uint64_t key : keys_of(operation)) {
    const auto found = rows_.find(row_name(operation.relation->text, key));
    if (found == rows_.end()) continue;
    const spool::DeadLetter* letter = &letters_[found->second.front()];
    if (first == nullptr || letter < first) first = letter;
  }
  return first;
}

std::string Quarantine::held(const Operation& operation) const {
  const spool::DeadLetter* letter = first_of(operation);
  return letter == nullptr ? std::string() : letter->id();
}

bool Quarantine::touches(const Prepared& prepared) const {
  if (letters_.empty()) return false;
  return std::any_of(prepared.piece.operations.begin(), prepared.piece.operations.end(),
                     [this](const Operation& operation) { return first_of(operation) != nullptr; });
}

bool Quarantine::moved(const Operation& operation) const {
  for (const uint64_t key : keys_of(operation)) {
    const auto found = rows_.find(row_name(operation.relation->text, key));
    if (found == rows_.end()) continue;
    for (const size_t i : found->second)
      if (letters_[i].keys.size() > 1) return true;
  }
  return false;
}

void Quarantine::hold(const Operation& operation, const std::string& sqlstate, const std::string& message,
                      const std::string& present) {
  if (letters_.size() >= static_cast<uint64_t>(settings_.spool.max_dead))
    throw Unfit("operation " + id_of(operation) + " on " + operation.relation->text + ": " + message + "; " +
                std::to_string(letters_.size()) +
                " operations are in quarantine and spool.max_dead allows no more: see " +
                "pgtandem queue dead list, mend what refuses them, and retry or drop them");
  spool::DeadLetter letter;
  letter.node = node_.name;
  letter.lsn = operation.lsn;
  letter.ordinal = operation.ordinal;
  letter.table = operation.relation->text;
  letter.type = type_name(operation.type);
  letter.sqlstate = sqlstate;
  letter.message = message;
  letter.relation = relation_line(*operation.relation);
  letter.change = line_of(operation);
  letter.present = present;
  letter.keys = row_keys(operation);
  know(*operation.relation);
  letter.time = base::unix_microseconds();
  added_.push_back(letter);
  letters_.push_back(std::move(letter));
  for (const uint64_t key : letters_.back().keys)
    rows_[row_name(letters_.back().table, key)].push_back(letters_.size() - 1);
}

template <class Which>
void Quarantine::release(change::Lsn by, const Which& which) {
  const auto rest = std::stable_partition(letters_.begin(), letters_.end(),
                                          [&](const spool::DeadLetter& letter) { return !which(letter); });
  for (auto letter = rest; letter != letters_.end(); ++letter) {
    // One that this very batch has put here was never written.
    if (std::erase_if(added_, [&](const spool::DeadLetter& other) { return other.id() == letter->id(); }) > 0) continue;
    letter->superseded_by = by;
    gone_.push_back(std::move(*letter));
  }
  letters_.erase(rest, letters_.end());
  rebuild();
}

void Quarantine::supersede(const Operation& operation) {
  const std::vector<uint64_t> keys = keys_of(operation);
  release(operation.lsn, [&](const spool::DeadLetter& letter) {
    return letter.table == operation.relation->text && std::any_of(keys.begin(), keys.end(), [&](uint64_t key) {
             return std::find(letter.keys.begin(), letter.keys.end(), key) != letter.keys.end();
           });
  });
}

void Quarantine::supersede(const base::TableName& table, change::Lsn by) {
  if (letters_.empty()) return;
  release(by, [&](const spool::DeadLetter& letter) { return letter.table == table.text(); });
}

void Quarantine::before_commit() {
  for (const spool::DeadLetter& letter : added_) {
    spool::put_dead(settings_.spool.directory, letter);
    spool::audit_dead(settings_.spool.directory, letter, "quarantined");
    state::mark_table(settings_.state_directory, node_.name, letter.table, "quarantine: operation " + letter.id(),
                      letter.id());
  }
  for (const spool::DeadLetter& letter : gone_) spool::update_dead(settings_.spool.directory, letter);
}

void Quarantine::committed() {
  for (const spool::DeadLetter& letter : added_)
    base::log(base::Level::error, node_.name + ": operation " + letter.id() + " on " + letter.table +
                                      " is in quarantine: " + letter.message + "; see pgtandem queue dead show " +
                                      letter.id());
  for (const spool::DeadLetter& letter : gone_) {
    spool::remove_dead(settings_.spool.directory, letter, "superseded");
    base::log(base::Level::info, node_.name + ": operation " + letter.id() + " on " + letter.table +
                                     " leaves quarantine: a later change brought all of its row");
  }
  added_.clear();
  gone_.clear();
}

void Quarantine::take_back() {
  std::erase_if(letters_, [this](const spool::DeadLetter& letter) {
    return std::any_of(added_.begin(), added_.end(),
                       [&](const spool::DeadLetter& added) { return added.id() == letter.id(); });
  });
  for (spool::DeadLetter& letter : gone_) {
    letter.superseded_by = {};
    letters_.push_back(std::move(letter));
  }
  std::stable_sort(letters_.begin(), letters_.end(), [](const spool::DeadLetter& a, const spool::DeadLetter& b) {
    return std::pair(a.lsn, a.ordinal) < std::pair(b.lsn, b.ordinal);
  });
  added_.clear();
  gone_.clear();
  rebuild();
}

std::string Quarantine::waits(const spool::DeadLetter& letter) const {
  for (const uint64_t key : letter.keys) {
    const auto found = rows_.find(row_name(letter.table, key));
    if (found == rows_.end() || letters_[found->second.front()].id() == letter.id()) continue;
    return "waits for operation " + letters_[found->second.front()].id() + " on the same row";
  }
  return {};
}

std::vector<spool::DeadLetter> Quarantine::to_retry() const {
  std::vector<spool::DeadLetter> out;
  for (const spool::DeadLetter& letter : letters_)
    if (letter.retry) out.push_back(letter);
  return out;
}

}  // namespace apply
