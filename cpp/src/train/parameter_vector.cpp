// Parameters as one vector in double.
#include <cmlp/ops/flat.hpp>
#include <cmlp/train/full_batch.hpp>

#include <functional>
#include <utility>

namespace cmlp::inline v0_1 {

template <class T>
ParameterVector<T>::ParameterVector(std::vector<Parameter<T>> parameters, std::string_view what)
    : parameters_(std::move(parameters)) {
    require(!parameters_.empty(), what, ": there are no parameters");
    for (const auto& parameter : parameters_) size_ += parameter.value.size();
}

template <class T>
std::vector<double> ParameterVector<T>::values() const {
    std::vector<double> x;
    x.reserve(size_t(size_));
    for (const auto& parameter : parameters_)
        for (Index r = 0; r < parameter.value.rows(); ++r)
            for (Index c = 0; c < parameter.value.cols(); ++c) x.push_back(double(parameter.value(r, c)));
    return x;
}

template <class T>
void ParameterVector<T>::place(std::span<const double> x) const {
    size_t at = 0;
    for (const auto& parameter : parameters_)
        for (Index r = 0; r < parameter.value.rows(); ++r)
            for (Index c = 0; c < parameter.value.cols(); ++c)
                parameter.value(r, c) = static_cast<T>(x[at++]);
}

template <class T>
void ParameterVector<T>::gradient(std::span<double> g) const {
    size_t at = 0;
    for (const auto& parameter : parameters_)
        for (Index r = 0; r < parameter.grad.rows(); ++r)
            for (Index c = 0; c < parameter.grad.cols(); ++c) g[at++] = double(parameter.grad(r, c));
}

template <class T>
double ParameterVector<T>::add_penalty(double l2) const {
    double total = 0;
    for (const auto& parameter : parameters_)
        if (parameter.spec.transposed) total += cmlp::add_penalty<T>(parameter.value, parameter.grad, 0, l2);
    return total;
}

template <class T>
bool ParameterVector<T>::is_over(std::span<const T> values) const {
    const std::less<const T*> before;
    for (const auto& parameter : parameters_)
        if (before(parameter.value.data(), values.data()) ||
            !before(parameter.value.data(), values.data() + values.size()))
            return false;
    return true;
}

template class ParameterVector<float>;
template class ParameterVector<double>;

}  // namespace cmlp::inline v0_1
