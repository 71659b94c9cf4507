// A small strict JSON value for the headers of model files: read with limits, written so that doubles return.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cmlp::inline v0_1::json {

class Value;
/// A template, so that it is complete from where Value is.
template <class V>
struct KeyAndValue {
    std::string key;
    V value;
    bool operator==(const KeyAndValue&) const = default;
};
using Member = KeyAndValue<Value>;
using Array = std::vector<Value>;
using Object = std::vector<Member>;  // keeps the order of its keys

/// null. Its copy is not trivial, since of a variant whose kinds are trivial, strings or vectors libstdc++ 12 destroys
/// what a copy that throws has not made.
struct Null {
    Null() = default;
    Null(const Null&) noexcept {}
    Null& operator=(const Null&) noexcept { return *this; }
    bool operator==(const Null&) const { return true; }
};

/// null, bool, integer, real, string, array or object.
class Value {
public:
    Value() = default;
    Value(std::nullptr_t) {}
    template <std::same_as<bool> Bool>  // a template, so that no pointer turns into a bool
    Value(Bool value) : data_(value) {}
    template <std::signed_integral Integer>
    Value(Integer value) : data_(static_cast<std::int64_t>(value)) {}
    Value(double value) : data_(value) {}
    Value(std::string value) : data_(std::move(value)) {}
    Value(std::string_view value) : data_(std::string(value)) {}
    Value(const char* value) : data_(std::string(value)) {}
    Value(Array value) : data_(std::move(value)) {}
    Value(Object value) : data_(std::move(value)) {}

    /// "null", "bool", "integer", "real", "string", "array" or "object".
    std::string_view kind() const;
    bool is_null() const { return data_.index() == 0; }

    /// Each throws std::invalid_argument when the value is of another kind; as_real also takes an integer.
    bool as_bool() const;
    std::int64_t as_integer() const;
    double as_real() const;
    const std::string& as_string() const;
    const Array& as_array() const;
    const Object& as_object() const;

    /// The member of an object with that key, or nullptr.
    const Value* find(std::string_view key) const;
    /// The member of an object with that key; throws std::invalid_argument when it is missing.
    const Value& at(std::string_view key) const;

    /// Calls f with what the value holds.
    void visit(auto&& f) const { std::visit(f, data_); }

    friend bool operator==(const Value& left, const Value& right);

private:
    template <class T>
    const T& get(std::string_view expected) const;

    std::variant<Null, bool, std::int64_t, double, std::string, Array, Object> data_;
};

inline bool operator==(const Value& left, const Value& right) { return left.data_ == right.data_; }

/// What a text may cost before it is refused.
struct Limits {
    std::size_t bytes = 100'000'000;
    std::size_t values = 131'072;  // about 64 bytes each, so a small file cannot make a large tree
    int depth = 64;
};

/// The value written in a text of UTF-8; throws std::invalid_argument with the position of the first fault.
Value parse(std::string_view text, const Limits& limits = {});

/// The value as one line of JSON; throws std::invalid_argument for a NaN, an infinity or invalid UTF-8.
std::string write(const Value& value);

/// Position of the first byte that is not part of valid UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text);

}  // namespace cmlp::inline v0_1::json
