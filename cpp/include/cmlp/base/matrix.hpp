// Dense matrices in Eigen's vocabulary: Matrix owns its elements, MatrixView borrows them. Rows lie one after another.
#pragma once

#include <cmlp/base/buffer.hpp>
#include <cmlp/base/error.hpp>
#include <cmlp/base/expressions.hpp>
#include <cmlp/base/product.hpp>
#include <cmlp/base/vectorwise.hpp>

#include <algorithm>
#include <cassert>
#include <functional>
#include <initializer_list>
#include <utility>

namespace cmlp::inline v0_1 {

/// Borrowed matrix (what Eigen::Map is): cheap to copy, passed by value, valid while the memory it refers to exists.
/// `=` writes elements or does not compile; it never makes a view look elsewhere, that is what rebind is for.
template <class T>
class MatrixView : public Expression<MatrixView<T>> {
    static constexpr bool writable = !std::is_const_v<T>;

public:
    using Scalar = std::remove_const_t<T>;
    using Operand = MatrixView<const Scalar>;

    MatrixView() = default;
    /// Both throw std::invalid_argument on elements without memory and on rows that overlap.
    MatrixView(T* data, Index rows, Index cols) : MatrixView(data, rows, cols, cols) {}
    MatrixView(T* data, Index rows, Index cols, Index row_stride)
        : MatrixView(detail::Unchecked(), data, rows, cols, row_stride) {
        if (!data || rows < 0 || cols < 0 || row_stride < cols) [[unlikely]]
            detail::check_view(data, rows, cols, row_stride);
    }
    MatrixView(detail::Unchecked, T* data, Index rows, Index cols, Index row_stride)
        : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride) {}
    MatrixView(const MatrixView&) = default;
    template <class U>
        requires std::same_as<const U, T>
    MatrixView(const MatrixView<U>& a)
        : MatrixView(detail::Unchecked(), a.data(), a.rows(), a.cols(), a.row_stride()) {}

    /// `view = a + b` writes the elements, as assign does.
    template <class E>
        requires writable
    MatrixView& operator=(const Expression<E>& e) {
        assign(e);
        return *this;
    }
    /// `a.row(0) = b.row(1)` writes them too. Between two views with names `=` could be read either way and does not
    /// compile: say v.assign(w) or v.rebind(w).
    MatrixView& operator=(const MatrixView& other) &&
        requires writable
    {
        assign(other);
        return *this;
    }
    MatrixView& operator=(const MatrixView&) & = delete;

    /// Writes the elements of e, by way of a temporary if e is a product or reads this memory at other positions;
    /// throws std::invalid_argument unless the shapes agree.
    template <class E>
    void assign(const Expression<E>& e) const {
        const auto source = e.operand();
        if (source.disturbed_by(*this, false))
            noalias() = source.eval();
        else
            noalias() = source;
    }
    /// Looks at other's elements from now on.
    void rebind(const MatrixView& other) {
        data_ = other.data_;
        rows_ = other.rows_;
        cols_ = other.cols_;
        row_stride_ = other.row_stride_;
    }
    /// The left side of `c.noalias() = a * b`, which needs no temporary.
    auto noalias() const
        requires writable
    {
        return NoAlias<T>(*this);
    }
    void fill(Scalar value) const {
        for (Index i = 0; i < rows_; ++i) std::fill_n(data_ + i * row_stride_, cols_, value);
    }
    void set_constant(Scalar value) const { fill(value); }
    void set_zero() const { fill(0); }

    T* data() const { return data_; }
    Index rows() const { return rows_; }
    Index cols() const { return cols_; }
    Index row_stride() const { return row_stride_; }
    Index size() const { return rows_ * cols_; }
    bool empty() const { return size() == 0; }
    bool is_contiguous() const { return rows_ <= 1 || row_stride_ == cols_; }
    MatrixView view() const { return *this; }
    T& operator()(Index i, Index j) const {
        assert(0 <= i && i < rows_ && 0 <= j && j < cols_);
        return data_[i * row_stride_ + j];
    }

    /// The part that begins at (i, j); this and the rest throw std::invalid_argument unless it lies inside.
    MatrixView block(Index i, Index j, Index rows, Index cols) const {
        require(0 <= i && 0 <= rows && rows <= rows_ - i && 0 <= j && 0 <= cols && cols <= cols_ - j,
                "block: ", rows, "x", cols, " at (", i, ", ", j, ") is not inside ", Index(rows_), "x",
                Index(cols_));
        return {detail::Unchecked(), data_ + i * row_stride_ + j, rows, cols, row_stride_};
    }
    MatrixView row(Index i) const { return block(i, 0, 1, cols_); }  // (1, cols)
    MatrixView col(Index j) const { return block(0, j, rows_, 1); }  // (rows, 1)
    MatrixView middle_rows(Index i, Index n) const { return block(i, 0, n, cols_); }
    MatrixView middle_cols(Index j, Index n) const { return block(0, j, rows_, n); }
    MatrixView top_rows(Index n) const { return middle_rows(0, n); }
    MatrixView bottom_rows(Index n) const { return middle_rows(rows_ - n, n); }
    MatrixView left_cols(Index n) const { return middle_cols(0, n); }
    MatrixView right_cols(Index n) const { return middle_cols(cols_ - n, n); }

    /// Whether writing target would change what a node that refers to this view has yet to read; `moved` means that the
    /// node reads other positions than it writes.
    template <class U>
    bool disturbed_by(const MatrixView<U>& target, bool moved) const {
        const bool in_step = !moved && data_ == target.data() && row_stride_ == target.row_stride();
        const std::less<const void*> before;
        return !in_step && before(data_, target.past_end()) && before(target.data(), past_end());
    }
    /// One past the last element.
    T* past_end() const { return empty() ? data_ : data_ + (rows_ - 1) * row_stride_ + cols_; }

private:
    T* data_ = nullptr;
    Index rows_ = 0;
    Index cols_ = 0;
    Index row_stride_ = 0;
};

