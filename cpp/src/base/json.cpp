// The JSON value and its reader, a recursive descent over RFC 8259.
#include <cmlp/base/error.hpp>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"

namespace cmlp::inline v0_1::json {
namespace {

constexpr std::string_view kinds[] = {"null", "bool", "integer", "real", "string", "array", "object"};

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
    if (code < 0x10000) {
        put(0xE0 | code >> 12);
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
    }
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
}

class Parser {
public:
    Parser(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

    Value document() {
        if (text_.size() > limits_.bytes) fail_here("the text is longer than ", limits_.bytes, " bytes");
        if (const size_t bad = invalid_utf8(text_); bad != std::string_view::npos) {
            at_ = bad;
            fail_here("invalid UTF-8");
        }
        Value result = value(0);
        skip_space();
        if (at_ < text_.size()) fail_here("text after the value");
        return result;
    }

private:
    template <class... Parts>
    [[noreturn]] void fail_here(const Parts&... parts) const {
        fail("json: ", parts..., " at byte ", at_);
    }
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }
    bool take(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        return ++at_, true;
    }
    void expect(char c) {
        if (!take(c)) fail_here("expected '", c, "'");
    }

    Value value(int depth) {
        if (depth >= limits_.depth) fail_here("nested deeper than ", limits_.depth);
        if (++values_ > limits_.values) fail_here("more than ", limits_.values, " values");
        skip_space();
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", nullptr);
            default:
                return number();
        }
    }

    Value word(std::string_view expected, Value result) {
        if (text_.substr(at_, expected.size()) != expected) fail_here("expected ", expected);
        at_ += expected.size();
        return result;
    }

    Value object(int depth) {
        Object members;
        ++at_;
        if (take('}')) return members;
        do {
            skip_space();
            if (peek() != '"') fail_here("expected a key");
            std::string key = string();
            expect(':');
            members.push_back({std::move(key), value(depth + 1)});
        } while (take(','));
        expect('}');
        refuse_duplicates(members);
        return members;
    }

    void refuse_duplicates(const Object& members) const {
        std::vector<std::string_view> keys;
        for (const Member& member : members) keys.push_back(member.key);
        std::sort(keys.begin(), keys.end());
        const auto twice = std::adjacent_find(keys.begin(), keys.end());
        if (twice != keys.end())
            fail_here("the key ", write(*twice), " occurs twice in the object that ends");
    }

    Value array(int depth) {
        Array items;
        ++at_;
        if (take(']')) return items;
        do items.push_back(value(depth + 1));
        while (take(','));
        expect(']');
        return items;
    }

    // RFC 8259 section 6; from_chars alone would also take "01", "1." and "inf".
    Value number() {
        const size_t start = at_;
        if (peek() == '-') ++at_;
        if (peek() == '0') {
            ++at_;
        } else {
            digits();
        }
        bool integer = text_.substr(start, at_ - start) != "-0";  // the sign of -0 needs a real
        if (peek() == '.') ++at_, digits(), integer = false;
        if (peek() == 'e' || peek() == 'E') {
            ++at_, integer = false;
            if (peek() == '+' || peek() == '-') ++at_;
            digits();
        }
        const char *first = text_.data() + start, *last = text_.data() + at_;
        std::int64_t number = 0;
        if (integer && std::from_chars(first, last, number).ec == std::errc()) return number;
        double real = 0;
        if (std::from_chars(first, last, real).ec != std::errc()) fail_here("a number out of range ends");
        return real;
    }

    void digits() {
        const size_t start = at_;
        while (peek() >= '0' && peek() <= '9') ++at_;
        if (at_ == start)
            fail_here(at_ == text_.size() ? "the text ends too early" : "expected a value or a digit");
    }

    std::string string() {
        std::string out;
        for (++at_;; ++at_) {
            const size_t start = at_;
            while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
                   static_cast<unsigned char>(text_[at_]) >= 0x20)
                ++at_;
            out.append(text_.substr(start, at_ - start));
            if (at_ == text_.size()) fail_here("a string has no end");
            if (text_[at_] == '"') return ++at_, out;
            if (text_[at_] != '\\') fail_here("a control character in a string");
            ++at_;
            escape(out);
        }
    }

    // Leaves at_ on the last character of the escape.
    void escape(std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (const size_t found = letters.find(peek()); found != std::string_view::npos) {
            out += meanings[found];
            return;
        }
        if (peek() != 'u') fail_here("an unknown escape");
        std::uint32_t code = hex();
        if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_ + 1, 2) == "\\u") {
            at_ += 2;
            const std::uint32_t low = hex();
            if (low < 0xDC00 || low > 0xDFFF) fail_here("a lone surrogate ends");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        if (code >= 0xD800 && code <= 0xDFFF) fail_here("a lone surrogate ends");
        append_utf8(out, code);
    }

    // Reads the four digits after the u under at_.
    std::uint32_t hex() {
        std::uint32_t code = 0;
        const std::string_view four = text_.substr(at_ + 1, 4);
        const auto end = std::from_chars(four.data(), four.data() + four.size(), code, 16).ptr;
        if (end != four.data() + 4) fail_here("expected four hexadecimal digits after");
        at_ += 4;
        return code;
    }

    std::string_view text_;
    Limits limits_;
    size_t at_ = 0, values_ = 0;
};

}  // namespace

template <class T>
const T& Value::get(std::string_view expected) const {
    const T* found = std::get_if<T>(&data_);
    require(found, "json: expected ", expected, ", found ", kind());
    return *found;
}

std::string_view Value::kind() const { return kinds[data_.index()]; }
bool Value::as_bool() const { return get<bool>("a bool"); }
std::int64_t Value::as_integer() const { return get<std::int64_t>("an integer"); }
double Value::as_real() const {
    const auto* integer = std::get_if<std::int64_t>(&data_);
    return integer ? static_cast<double>(*integer) : get<double>("a number");
}
const std::string& Value::as_string() const { return get<std::string>("a string"); }
const Array& Value::as_array() const { return get<Array>("an array"); }
const Object& Value::as_object() const { return get<Object>("an object"); }

const Value* Value::find(std::string_view key) const {
    for (const Member& member : as_object())
        if (member.key == key) return &member.value;
    return nullptr;
}

const Value& Value::at(std::string_view key) const {
    const Value* found = find(key);
    require(found, "json: the key ", write(std::string(key)), " is missing");
    return *found;
}

Value parse(std::string_view text, const Limits& limits) { return Parser(text, limits).document(); }

}  // namespace cmlp::inline v0_1::json
