// The rows that the stream touched since a table was proven, looked up on both sides at one cut: their keys come out of
// the spool, and each server counts them and adds up their digests, so that only sums travel. Owns how a change becomes
// keys, and the judgement that a table is better read as a whole. Memory is bounded by a batch. For the scrub.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "change/change.hpp"
#include "change/lsn.hpp"
#include "compare/comparison.hpp"
#include "compare/give_way.hpp"
#include "compare/sift.hpp"
#include "compare/touched_keys.hpp"
#include "config/settings.hpp"

namespace compare {

// A table whose touched rows are asked for.
struct TouchedTable {
  const Pairing* pairing = nullptr;
  change::Lsn since;       // what commits at or after it counts
  uint64_t rows = 0;       // about
  std::string whole = {};  // why it has to be read as a whole; empty: it need not
  uint64_t keys = 0;       // looked up, at the cut
};

class Touched {
 public:
  Touched(const config::Settings& settings, Comparison& comparison, GiveWay& way, Sift& sift)
      : settings_(settings), comparison_(comparison), way_(way), sift_(sift) {}

  void add(TouchedTable table);
  // To be called once. Throws as sessions do, Error(try_later) where a stop was requested, and as GiveWay.
  void look();
  const TouchedTable& of(const std::string& table) const { return tables_.at(table); }

 private:
  bool read(change::Lsn since);
  void take(const change::Event& event, change::Lsn commit);
  void look_up();

  const config::Settings& settings_;
  Comparison& comparison_;
  GiveWay& way_;
  Sift& sift_;
  std::map<std::string, TouchedTable> tables_;
  std::map<std::string, TouchedKeys> waiting_;
};

}  // namespace compare
