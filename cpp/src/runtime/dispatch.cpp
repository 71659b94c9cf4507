// Which instruction set runs: the best this processor has, or the one that CMLP_ISA or set_isa names.
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <cmlp_isas.def>

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "kernels/kernels.hpp"

namespace cmlp {
namespace kernels {
namespace {

[[maybe_unused]] bool runs_scalar() { return true; }
#if defined(__x86_64__) || defined(__i386__)
[[maybe_unused]] bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
[[maybe_unused]] bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif
[[maybe_unused]] bool runs_neon() { return true; }  // part of every aarch64

struct Candidate {
    Isa isa;
    bool (*runs)();
};

enum Row : int {
#define CMLP_ISA_ROW(isa) row_##isa,
    CMLP_ISAS(CMLP_ISA_ROW)
#undef CMLP_ISA_ROW
};

const Candidate candidates[] = {
#define CMLP_ISA_ROW(isa) {{#isa, row_##isa}, runs_##isa},
    CMLP_ISAS(CMLP_ISA_ROW)
#undef CMLP_ISA_ROW
};

const Isa& find(std::string_view name) {
    std::string there;
    for (const Candidate& candidate : candidates) {
        if (!candidate.runs()) continue;
        if (candidate.isa.name == name) return candidate.isa;
        there += (there.empty() ? "" : ", ") + std::string(candidate.isa.name);
    }
    fail("unknown instruction set '", name, "'; choose from ", there, " (set_isa, CMLP_ISA)");
}

const Isa& choose() {
    if (const char* forced = std::getenv("CMLP_ISA"); forced && *forced) {
        try {
            return find(forced);
        } catch (const std::invalid_argument& error) {
            // A variable must not end the program that hosts this library.
            std::fprintf(stderr, "cmlp: CMLP_ISA is ignored: %s\n", error.what());
        }
    }
    for (const Candidate& candidate : candidates)
        if (candidate.runs()) return candidate.isa;
    std::string built;
    for (const Candidate& candidate : candidates)
        built += (built.empty() ? "" : ", ") + std::string(candidate.isa.name);
    fail("this processor runs none of the instruction sets in this build (", built,
         "); build with scalar in CMLP_ISAS");
}

std::atomic<const Isa*> running = nullptr;

}  // namespace

const Isa& isa() {
    const Isa* chosen = running.load(std::memory_order_acquire);
    if (!chosen) [[unlikely]] {
        chosen = &choose();
        running.store(chosen, std::memory_order_release);
    }
    return *chosen;
}

bool has_bf16_instruction() {
#if defined(CMLP_BF16_ISA)
    static const bool native = runs_avx512() && __builtin_cpu_supports("avx512bf16");
    return native && isa().row == row_avx512;
#else
    return false;
#endif
}

}  // namespace kernels

std::vector<std::string> isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates)
        if (candidate.runs()) names.emplace_back(candidate.isa.name);
    return names;
}

std::vector<std::string> built_isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates) names.emplace_back(candidate.isa.name);
    return names;
}

std::string isa() { return kernels::isa().name; }

void set_isa(std::string_view name) {
    kernels::running.store(&kernels::find(name), std::memory_order_release);
}

}  // namespace cmlp
