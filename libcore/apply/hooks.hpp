// Programs of the user's that are told what became of operations: on_sync_complete, on_failure, on_conflict. Owns a
// thread for each, which runs the program with what has gathered, a line of JSON an event. Nothing here makes the sync
// wait: what a slow or dead program does not take in time is dropped, counted and told. One thread calls.
#pragma once

#include <memory>
#include <string>

#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "config/settings.hpp"

namespace apply {

class Hooks {
 public:
  Hooks(const config::Settings& settings, const config::Node& node);
  ~Hooks();  // gives the programs the same few seconds for what is left

  // A piece that was written; its events come when its batch is committed.
  void add(const Piece& piece, const Results& results);
  void commit();
  void roll_back();
  // apply ends with an error that is of no operation.
  void failed(const std::string& error);

 private:
  std::string event(const std::string& id, const std::string& tables, const std::string& type,
                    const std::string& result, const std::string& error) const;
  struct Hook;
  std::unique_ptr<Hook> complete_;  // none where it is not configured
  std::unique_ptr<Hook> failure_;
  std::unique_ptr<Hook> conflict_;
  std::string node_;
};

}  // namespace apply