/// Owner of a matrix whose rows begin padded_stride apart. Elements and padding are zero at first.
template <class T>
class Matrix : public Expression<Matrix<T>> {
public:
    using Scalar = T;
    using Operand = MatrixView<const T>;

    Matrix() = default;
    /// Throws as resize does.
    Matrix(Index rows, Index cols) { resize(rows, cols); }
    /// Matrix<float>{{1, 2}, {3, 4}}; throws std::invalid_argument unless the rows are equally long.
    Matrix(std::initializer_list<std::initializer_list<T>> values)
        : Matrix(Index(values.size()), Index(values.size() ? values.begin()->size() : 0)) {
        T* out = data();
        for (const auto& row : values) {
            require(Index(row.size()) == cols_, "Matrix: one row has ", cols_, " values, another ",
                    row.size());
            std::copy(row.begin(), row.end(), out);
            out += row_stride_;
        }
    }
    template <class E>
    Matrix(const Expression<E>& e) : Matrix(e.self().rows(), e.self().cols()) {
        noalias() = e.self();
    }
    Matrix(const Matrix&) = default;
    Matrix(Matrix&& other) noexcept { swap(other); }
    Matrix& operator=(const Matrix&) = default;
    Matrix& operator=(Matrix&& other) noexcept {
        Matrix(std::move(other)).swap(*this);
        return *this;
    }
    /// Takes e's shape and elements; allocates only for another shape or where assign needs a temporary.
    template <class E>
    Matrix& operator=(const Expression<E>& e) {
        if (e.self().rows() == rows_ && e.self().cols() == cols_)
            view().assign(e);
        else
            *this = e.eval();
        return *this;
    }

    /// Changes the shape and leaves the elements unspecified; allocates only when capacity() is too small. Throws
    /// std::invalid_argument for a shape that cannot be, std::bad_alloc for one that is too large.
    void resize(Index rows, Index cols) {
        if (rows == rows_ && cols == cols_) return;
        constexpr Index limit = std::numeric_limits<Index>::max() / 2 / Index(sizeof(T));
        require(
            0 <= rows && 0 <= cols && cols <= limit && (cols == 0 || rows <= limit / padded_stride<T>(cols)),
            "Matrix: there is no shape ", rows, "x", cols);
        if (const Index n = rows * padded_stride<T>(cols); n > buffer_.size()) buffer_.resize(n);
        rows_ = rows;
        cols_ = cols;
        row_stride_ = padded_stride<T>(cols);
    }
    void swap(Matrix& other) noexcept {
        buffer_.swap(other.buffer_);
        std::swap(rows_, other.rows_);
        std::swap(cols_, other.cols_);
        std::swap(row_stride_, other.row_stride_);
    }

    MatrixView<T> view() { return {detail::Unchecked(), data(), rows_, cols_, row_stride_}; }
    MatrixView<const T> view() const { return {detail::Unchecked(), data(), rows_, cols_, row_stride_}; }
    operator MatrixView<T>() { return view(); }
    operator MatrixView<const T>() const { return view(); }

    T* data() { return buffer_.data(); }
    const T* data() const { return buffer_.data(); }
    Index rows() const { return rows_; }
    Index cols() const { return cols_; }
    Index row_stride() const { return row_stride_; }
    Index size() const { return rows_ * cols_; }
    Index capacity() const { return buffer_.capacity(); }
    bool empty() const { return size() == 0; }
    bool is_contiguous() const { return view().is_contiguous(); }
    T& operator()(Index i, Index j) { return view()(i, j); }
    const T& operator()(Index i, Index j) const { return view()(i, j); }

    auto noalias() { return view().noalias(); }
    void fill(T value) { view().fill(value); }
    void set_constant(T value) { fill(value); }
    void set_zero() { fill(0); }

    auto block(Index i, Index j, Index rows, Index cols) { return view().block(i, j, rows, cols); }
    auto block(Index i, Index j, Index rows, Index cols) const { return view().block(i, j, rows, cols); }
    auto row(Index i) { return view().row(i); }
    auto row(Index i) const { return view().row(i); }
    auto col(Index j) { return view().col(j); }
    auto col(Index j) const { return view().col(j); }
    auto middle_rows(Index i, Index n) { return view().middle_rows(i, n); }
    auto middle_rows(Index i, Index n) const { return view().middle_rows(i, n); }
    auto middle_cols(Index j, Index n) { return view().middle_cols(j, n); }
    auto middle_cols(Index j, Index n) const { return view().middle_cols(j, n); }
    auto top_rows(Index n) { return view().top_rows(n); }
    auto top_rows(Index n) const { return view().top_rows(n); }
    auto bottom_rows(Index n) { return view().bottom_rows(n); }
    auto bottom_rows(Index n) const { return view().bottom_rows(n); }
    auto left_cols(Index n) { return view().left_cols(n); }
    auto left_cols(Index n) const { return view().left_cols(n); }
    auto right_cols(Index n) { return view().right_cols(n); }
    auto right_cols(Index n) const { return view().right_cols(n); }

    /// A Matrix is inside a node only as the value of a product, which nothing else can write.
    bool disturbed_by(const auto&, bool) const { return false; }

private:
    Buffer<T> buffer_;  // (rows, row_stride)
    Index rows_ = 0;
    Index cols_ = 0;
    Index row_stride_ = 0;
};

}  // namespace cmlp::inline v0_1
