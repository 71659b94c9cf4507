// Text that came from a file, as messages show it.
#pragma once

#include <string>
#include <string_view>

namespace cmlp::inline v0_1 {

/// The text with everything escaped that a terminal acts on or is invisible: control characters, marks of the
/// direction of writing, separators, and bytes that are no UTF-8.
std::string printable(std::string_view text);

}  // namespace cmlp::inline v0_1
