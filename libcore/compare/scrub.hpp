// The proof of tables that were proven before, by as much as has to be read for it: the rows that the stream touched
// since, and those pieces of the key's range whose turn it is. Owns what of an older proof still counts, and what the
// new one says; whether a table is equal is the asker's to find out where this finds a difference. For verify.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compare/comparison.hpp"
#include "compare/give_way.hpp"
#include "compare/progress.hpp"
#include "compare/scrub_plan.hpp"
#include "compare/sift.hpp"
#include "compare/touched.hpp"
#include "config/settings.hpp"
#include "state/receipt.hpp"

namespace compare {

class Scrub {
 public:
  // `cut_us`: when the comparison's cut was made, microseconds since 1970. `before`: what is known of the standby's
  // tables. All that is used has to stay.
  Scrub(const config::Settings& settings, Comparison& comparison, int64_t cut_us, const std::string& node,
        const state::NodeReceipt& before, ProgressMeter& meter, GiveWay& way);

  // Reads what has to be read but for whole tables.
  void run();
  // Why the table has to be read as a whole, be it that something in it differs; empty: it is proven.
  const std::string& whole(const Pairing& pairing) const { return tables_.at(pairing.pair.relation.text).whole; }
  // Of one that is proven.
  state::ScrubProof proof(const Pairing& pairing) const { return tables_.at(pairing.pair.relation.text).proof; }
  // "20 rows that changed, 15000 others of about 1500000; every row since 2026-01-01T00:00:00.000000Z"
  std::string text(const Pairing& pairing) const;

 private:
  struct Table {
    const Pairing* pairing = nullptr;
    std::string whole;
    state::ScrubProof proof;
  };
  void begin(const Pairing& pairing, const state::NodeReceipt& before, bool is_marked);
  void look_touched();
  void prove_pieces();
  void prove(Table& table, size_t piece);
  void split_large(Table& table, size_t piece);
  ScrubLimits limits() const;

  const config::Settings& settings_;
  Comparison& comparison_;
  ProgressMeter& meter_;
  GiveWay& way_;
  Sift sift_;
  const int64_t cut_us_;
  std::map<std::string, Table> tables_;
};

// The proof of a table whose `rows` on the primary were all read and found equal, but for `left_out` by
// filters.program, at the comparison's cut: the next scrub goes on from it.
state::ScrubProof whole_proof(const config::Settings& settings, Comparison& comparison, const Pairing& pairing,
                              uint64_t rows, uint64_t left_out, const std::string& time);

// Asks the queue to keep what the next scrub of these tables reads, as far as it lies before `cut`, which those that
// are proven now will begin at.
void want_stream(const config::Settings& settings, const std::string& node, const state::NodeReceipt& receipt,
                 change::Lsn cut);

}  // namespace compare
