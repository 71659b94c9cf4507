// Memory: the index type, the owner of aligned elements, and the rule by which the rows of a matrix are spaced.
#pragma once

#include <cmlp/base/error.hpp>
#include <cmlp/base/sizes.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace cmlp::inline v0_1 {

namespace detail {

/// For a view of memory that is known to be there.
struct Unchecked {};

/// Throws std::invalid_argument on a shape that cannot be, on elements without memory and on rows that overlap.
void check_view(const void* data, Index rows, Index cols, Index row_stride);

}  // namespace detail

/// Elements from one row of a Matrix to the next: rows of up to one 64-byte line are packed, longer ones start on a
/// line of their own, and a multiple of 1024 bytes takes one line more, since such rows share few L1 sets.
template <class T>
constexpr Index padded_stride(Index cols) {
    constexpr Index line = 64 / Index(sizeof(T));
    static_assert(line * Index(sizeof(T)) == 64);
    if (cols <= line) return cols;
    const Index lines = (cols + line - 1) / line;
    return (lines % 16 == 0 ? lines + 1 : lines) * line;
}

/// Owner of size() plain elements, the first of them on a 64-byte boundary.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T>);
    static constexpr std::align_val_t alignment{64};

public:
    Buffer() = default;
    /// n zeros; throws as resize does.
    explicit Buffer(Index n) { resize(n); }
    Buffer(const Buffer& other) { *this = other; }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(const Buffer& other) {
        resize(other.size_);
        std::copy_n(other.data(), size_, data());
        return *this;
    }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer(std::move(other)).swap(*this);
        return *this;
    }

    /// Keeps the first elements, zeroes new ones and never gives memory back; throws std::invalid_argument for a size
    /// that cannot be, std::bad_alloc for one that is too much.
    void resize(Index n) {
        require(n >= 0 && n <= std::numeric_limits<Index>::max() / Index(sizeof(T)), "Buffer.resize: ", n,
                " elements of ", sizeof(T), " bytes");
        if (n > capacity_) grow(n);
        if (n > size_) std::fill(data() + size_, data() + n, T());
        size_ = n;
    }
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    Index size() const { return size_; }
    Index capacity() const { return capacity_; }
    bool empty() const { return size_ == 0; }
    T& operator[](Index i) { return data()[i]; }
    const T& operator[](Index i) const { return data()[i]; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
    std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

private:
    struct Free {
        void operator()(T* memory) const { ::operator delete(memory, alignment); }
    };
    using Memory = std::unique_ptr<T[], Free>;

    void grow(Index n) {
        Memory larger(static_cast<T*>(::operator new(static_cast<std::size_t>(n) * sizeof(T), alignment)));
        std::copy_n(data(), size_, larger.get());
        data_ = std::move(larger);
        capacity_ = n;
    }

    Memory data_;
    Index size_ = 0;
    Index capacity_ = 0;
};

}  // namespace cmlp::inline v0_1
