// How far a comparison is, for people who wait: whoever listens is told several times a second, else a line goes to the
// log every 30 s. Owns when; the words on a terminal are the listener's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace compare {

struct Progress {
  std::string table;
  uint64_t rows = 0;      // read so far, of both sides
  uint64_t expected = 0;  // about
  double seconds = 0;     // since the table was begun
};
// "public.images: 1200000 of 3000000 rows, 690000 a second, 3 s left"
std::string text_of(const Progress& progress);

class ProgressMeter {
 public:
  explicit ProgressMeter(std::function<void(const Progress&)> show);
  void begin(const std::string& table, uint64_t expected);
  void at(uint64_t rows);

 private:
  std::function<void(const Progress&)> show_;
  Progress progress_;
  double began_ = 0;
  double told_ = 0;
};

}  // namespace compare
