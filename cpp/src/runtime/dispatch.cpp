// Which instruction set runs: the best this processor has, or the one that CMLP_ISA or set_isa names.
#include "kernels/kernels.hpp"

#include <cmlp/base/error.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace cmlp {
namespace kernels {

#define CMLP_ISA_ROW(isa)     \
    namespace isa {           \
    extern const Table table; \
    }
#include <cmlp_isas.def>
#undef CMLP_ISA_ROW
#if defined(CMLP_BF16_ISA)
namespace CMLP_BF16_ISA {
extern const Bf16Kernels table_bf16;
}
#endif

namespace {

bool runs_scalar() { return true; }
#if defined(__x86_64__) || defined(__i386__)
[[maybe_unused]] bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
[[maybe_unused]] bool runs_avx512() {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif
[[maybe_unused]] bool runs_neon() { return true; }  // part of every aarch64

struct Candidate {
    const Table* table;
    bool (*runs)();
};

const Candidate candidates[] = {
#define CMLP_ISA_ROW(isa) {&isa::table, runs_##isa},
#include <cmlp_isas.def>
#undef CMLP_ISA_ROW
};

const Table& find(std::string_view name) {
    std::string there;
    for (const Candidate& candidate : candidates) {
        if (!candidate.runs()) continue;
        if (candidate.table->name == name) return *candidate.table;
        there += (there.empty() ? "" : ", ") + std::string(candidate.table->name);
    }
    fail("unknown instruction set '", name, "'; choose from ", there, " (set_isa, CMLP_ISA)");
}

const Table& choose() {
    if (const char* forced = std::getenv("CMLP_ISA"); forced && *forced) {
        try {
            return find(forced);
        } catch (const std::invalid_argument&
                     error) {  // a variable must not end the program that hosts this library
            std::fprintf(stderr, "cmlp: CMLP_ISA is ignored: %s\n", error.what());
        }
    }
    for (const Candidate& candidate : candidates)
        if (candidate.runs()) return *candidate.table;
    std::abort();  // the scalar row always runs
}

std::atomic<const Table*> running = nullptr;

}  // namespace

const Table& table() {
    const Table* chosen = running.load(std::memory_order_acquire);
    if (!chosen) [[unlikely]] {
        chosen = &choose();
        running.store(chosen, std::memory_order_release);
    }
    return *chosen;
}

const Bf16Kernels& bf16() {
    const Table& chosen = table();
#if defined(CMLP_BF16_ISA)
    static const bool native = runs_avx512() && __builtin_cpu_supports("avx512bf16");
    if (native && &chosen == &avx512::table) return CMLP_BF16_ISA::table_bf16;
#endif
    return chosen.bf16;
}

}  // namespace kernels

std::vector<std::string> isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates)
        if (candidate.runs()) names.emplace_back(candidate.table->name);
    return names;
}

std::vector<std::string> built_isas() {
    std::vector<std::string> names;
    for (const auto& candidate : kernels::candidates) names.emplace_back(candidate.table->name);
    return names;
}

std::string isa() { return kernels::table().name; }

void set_isa(std::string_view name) {
    kernels::running.store(&kernels::find(name), std::memory_order_release);
}

}  // namespace cmlp
