// The one way the core refuses a call: require(condition, message parts...) throws std::invalid_argument.
#pragma once

#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace cmlp::inline v0_1 {

/// Training computed a NaN or an infinity. The text names the step and the layer; the weights are the last finite ones.
class NonFiniteError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A file, or the bytes of one, is not what the caller expects, or the system refused to read or write it.
class FileError : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

namespace detail {

/// A part of a message, borrowed until it is written.
class MessagePart {
public:
    MessagePart(std::string_view text) : kind_(Kind::text), text_(text) {}
    MessagePart(const std::string& text) : MessagePart(std::string_view(text)) {}
    MessagePart(const char* text) : MessagePart(std::string_view(text)) {}
    MessagePart(char letter) : kind_(Kind::letter), integer_(letter) {}
    MessagePart(std::signed_integral auto number) : kind_(Kind::integer), integer_(number) {}
    MessagePart(std::unsigned_integral auto number) : kind_(Kind::natural), natural_(number) {}
    MessagePart(std::floating_point auto number) : kind_(Kind::real), real_(static_cast<double>(number)) {}

    void append_to(std::string& message) const;

private:
    enum class Kind { text, letter, integer, natural, real };

    Kind kind_;
    union {
        std::string_view text_;
        long long integer_;
        unsigned long long natural_;
        double real_;
    };
};

[[noreturn]] void fail(std::initializer_list<MessagePart> parts);

}  // namespace detail

/// Throws std::invalid_argument whose text is the message parts written one after the other.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    detail::fail({detail::MessagePart(parts)...});
}

/// Throws std::invalid_argument with the message unless the condition holds; parts are formatted only then.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) [[unlikely]]
        fail(parts...);
}

}  // namespace cmlp::inline v0_1
