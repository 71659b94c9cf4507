// How this thread's processor rounds, and whether it flushes subnormal numbers: read on one thread, taken
// over by another.
#pragma once

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <cfenv>
#endif

namespace cmlp::inline v0_1 {

#if defined(__x86_64__)

class FloatingPointMode {
public:
    static FloatingPointMode current() { return {__builtin_ia32_stmxcsr()}; }
    void set() const { __builtin_ia32_ldmxcsr(bits); }

    unsigned bits;
};

#elif defined(__aarch64__)

class FloatingPointMode {
public:
    static FloatingPointMode current() {
        FloatingPointMode mode{};
        asm volatile("mrs %0, fpcr" : "=r"(mode.bits));
        return mode;
    }
    void set() const { asm volatile("msr fpcr, %0" : : "r"(bits)); }

    unsigned long bits;
};

#else

class FloatingPointMode {
public:
    static FloatingPointMode current() {
        FloatingPointMode mode{};
        std::fegetenv(&mode.environment);
        return mode;
    }
    void set() const { std::fesetenv(&environment); }

    std::fenv_t environment;
};

#endif

}  // namespace cmlp::inline v0_1
