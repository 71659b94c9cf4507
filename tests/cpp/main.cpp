// The doctest program; exits with 77 (skipped) when CMLP_ISA names an instruction set this processor lacks.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cmlp/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

int main(int argc, char** argv) {
    const char* forced = std::getenv("CMLP_ISA");
    if (forced && contains(cmlp::built_isas(), forced) && !contains(cmlp::isas(), forced)) {
        std::printf("skipped: this processor has no %s\n", forced);
        return 77;
    }
    std::printf("instruction set: %s, threads: %d\n", cmlp::isa().c_str(), cmlp::num_threads());
    return doctest::Context(argc, argv).run();
}
