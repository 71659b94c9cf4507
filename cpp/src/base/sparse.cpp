// Sparse matrices: what is checked of borrowed ones, rows chosen, and the counting sort that transposes.
#include <cmlp/base/sparse.hpp>

#include <limits>

namespace cmlp::inline v0_1 {
namespace {

void check_starts(Index rows, std::span<const std::int64_t> starts, Index entries, std::string_view what) {
    require(std::ssize(starts) == rows + 1, what, ": sparse, with ", starts.size(), " row starts for ", rows,
            " rows, it must have one more than rows");
    require(starts.front() == 0 && starts.back() == entries, what, ": sparse, its row starts go from ",
            starts.front(), " to ", starts.back(), ", they must go from 0 to the ", entries, " entries");
    for (Index i = 0; i < rows; ++i)
        require(starts[size_t(i)] <= starts[size_t(i) + 1], what, ": sparse, row ", i, " starts at ",
                starts[size_t(i)], " and ends at ", starts[size_t(i) + 1]);
}

}  // namespace

template <class T>
SparseView<T>::SparseView(Index rows, Index cols, std::span<const std::int64_t> starts,
                          std::span<const std::int32_t> columns, std::span<const T> values,
                          std::string_view what)
    : rows_(rows), cols_(cols), starts_(starts.data()), columns_(columns.data()), values_(values.data()) {
    constexpr Index most = std::numeric_limits<std::int32_t>::max();
    require(rows >= 0 && cols >= 0 && cols <= most, what, ": sparse, there is no shape ", rows, "x", cols,
            " of at most ", most, " columns");
    require(columns.size() == values.size(), what, ": sparse, with ", columns.size(), " column indices and ",
            values.size(), " values");
    check_starts(rows, starts, std::ssize(values), what);
    for (Index i = 0; i < rows; ++i)
        for (Index e = starts_[i]; e < starts_[i + 1]; ++e)
            require(columns_[e] >= 0 && columns_[e] < cols, what, ": sparse, row ", i,
                    " has an entry in column ", columns_[e], ", there are ", cols, " columns");
}

template <class T>
bool SparseView<T>::is_canonical() const {
    for (Index i = 0; i < rows_; ++i)
        for (Index e = starts_[i] - starts_[0] + 1; e < starts_[i + 1] - starts_[0]; ++e)
            if (columns_[e - 1] >= columns_[e]) return false;
    return true;
}

template <class T>
SparseView<T> SparseView<T>::middle_rows(Index first, Index n) const {
    require(0 <= first && 0 <= n && n <= rows_ - first, "middle_rows: ", n, " rows from ", first,
            " on are not among ", rows_);
    SparseView part = *this;
    part.rows_ = n;
    if (rows_ == 0) return part;
    const Index before = starts_[first] - starts_[0];
    part.starts_ += first;
    part.columns_ += before;
    part.values_ += before;
    return part;
}

template <class T>
SparseView<T> SparseMatrix<T>::view() const {
    SparseView<T> view;
    view.rows_ = rows_, view.cols_ = cols_;
    view.starts_ = starts_.data(), view.columns_ = columns_.data(), view.values_ = values_.data();
    return view;
}

template <class T>
void SparseMatrix<T>::resize(Index rows, Index cols, Index entries) {
    const auto hold = [](auto& buffer, Index n) {
        if (buffer.size() < n) buffer.resize(n);
    };
    hold(starts_, rows + 1), hold(columns_, entries), hold(values_, entries);
    rows_ = rows, cols_ = cols;
    starts_[0] = 0;
}

template <class T>
void SparseMatrix<T>::assign(MatrixView<const T> x) {
    const auto each = [&](auto&& f) {
        for (Index i = 0; i < x.rows(); ++i)
            for (Index j = 0; j < x.cols(); ++j)
                if (x(i, j) != 0) f(i, j);  // a NaN is not 0
    };
    Index entries = 0;
    each([&](Index, Index) { ++entries; });
    resize(x.rows(), x.cols(), entries);
    std::fill_n(starts_.data(), rows_ + 1, 0);
    Index at = 0;
    each([&](Index i, Index j) {
        columns_[at] = static_cast<std::int32_t>(j);
        values_[at] = x(i, j);
        starts_[i + 1] = ++at;
    });
    for (Index i = 0; i < rows_; ++i) starts_[i + 1] = std::max(starts_[i], starts_[i + 1]);
}

template <class T>
void SparseMatrix<T>::assign(const SparseView<T>& x) {
    resize(x.rows(), x.cols(), x.entries());
    for (Index i = 0; i < x.rows(); ++i) starts_[i + 1] = x.starts()[i + 1] - x.starts()[0];
    std::copy_n(x.columns(), x.entries(), columns_.data());
    std::copy_n(x.values(), x.entries(), values_.data());
}

template <class T>
void SparseMatrix<T>::assign_rows(const SparseView<T>& x, std::span<const Index> order) {
    const std::int64_t* const starts = x.starts();
    Index entries = 0;
    for (const Index row : order) entries += starts[row + 1] - starts[row];
    resize(std::ssize(order), x.cols(), entries);
    for (Index i = 0; i < rows_; ++i) {
        const Index row = order[size_t(i)], from = starts[row] - starts[0], n = starts[row + 1] - starts[row];
        std::copy_n(x.columns() + from, n, columns_.data() + starts_[i]);
        std::copy_n(x.values() + from, n, values_.data() + starts_[i]);
        starts_[i + 1] = starts_[i] + n;
    }
}

template <class T>
void SparseMatrix<T>::assign_transpose(const SparseView<T>& x) {
    const Index entries = x.entries();
    resize(x.cols(), x.rows(), entries);
    std::fill_n(starts_.data(), rows_ + 1, 0);
    for (Index e = 0; e < entries; ++e) ++starts_[x.columns()[e] + 1];
    for (Index j = 0; j < rows_; ++j) starts_[j + 1] += starts_[j];
    // Each start serves as the place of its next entry, and so ends up as the start of the row behind it.
    Index e = 0;
    for (Index i = 0; i < x.rows(); ++i)
        for (const Index end = x.starts()[i + 1] - x.starts()[0]; e < end; ++e) {
            const Index at = starts_[x.columns()[e]]++;
            columns_[at] = static_cast<std::int32_t>(i);
            values_[at] = x.values()[e];
        }
    std::copy_backward(starts_.data(), starts_.data() + rows_, starts_.data() + rows_ + 1);
    starts_[0] = 0;
}

template class SparseView<float>;
template class SparseView<double>;
template class SparseMatrix<float>;
template class SparseMatrix<double>;

}  // namespace cmlp::inline v0_1
