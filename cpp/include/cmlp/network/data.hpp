// Rows of input with what the network should say of them.
#pragma once

#include <cmlp/base/sparse.hpp>
#include <cmlp/losses/loss.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace cmlp::inline v0_1 {

/// Rows with what the network should say of them. Borrowed.
template <class T>
struct Data {
    Input<T> x = {};  ///< (rows, in)
    Target<T> target = {};
    Borrowed<T> weight = {};  ///< (rows), empty: 1
    /// (rows), empty: their places in the batch. What dropout goes by: rows of one name draw the same in a step.
    Borrowed<std::uint64_t> name = {};

    Index rows() const { return x.rows(); }
    Data middle_rows(Index first, Index n) const;
};

/// Throws std::invalid_argument naming the first NaN or infinity of the data, no rows, or counts that differ.
template <class T>
void check_data(const Data<T>& data, std::string_view what);

/// check_data for the input alone.
template <class T>
void check_x(const Input<T>& x, std::string_view what);

}  // namespace cmlp::inline v0_1
