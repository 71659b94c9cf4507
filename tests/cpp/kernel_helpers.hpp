// What the tests of kernels share: the table of each instruction set, arrays that end where memory ends, bits compared.
#pragma once

#include <cmlp/runtime/rng.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/kernels.hpp"

namespace cmlp::test {

/// Puts the instruction set and the number of threads back.
class RuntimeScope {
public:
    RuntimeScope() = default;
    explicit RuntimeScope(std::string_view isa) { set_isa(isa); }
    ~RuntimeScope() {
        set_isa(isa_);
        set_num_threads(threads_);
    }
    RuntimeScope(const RuntimeScope&) = delete;

private:
    std::string isa_ = isa();
    int threads_ = num_threads();
};

/// The tables of all families of one instruction set.
template <class T>
struct Kernels {
    std::string isa = cmlp::isa();
#define CMLP_FAMILY(name, Type) const kernels::Type<T>& name = kernels::name<T>();
    CMLP_FAMILIES(CMLP_FAMILY)
#undef CMLP_FAMILY
};

/// Those this processor can run, the scalar one first.
template <class T>
std::vector<Kernels<T>> all_kernels() {
    std::vector<Kernels<T>> all;
    std::vector<std::string> names = isas();
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const RuntimeScope scope(*name);
        all.emplace_back();
    }
    return all;
}

/// Memory whose last byte is followed, and whose first is preceded, by a page that nobody may touch.
template <class T>
class Guarded {
public:
    explicit Guarded(std::size_t capacity) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        inside_ = (capacity * sizeof(T) + page - 1) / page * page;
        outside_ = page;
        memory_ = mmap(nullptr, inside_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED) throw std::bad_alloc();
        if (mprotect(begin(), inside_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    }
    ~Guarded() { munmap(memory_, inside_ + 2 * outside_); }
    Guarded(const Guarded&) = delete;

    /// n elements up to the end, each set to `value`.
    T* last(Index n, T value = T()) {
        T* first = reinterpret_cast<T*>(begin() + inside_) - n;
        for (Index i = 0; i < n; ++i) first[i] = value;
        return first;
    }

private:
    std::byte* begin() const { return static_cast<std::byte*>(memory_) + outside_; }

    void* memory_ = nullptr;
    std::size_t inside_ = 0, outside_ = 0;
};

/// The same bits, or both NaN.
template <class T>
bool same(T a, T b) {
    if (a != a && b != b) return true;
    return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Index of the first element that differs, -1 when none does.
template <class T>
Index first_difference(const T* a, const T* b, Index n) {
    for (Index i = 0; i < n; ++i)
        if (!same(a[i], b[i])) return i;
    return -1;
}

/// Numbers of all sizes; with `special` also zeros, subnormals, infinities, NaN and those near overflow of exp.
template <class T>
void fill(T* out, Index n, std::uint64_t seed, bool special = false) {
    using Limits = std::numeric_limits<T>;
    const T odd[] = {T(0),
                     T(-0.0),
                     Limits::infinity(),
                     -Limits::infinity(),
                     Limits::quiet_NaN(),
                     Limits::denorm_min(),
                     -Limits::denorm_min(),
                     Limits::min() / 2,
                     Limits::max(),
                     Limits::lowest(),
                     Limits::min(),
                     T(1),
                     T(-1),
                     T(0.5),
                     T(40),
                     T(-40),
                     T(88.7),
                     T(-87.4),
                     T(-103.9),
                     T(709.7),
                     T(-708.4),
                     T(-745.1),
                     T(-13),
                     T(-9),
                     T(1e4),
                     T(-1e4)};
    Rng rng(seed, Stream::user);
    for (Index i = 0; i < n; ++i) {
        const auto pick = static_cast<std::size_t>(rng.below(3 * std::ssize(odd)));
        const T value = T(rng.normal() * (rng.below(4) == 0 ? 20 : 1));
        out[i] = special && pick < std::size(odd) ? odd[pick] : value;
    }
}

/// Runs the same call on every instruction set and gives the first error: an element that differs from the scalar
/// one's, or a word written in a gap of the output (rows, stride) beyond its `cols`.
template <class T>
class Everywhere {
public:
    explicit Everywhere(std::size_t capacity) : out_(capacity) {}

    /// run(kernels, out) writes out (rows, cols) with that stride.
    template <class Run>
    std::string operator()(Index rows, Index cols, Index stride, Run run) {
        const Index size = rows > 0 ? (rows - 1) * stride + cols : 0;
        std::string error;
        for (const Kernels<T>& kernels : all_) {
            const std::string& isa = kernels.isa;
            T* out = out_.last(size, guard);
            run(kernels, out);
            for (Index i = 0; i < size; ++i)
                if (i % stride >= cols && out[i] != guard)
                    error = isa + " wrote beyond column " + std::to_string(cols);
            if (isa == all_[0].isa) expected.assign(out, out + size);
            const Index at = first_difference(out, expected.data(), size);
            if (at >= 0)
                error = isa + " differs at element " + std::to_string(at) + ": " + std::to_string(out[at]) +
                        ", scalar " + std::to_string(expected[std::size_t(at)]);
        }
        return error;
    }

    static constexpr T guard = T(-7654321.5);
    std::vector<T> expected;  ///< what the scalar table gave in the last run

private:
    std::vector<Kernels<T>> all_ = all_kernels<T>();
    Guarded<T> out_;
};

}  // namespace cmlp::test
