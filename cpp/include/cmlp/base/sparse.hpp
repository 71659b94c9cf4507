// Sparse matrices in rows (CSR): SparseView borrows one, SparseMatrix owns one, Input is either kind of x.
#pragma once

#include <cmlp/base/matrix.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace cmlp::inline v0_1 {

/// Borrowed CSR matrix: the entries of row i are those from starts[i] to starts[i + 1]; elements without one are 0.
/// Cheap to copy, valid while the arrays exist.
template <class T>
class SparseView {
public:
    SparseView() = default;
    /// Throws std::invalid_argument, `what` beginning the message, unless starts (rows + 1) goes from 0 to
    /// the number of entries without falling and all columns are within 0 ... cols - 1.
    SparseView(Index rows, Index cols, std::span<const std::int64_t> starts,
               std::span<const std::int32_t> columns, std::span<const T> values,
               std::string_view what = "SparseView");

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }
    /// Number of entries.
    Index entries() const { return rows_ == 0 ? 0 : starts_[rows_] - starts_[0]; }
    /// rows() + 1 places; the first is that of columns()[0] and values()[0], in a part of the rows not 0.
    const std::int64_t* starts() const { return starts_; }
    const std::int32_t* columns() const { return columns_; }
    const T* values() const { return values_; }
    /// Whether the columns of each row ascend, so that none is there twice: products then have the bits of
    /// the dense ones.
    bool is_canonical() const;
    /// Throws std::invalid_argument unless the rows are there.
    SparseView middle_rows(Index first, Index n) const;
    /// The values as one row.
    MatrixView<const T> numbers() const { return {detail::Unchecked(), values_, 1, entries(), entries()}; }

private:
    template <class U>
    friend class SparseMatrix;

    Index rows_ = 0, cols_ = 0;
    const std::int64_t* starts_ = nullptr;   // (rows + 1)
    const std::int32_t* columns_ = nullptr;  // (entries)
    const T* values_ = nullptr;              // (entries)
};

/// Owner of a sparse matrix that is written completely; allocates only when it exceeds its largest size so far.
template <class T>
class SparseMatrix {
public:
    SparseView<T> view() const;
    /// Takes the elements of x that are not 0.
    void assign(MatrixView<const T> x);
    void assign(const SparseView<T>& x);
    /// Row i = row order[i] of x.
    void assign_rows(const SparseView<T>& x, std::span<const Index> order);
    /// x^T.
    void assign_transpose(const SparseView<T>& x);

private:
    void resize(Index rows, Index cols, Index entries);

    Index rows_ = 0, cols_ = 0;
    Buffer<std::int64_t> starts_;
    Buffer<std::int32_t> columns_;
    Buffer<T> values_;
};

/// What a network is given: rows of a dense matrix or of a sparse one. Borrowed.
template <class T>
class Input {
public:
    Input() = default;
    template <class X>
        requires std::convertible_to<const X&, MatrixView<const T>>
    Input(const X& x) : dense_(x), rows_(dense_.rows()), cols_(dense_.cols()) {}
    Input(const Matrix<T>&& temporary) = delete;
    Input(const SparseView<T>& x)
        : dense_(x.numbers()), sparse_(x), rows_(x.rows()), cols_(x.cols()), is_sparse_(true) {}

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }
    bool is_sparse() const { return is_sparse_; }
    Input middle_rows(Index first, Index n) const {
        return is_sparse_ ? Input(sparse_.middle_rows(first, n)) : Input(dense_.middle_rows(first, n));
    }
    /// The matrix; throws std::invalid_argument, `what` beginning the message, when it is sparse.
    MatrixView<const T> dense(std::string_view what) const {
        require(!is_sparse_, what, ": x is sparse, it must be dense");
        return dense_;
    }
    /// Empty when it is dense.
    const SparseView<T>& sparse() const { return sparse_; }
    /// All numbers that are kept: the matrix, or the entries as one row.
    MatrixView<const T> numbers() const { return dense_; }

private:
    MatrixView<const T> dense_;
    SparseView<T> sparse_;
    Index rows_ = 0, cols_ = 0;
    bool is_sparse_ = false;
};

}  // namespace cmlp::inline v0_1
