// CRC-64 with 16 tables of 256 remainders: 16 bytes a step, lookups that do not wait for each other.
#include "base/crc64.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace cmlp::inline v0_1 {
namespace {

static_assert(std::endian::native == std::endian::little, "a step reads 8 bytes as one little-endian number");

constexpr std::uint64_t polynomial = 0xC96C5795D7870F42;
constexpr std::size_t width = 16;  // bytes a step
using Tables = std::array<std::array<std::uint64_t, 256>, width>;

// tables[k][b]: the remainder of byte b followed by k zero bytes.
Tables make_tables() {
    Tables tables{};
    for (std::size_t b = 0; b < 256; ++b) {
        std::uint64_t remainder = b;
        for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? polynomial : 0);
        tables[0][b] = remainder;
    }
    for (std::size_t k = 1; k < width; ++k)
        for (std::size_t b = 0; b < 256; ++b)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 255];
    return tables;
}

// Made at the first use: they would take 32 KB of a program.
const Tables& known_tables() {
    static const Tables tables = make_tables();
    return tables;
}

// The remainder of 8 bytes that `after` zero bytes follow.
inline std::uint64_t remainder(const Tables& tables, std::uint64_t bytes, std::size_t after) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum ^= tables[after + 7 - i][bytes >> 8 * i & 255];
    return sum;
}

}  // namespace

void Crc64::add(std::string_view bytes) {
    const Tables& tables = known_tables();
    std::uint64_t value = register_;
    for (; bytes.size() >= width; bytes.remove_prefix(width)) {
        std::uint64_t words[2];
        std::memcpy(words, bytes.data(), width);
        value = remainder(tables, value ^ words[0], 8) ^ remainder(tables, words[1], 0);
    }
    for (const char byte : bytes)
        value = value >> 8 ^ tables[0][(value ^ static_cast<unsigned char>(byte)) & 255];
    register_ = value;
}

std::string Crc64::text() const {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value(), 16).ptr;
    const std::string number(digits.data(), end);
    return "crc64:" + std::string(digits.size() - number.size(), '0') + number;
}

}  // namespace cmlp::inline v0_1
