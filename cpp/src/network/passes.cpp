// Forward and backward passes for callers that hold the network exclusively.
#include "network/parts.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
MatrixView<const T> Passes<T>::forward(NetworkParts<T>& p, const Input<T>& x, Index first, Index last,
                                       bool training) {
    require(x.rows() > 0, "forward: x has no rows");
    (void)p.prediction().output_width(x, first, last);  // nothing is written unless all layers fit
    MatrixView<const T> y;
    try {
        with_team(p.model.parameters.pass_work(x.rows()), 1,
                  [&] { y.rebind(p.workspace.forward(p.model, x, first, last, training)); });
    } catch (...) {
        p.workspace.forget_from(first);  // x may be gone
        throw;
    }
    p.workspace.forget_from(last);  // their input may be gone
    p.model.step += training;
    return y;
}

template <class T>
MatrixView<const T> Passes<T>::backward(NetworkParts<T>& p, MatrixView<const T> dy, Index first, Index last,
                                        bool accumulate, bool input_gradient) {
    p.model.structure.require_range("backward", first, last);
    with_team(p.model.parameters.pass_work(dy.rows()), 1,
              [&] { dy.rebind(p.workspace.backward(p.model, dy, first, last, accumulate, input_gradient)); });
    return dy;
}

template struct Passes<float>;
template struct Passes<double>;

}  // namespace cmlp::inline v0_1::detail
