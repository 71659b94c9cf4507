// The one way the core refuses a call: require(condition, message parts...) throws std::invalid_argument.
#pragma once

#include <sstream>
#include <stdexcept>

namespace cmlp {

/// Training met a NaN or an infinity. The text names the step and the layer; the weights are the last finite ones.
class NonFiniteError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws std::invalid_argument whose text is the message parts written one after the other.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    throw std::invalid_argument(text.str());
}

/// Throws std::invalid_argument with the message unless the condition holds; parts are formatted only then.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) [[unlikely]]
        fail(parts...);
}

}  // namespace cmlp
