// What is left to do for a linear map once the way back has passed it: the gradient of its own numbers.
#pragma once

#include <cmlp/base/matrix.hpp>

namespace cmlp::inline v0_1 {

/// dw = or += factor x^T dy and db = or += the sum of dy's rows.
template <class T>
struct WeightGradient {
    MatrixView<const T> x;   // (batch, in)
    MatrixView<const T> dy;  // (batch, out)
    MatrixView<T> dw;        // (in, out)
    T* db;                   ///< (out) or null
    bool accumulate;
    T factor = 1;

    double work() const { return double(dw.size()) * double(dy.rows()); }  ///< multiplications
};

}  // namespace cmlp::inline v0_1
