// Bytes that live and die together: the values of one batch. Owns its blocks; gives them back all at once.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

namespace base {

class Arena {
 public:
  // Room for `size` bytes, aligned for any plain value type; never fails but by bad_alloc.
  char* allocate(size_t size) {
    const size_t need = (size + 7) & ~size_t{7};
    if (need > left_) grow(need);
    char* at = next_;
    next_ += need;
    left_ -= need;
    used_ += need;
    return at;
  }
  const char* copy(std::string_view bytes) {
    char* at = allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return at;
  }
  // For bytes whose number is only known once they are written: room for up to `size` of them, then take() what was
  // used. Nothing else may be asked of the arena in between.
  char* room(size_t size) {
    if (size + 7 > left_) grow(size + 7);
    return next_;
  }
  void take(size_t used) { allocate(used); }
  // An array of `count` default values.
  template <class T>
  T* array(size_t count) {
    static_assert(alignof(T) <= 8);
    T* at = reinterpret_cast<T*>(allocate(count * sizeof(T)));
    for (size_t i = 0; i < count; ++i) new (at + i) T();
    return at;
  }
  size_t used() const { return used_; }  // bytes handed out
  // Forgets everything; keeps one block of the usual size, so that a loop over lines does not allocate, and no block
  // that a single long value needed.
  void reset() {
    if (!blocks_.empty() && blocks_[0].size > block_size) blocks_.clear();
    if (blocks_.size() > 1) blocks_.resize(1);
    next_ = blocks_.empty() ? nullptr : blocks_[0].bytes.get();
    left_ = blocks_.empty() ? 0 : blocks_[0].size;
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  void grow(size_t need) {
    const size_t size = need > block_size ? need : block_size;
    blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    next_ = blocks_.back().bytes.get();
    left_ = size;
  }

  // A few hundred rows: large beside malloc's cost, small beside a batch.
  static constexpr size_t block_size = 256 << 10;
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t used_ = 0;
};

}  // namespace base
