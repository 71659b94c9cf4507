// The version of cmlp, written here and nowhere else: CMake and the Python package read this file.
#pragma once

#define CMLP_VERSION_MAJOR 0
#define CMLP_VERSION_MINOR 1
#define CMLP_VERSION_PATCH 0

#define CMLP_VERSION_TEXT_(a, b, c) #a "." #b "." #c
#define CMLP_VERSION_TEXT(a, b, c) CMLP_VERSION_TEXT_(a, b, c)
#define CMLP_VERSION CMLP_VERSION_TEXT(CMLP_VERSION_MAJOR, CMLP_VERSION_MINOR, CMLP_VERSION_PATCH)

namespace cmlp::inline v0_1 {

/// The version as text, such as "1.2.3".
inline constexpr const char* version = CMLP_VERSION;

}  // namespace cmlp::inline v0_1
