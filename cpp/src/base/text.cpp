// What of a text is escaped in a message.
#include "base/text.hpp"

#include <algorithm>
#include <cstdint>

#include "base/json.hpp"

namespace cmlp::inline v0_1 {
namespace {

struct Range {
    std::uint32_t first, last;
};
constexpr Range acting[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},
                            {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
                            {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE000, 0xF8FF}, {0xE0000, 0x10FFFF}};

bool acts(std::uint32_t code) {
    for (const Range& range : acting)
        if (code >= range.first && code <= range.last) return true;
    return false;
}

// The bytes of the character that starts here; the text is valid UTF-8.
std::size_t size_of(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

std::uint32_t code_of(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first;
    std::uint32_t code = first & (0x7Fu >> character.size());
    for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    return code;
}

void append_escaped(std::string& out, std::string_view bytes) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x", out += hex[byte / 16], out += hex[byte % 16];
    }
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t valid = std::min(json::invalid_utf8(text), text.size());
        for (std::size_t i = 0; i < valid;) {
            const std::string_view character = text.substr(i, size_of(static_cast<unsigned char>(text[i])));
            if (acts(code_of(character)))
                append_escaped(out, character);
            else
                out += character;
            i += character.size();
        }
        text.remove_prefix(valid);
        append_escaped(out, text.substr(0, 1));
        text.remove_prefix(std::min<std::size_t>(1, text.size()));
    }
    return out;
}

}  // namespace cmlp::inline v0_1
