// The JSON value: round trips, and a refusal with its place for everything that is not JSON.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

#include "base/json.hpp"

namespace {

namespace json = cmlp::json;

std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("json: values come back as they were") {
    const json::Value value =
        json::Object{{"null", nullptr},
                     {"yes", true},
                     {"integer", std::int64_t{-9223372036854775807LL - 1}},
                     {"reals", json::Array{0.1, -0.0, 3.0, 5e-324, 1.7976931348623157e308, 1e22}},
                     {"text", "quote \" back \\ bell \x07 tab \t euro \xE2\x82\xAC clef \xF0\x9D\x84\x9E"},
                     {"nested", json::Object{{"empty", json::Array{}}, {"object", json::Object{}}}}};
    const std::string text = json::write(value);
    CHECK(json::parse(text) == value);
    CHECK(json::write(json::parse(text)) == text);
    CHECK(std::signbit(json::parse("[-0]").as_array()[0].as_real()));
    CHECK(json::parse(" [ 1 , 2.5 , 9223372036854775808 ] ") ==
          json::Value(json::Array{1, 2.5, 9223372036854775808.0}));
    CHECK(json::parse(R"("\u0041\u00e9\u20AC\ud834\udd1e\/\b")").as_string() ==
          "A\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E/\b");
}

TEST_CASE("json: doubles survive the text bit for bit") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
        double value;
        const std::uint64_t bits = random();
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) continue;
        const json::Value back = json::parse(json::write(value));
        CHECK(back.kind() == "real");
        const double number = back.as_real();
        REQUIRE(std::memcmp(&number, &value, sizeof value) == 0);
    }
}

TEST_CASE("json: what is not JSON is refused with its place") {
    const std::pair<const char*, const char*> cases[] = {
        {"", "too early at byte 0"},
        {"[1,]", "expected a value or a digit at byte 3"},
        {"[1 2]", "expected ']' at byte 3"},
        {"{\"a\" 1}", "expected ':' at byte 5"},
        {"{a:1}", "expected a key at byte 1"},
        {"{\"a\":1,\"a\":2}", "the key \"a\" occurs twice"},
        {"01", "text after the value at byte 1"},
        {"+1", "expected a value or a digit at byte 0"},
        {"1.", "too early at byte 2"},
        {"1e400", "out of range"},
        {"NaN", "expected a value or a digit at byte 0"},
        {"nul", "expected null at byte 0"},
        {"\"abc", "a string has no end at byte 4"},
        {"\"a\nb\"", "a control character in a string at byte 2"},
        {"\"\\x\"", "an unknown escape at byte 2"},
        {"\"\\u12g4\"", "four hexadecimal digits"},
        {"\"\\ud834\"", "a lone surrogate"},
        {"\"\\udd1e\"", "a lone surrogate"},
        {"\"\\ud834\\u0041\"", "a lone surrogate"},
        {"\"\xC0\xAF\"", "invalid UTF-8 at byte 1"},
        {"\"\xED\xA0\x80\"", "invalid UTF-8 at byte 1"},
        {"\"\xF4\x90\x80\x80\"", "invalid UTF-8 at byte 1"},
        {"\"\xE2\x82\"", "invalid UTF-8 at byte 1"},
        {"1 1", "text after the value at byte 2"}};
    for (const auto& [text, message] : cases) {
        CAPTURE(text);
        const std::string error = error_of([&] { json::parse(text); });
        CAPTURE(error);
        CHECK(contains(error, message));
    }
    CHECK(contains(error_of([] { json::parse(std::string(65, '[') + std::string(65, ']')); }),
                   "nested deeper than 64"));
    CHECK(error_of([] { json::parse(std::string(64, '[') + std::string(64, ']')); }).empty());
    CHECK(contains(error_of([] { json::parse("[1,2,3]", {.values = 3}); }), "more than 3 values"));
    CHECK(contains(error_of([] { json::parse("[1,2,3]", {.bytes = 6}); }), "longer than 6 bytes"));
}

TEST_CASE("json: the writer and the accessors refuse too") {
    CHECK(contains(error_of([] { json::write(std::nan("")); }), "nan has no JSON form"));
    CHECK(contains(error_of([] { json::write("\xFF"); }), "invalid UTF-8 at its byte 0"));
    CHECK(error_of([] { json::Value("a").as_bool(); }) == "json: expected a bool, found string");
    CHECK(error_of([] { json::Value(1.5).as_integer(); }) == "json: expected an integer, found real");
    CHECK(error_of([] { json::Value(json::Object{}).at("a"); }) == "json: the key \"a\" is missing");
    CHECK(json::Value(3).as_real() == 3);
}
