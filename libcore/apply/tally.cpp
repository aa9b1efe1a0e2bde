#include "apply/tally.hpp"

namespace apply {

void Tally::add(change::Lsn lsn, const Totals& batch, bool durable) {
  if (durable)
    may_go_.clear();
  else
    may_go_.push_back({lsn, totals_});
  totals_ = {totals_.transactions + batch.transactions, totals_.operations + batch.operations,
             totals_.conflicts + batch.conflicts};
}

void Tally::back_to(change::Lsn lsn) {
  while (!may_go_.empty() && may_go_.back().lsn > lsn) {
    totals_ = may_go_.back().before;
    may_go_.pop_back();
  }
}

}  // namespace apply
