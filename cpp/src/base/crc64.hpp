// CRC-64/XZ (ECMA-182, reflected): every change of up to 64 adjacent bits is found, any other but for one in 2^64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cmlp::inline v0_1 {

/// The checksum of texts, one after the other: `crc.add("1234"); crc.add("56789"); crc.value()`.
class Crc64 {
public:
    void add(std::string_view bytes);
    std::uint64_t value() const { return ~register_; }
    /// "crc64:<16 digits>"
    std::string text() const;

private:
    std::uint64_t register_ = ~std::uint64_t(0);
};

}  // namespace cmlp::inline v0_1
