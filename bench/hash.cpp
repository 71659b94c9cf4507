// One number for what a vector function gives over all float32 inputs, from every instruction set of the
// machine, or those named.
//
//   g++ -std=c++20 -O2 -fopenmp -Icpp/include bench/hash.cpp build/cpp/libcmlp.a -o hash
//   ./hash [stride of the bit patterns] [instruction set ...]
//
// Every NaN counts as the same one. Exits with 1 where two instruction sets differ.
#include <cmlp/ops/functions.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t block = 4096;

/// FNV-1a over the bits of the block's results, begun from its number.
std::uint64_t hash_of(cmlp::Function function, std::int64_t number, std::int64_t stride) {
    float x[block], y[block];
    for (std::int64_t i = 0; i < block; ++i)
        x[i] = std::bit_cast<float>(std::uint32_t((number * block + i) * stride));
    cmlp::apply<float>(function, x, y);
    std::uint64_t hash = 0xcbf29ce484222325u ^ std::uint64_t(number);
    for (const float value : y) {
        const std::uint32_t bits = std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value);
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    return hash;
}

std::uint64_t sweep(cmlp::Function function, std::int64_t stride) {
    const std::int64_t blocks = (std::int64_t(1) << 32) / stride / block;
    std::uint64_t total = 0;
#pragma omp parallel for schedule(dynamic, 64) reduction(+ : total)
    for (std::int64_t number = 0; number < blocks; ++number) total += hash_of(function, number, stride);
    return total;
}

/// Prints the function's line; false where the instruction sets differ.
bool compare(cmlp::Function function, std::int64_t stride, const std::vector<std::string>& isas) {
    std::string sets;
    std::vector<std::uint64_t> hashes;
    for (const std::string& isa : isas) {
        cmlp::set_isa(isa);
        hashes.push_back(sweep(function, stride));
        sets += (sets.empty() ? "" : ", ") + isa;
        if (hashes.back() != hashes.front()) sets += " DIFFERS";
    }
    std::printf("| %s | %016llx | %s |\n", std::string(cmlp::name(function)).c_str(),
                static_cast<unsigned long long>(hashes.front()), sets.c_str());
    std::fflush(stdout);
    return sets.find("DIFFERS") == std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
    const std::int64_t stride = argc > 1 ? std::atoll(argv[1]) : 1;
    const std::vector<std::string> isas =
        argc > 2 ? std::vector<std::string>(argv + 2, argv + argc) : cmlp::isas();
    bool same = true;
    std::puts("| function | hash of all results | the same from |\n|---|---|---|");
    for (std::size_t f = 0; f < cmlp::rows<cmlp::Function>().size(); ++f)
        same = compare(static_cast<cmlp::Function>(f), stride, isas) && same;
    return same ? 0 : 1;
}
