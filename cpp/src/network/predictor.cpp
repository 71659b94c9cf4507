// The Predictor: its memory, taken before it is needed.
#include <cmlp/network/predictor.hpp>

#include "network/parts.hpp"

namespace cmlp::inline v0_1 {

template <class T>
Predictor<T>::Predictor(const Network<T>& network)
    : parts_(&network.parts()), memory_(std::make_unique<detail::PredictionMemory<T>>()) {}

template <class T>
Predictor<T>::Predictor(Predictor&& other) noexcept = default;
template <class T>
Predictor<T>& Predictor<T>::operator=(Predictor&& other) noexcept = default;
template <class T>
Predictor<T>::~Predictor() = default;

// A prediction of rows of zeros takes all memory there is to take, and lets what begins at the first call begin.
template <class T>
void Predictor<T>::reserve(Index rows, Index columns) {
    require(rows >= 1, "Predictor.reserve: rows is ", rows, ", it must be at least 1");
    const Index own = parts_->model.structure.input_width();
    require(own > 0 || columns > 0,
            "Predictor.reserve: the network takes any number of columns, say how many");
    const Matrix<T> x(rows, columns > 0 ? columns : own);
    (void)predict(Input<T>(x));
}

template <class T>
void Predictor<T>::predict_into(const Input<T>& x, MatrixView<T> y, Execution execution) {
    const ExecutionScope limit(execution);
    const auto prediction = parts_->prediction();
    const Index last = parts_->model.structure.count();
    prediction.check(x, y, 0, last);
    prediction.run(x, y, 0, last, *memory_);
}

template <class T>
Matrix<T> Predictor<T>::predict(const Input<T>& x, Execution execution) {
    Matrix<T> y(x.rows(), parts_->prediction().output_width(x, 0, parts_->model.structure.count()));
    predict_into(x, y.view(), execution);
    return y;
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace cmlp::inline v0_1
