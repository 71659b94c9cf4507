// Parts of the rows of a data set, and the checks before they are used.
#include <cmlp/network/data.hpp>

#include <cmath>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

template <class T>
Data<T> Data<T>::middle_rows(Index first, Index n) const {
    const auto part = [=]<class E>(std::span<const E> all) {
        return all.empty() ? all : all.subspan(static_cast<size_t>(first), static_cast<size_t>(n));
    };
    return {x.middle_rows(first, n), target.middle_rows(first, n), part(std::span<const T>(weight)),
            part(std::span<const std::uint64_t>(name))};
}

namespace {

[[noreturn]] void fail_non_finite(std::string_view what, const char* name, double value, Index row,
                                  Index column) {
    fail(what, ": ", name, " has ", std::isnan(value) ? "nan" : "infinity", " at row ", row, ", column ",
         column);
}

template <class T>
void check_finite(MatrixView<const T> values, std::string_view what, const char* name) {
    const Index at = values.empty() ? -1 : ops::first_nonfinite<T>(values);
    if (at < 0) return;
    const Index row = at / values.cols(), column = at % values.cols();
    fail_non_finite(what, name, values(row, column), row, column);
}

}  // namespace

template <class T>
void check_x(const Input<T>& x, std::string_view what) {
    require(x.rows() > 0, what, ": x has no rows");
    if (!x.is_sparse()) return check_finite<T>(x.numbers(), what, "x");
    const SparseView<T>& s = x.sparse();
    const Index at = ops::first_nonfinite<T>(s.numbers());
    if (at < 0) return;
    const Index row =
        std::upper_bound(s.starts(), s.starts() + s.rows(), s.starts()[0] + at) - s.starts() - 1;
    fail_non_finite(what, "x", s.values()[at], row, s.columns()[at]);
}

template <class T>
void check_data(const Data<T>& data, std::string_view what) {
    check_x<T>(data.x, what);
    require(data.target.rows() == data.rows(), what, ": x has ", data.rows(), " rows, y has ",
            data.target.rows());
    require(data.weight.empty() || std::ssize(data.weight) == data.rows(), what, ": x has ", data.rows(),
            " rows, sample_weight has ", data.weight.size());
    check_finite<T>(data.target.dense, what, "y");
    check_weights<T>(data.weight, what);
    require(data.weight.empty() || ops::weighted_sum<T>(data.weight, nullptr) > 0, what,
            ": sample_weight is 0 in every row");
}

template struct Data<float>;
template struct Data<double>;
template void check_data<float>(const Data<float>&, std::string_view);
template void check_data<double>(const Data<double>&, std::string_view);
template void check_x<float>(const Input<float>&, std::string_view);
template void check_x<double>(const Input<double>&, std::string_view);

}  // namespace cmlp::inline v0_1
