// The JSON writer and the check of UTF-8, which reader and writer share.
#include <cmlp/base/error.hpp>

#include <charconv>
#include <cmath>
#include <type_traits>

#include "base/json.hpp"

namespace cmlp::inline v0_1::json {
namespace {

void write_string(std::string& out, std::string_view text) {
    const size_t bad = invalid_utf8(text);
    require(bad == std::string_view::npos, "json: a string has invalid UTF-8 at its byte ", bad);
    constexpr std::string_view meanings = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt", hex = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        if (const size_t found = meanings.find(c); found != std::string_view::npos) {
            out += '\\', out += letters[found];
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00", out += hex[static_cast<size_t>(c) / 16], out += hex[static_cast<size_t>(c) % 16];
        } else {
            out += c;
        }
    }
    out += '"';
}

void write_number(std::string& out, auto number) {
    char digits[32];
    const std::string_view text(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    out += text;
    // a real stays a real when it is read back
    if (std::is_floating_point_v<decltype(number)> && text.find_first_of(".e") == text.npos) out += ".0";
}

struct Writer {
    std::string& out;

    void operator()(Null) { out += "null"; }
    void operator()(bool value) { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) { write_number(out, value); }
    void operator()(double value) {
        require(std::isfinite(value), "json: ", value, " has no JSON form");
        write_number(out, value);
    }
    void operator()(const std::string& value) { write_string(out, value); }
    void operator()(const Array& items) {
        list('[', items, ']', [&](const Value& item) { item.visit(*this); });
    }
    void operator()(const Object& members) {
        list('{', members, '}', [&](const Member& member) {
            write_string(out, member.key);
            out += ':';
            member.value.visit(*this);
        });
    }
    void list(char open, const auto& items, char close, auto&& each) {
        out += open;
        for (const auto& item : items) {
            if (&item != items.data()) out += ',';
            each(item);
        }
        out += close;
    }
};

}  // namespace

std::string write(const Value& value) {
    std::string out;
    value.visit(Writer{out});
    return out;
}

// The ranges of the Unicode Standard's table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t invalid_utf8(std::string_view text) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    for (size_t i = 0; i < text.size(); ++i) {
        const unsigned lead = byte(i);
        if (lead < 0x80) continue;
        const size_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (lead < 0xC2 || lead > 0xF4 || byte(i + 1) < low || byte(i + 1) > high) return i;
        for (size_t k = 2; k <= more; ++k)
            if ((byte(i + k) & 0xC0) != 0x80) return i;
        i += more;
    }
    return std::string_view::npos;
}

}  // namespace cmlp::inline v0_1::json
