// What the tests of matrices share: numbers to fill them with, and the text of a refusal.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <cmath>
#include <stdexcept>
#include <string>

namespace cmlp::test {

/// (rows, cols) numbers in (-1, 1.1), none of them 0.
template <class T>
Matrix<T> numbers(Index rows, Index cols, int seed) {
    Matrix<T> a(rows, cols);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < cols; ++j)
            a(i, j) = T(std::sin(1.0 + double(seed + 7 * i * cols + 3 * j)) + 0.05);
    return a;
}

/// The message of the std::invalid_argument that f throws.
template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing thrown";
}

}  // namespace cmlp::test
