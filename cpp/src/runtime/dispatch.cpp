// Which instruction set runs: the best this processor has, or the one that CMLP_ISA or set_isa names.
#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <cmlp_isas.def>

#include <cstdio>
#include <cstdlib>

#include "kernels/kernels.hpp"

namespace cmlp::kernels {
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
    const char* name;
    bool (*runs)();
};

enum Row : int {
#define CMLP_ISA_ROW(isa) row_##isa,
    CMLP_ISAS(CMLP_ISA_ROW)
#undef CMLP_ISA_ROW
};

const Candidate candidates[] = {
#define CMLP_ISA_ROW(isa) {#isa, runs_##isa},
    CMLP_ISAS(CMLP_ISA_ROW)
#undef CMLP_ISA_ROW
};

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

int find(std::string_view name) {
    for (int row = 0; row < static_cast<int>(std::size(candidates)); ++row)
        if (candidates[row].runs() && candidates[row].name == name) return row;
    fail("unknown instruction set '", name, "'; choose from ", joined(isas()), " (set_isa, CMLP_ISA)");
}

int best() {
    if (const char* forced = std::getenv("CMLP_ISA"); forced && *forced) {
        try {
            return find(forced);
        } catch (const std::invalid_argument& error) {
            // A variable must not end the program that hosts this library.
            std::fprintf(stderr, "cmlp: CMLP_ISA is ignored: %s\n", error.what());
        }
    }
    for (int row = 0; row < static_cast<int>(std::size(candidates)); ++row)
        if (candidates[row].runs()) return row;
    fail("this processor runs none of the instruction sets in this build (", joined(built_isas()),
         "); build with scalar in CMLP_ISAS");
}

}  // namespace

constinit int row_in_use = -1;

int choose_row() {
    const int row = best();
    __atomic_store_n(&row_in_use, row, __ATOMIC_RELEASE);
    return row;
}

const char* isa() { return candidates[row()].name; }

bool has_bf16_instruction() {
#if defined(CMLP_BF16_ISA)
    static const bool native = runs_avx512() && __builtin_cpu_supports("avx512bf16");
    return native && row() == row_avx512;
#else
    return false;
#endif
}

}  // namespace cmlp::kernels

namespace cmlp::inline v0_1 {

std::vector<std::string> isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates)
        if (candidate.runs()) names.emplace_back(candidate.name);
    return names;
}

std::vector<std::string> built_isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates) names.emplace_back(candidate.name);
    return names;
}

std::string isa() { return kernels::isa(); }

void set_isa(std::string_view name) {
    __atomic_store_n(&kernels::row_in_use, kernels::find(name), __ATOMIC_RELEASE);
}

}  // namespace cmlp::inline v0_1
