// libFuzzer target of the loader: any bytes are a FileError or a network that predicts and is written as it was read.
// The mutator keeps the 8 bytes of the header's length true, so that mutations reach what lies behind them.
#include <cmlp/cmlp.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t largest);

namespace {

constexpr std::size_t prefix = 8, most_bytes = 1 << 16;

struct Parts {
    std::string header, arrays;
};

Parts taken_apart(std::string_view bytes) {
    std::uint64_t length = 0;
    if (bytes.size() < prefix) return {std::string(bytes), ""};
    std::memcpy(&length, bytes.data(), prefix);
    bytes.remove_prefix(prefix);
    length = std::min<std::uint64_t>(length, bytes.size());
    return {std::string(bytes.substr(0, length)), std::string(bytes.substr(length))};
}

void mutate(std::string& text, std::size_t largest) {
    const std::size_t old = text.size();
    text.resize(std::max(largest, old));
    text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), old, text.size()));
}

template <class T>
void use(const cmlp::Network<T>& network) {
    const std::string bytes = to_bytes(network);
    const cmlp::AnyNetwork again = cmlp::from_bytes(bytes, {.non_finite = true});
    if (to_bytes(std::get<cmlp::Network<T>>(again)) != bytes) __builtin_trap();
    if (bytes.size() > most_bytes) return;
    for (const cmlp::Index columns : {1, 3, 4}) try {
            (void)network.predict(cmlp::Matrix<T>(2, columns));
        } catch (const std::invalid_argument&) {  // another width, or a layer that takes indices
        }
}

void load(std::string_view bytes, bool verify) {
    try {
        const cmlp::AnyNetwork any = cmlp::from_bytes(bytes, {.non_finite = true, .verify = verify});
        std::visit([](const auto& network) { use(network); }, any);
    } catch (const cmlp::FileError&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    load(bytes, true);
    load(bytes, false);
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t largest,
                                               unsigned int seed) {
    if (largest < prefix || seed % 16 == 0) return LLVMFuzzerMutate(data, size, largest);
    Parts parts = taken_apart({reinterpret_cast<const char*>(data), size});
    const std::size_t space = largest - prefix;
    mutate(seed % 4 == 0 ? parts.arrays : parts.header, space);
    const std::string both = (parts.header + parts.arrays).substr(0, space);
    const std::uint64_t length = std::min(parts.header.size(), both.size());
    std::memcpy(data, &length, prefix);
    std::memcpy(data + prefix, both.data(), both.size());
    return prefix + both.size();
}
