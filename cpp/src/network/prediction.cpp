// A prediction: checked, then by the chain or layer by layer over blocks of rows.
#include "network/prediction.hpp"

#include <algorithm>
#include <functional>

#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1::detail {
namespace {

/// Whether writing y would change an element of x. Of interleaved rows of one stride the columns decide.
template <class T>
bool share_elements(MatrixView<const T> x, MatrixView<T> y) {
    const std::less<const T*> before;
    if (x.empty() || y.empty() || !before(x.data(), y.past_end()) || !before(y.data(), x.past_end()))
        return false;
    const Index stride = x.row_stride();
    if (x.rows() == 1 || stride != y.row_stride() || stride <= 0) return true;
    const Index apart = ((y.data() - x.data()) % stride + stride) % stride;
    return apart < x.cols() || apart + y.cols() > stride;
}

constexpr Index most_rows = 192, fewest_rows = 24;  // of a block of one thread
constexpr Index block_bytes = 1 << 22;              // of the caches that one thread may fill
constexpr Index values_at_once =
    6;  // between layers, each at most as wide as the widest: what layers keep included

}  // namespace

Index rows_of_block(Index bytes_a_row) {
    return std::clamp(block_bytes / std::max(Index(1), bytes_a_row), fewest_rows, most_rows) *
           std::max(1, team_threads());
}

template <class T>
bool Prediction<T>::is_chain(const Input<T>& x, Index first, Index last) const {
    return !chain_.empty() && model_.precision == Precision::own && !x.is_sparse() && first == 0 &&
           last == model_.structure.count();
}

template <class T>
void Prediction<T>::require_sparse_input(Index first, Index last) const {
    for (Index l = first; l < last; ++l) {
        const Layer& layer = model_.structure[l].layer;
        const bool takes =
            std::holds_alternative<Linear>(layer) || std::holds_alternative<EnsembleBegin>(layer);
        require(takes || !model_.structure.gets_input(l, first), type_name(layer),
                ".forward: x is sparse, only a Linear takes it");
    }
    require(model_.precision == Precision::own,
            "Linear.forward: x is sparse, with precision bf16 it must be dense");
}

template <class T>
Index Prediction<T>::output_width(const Input<T>& x, Index first, Index last) const {
    if (x.is_sparse()) require_sparse_input(first, last);
    return model_.structure.output_width(x.cols(), first, last);
}

template <class T>
void Prediction<T>::check(const Input<T>& x, MatrixView<T> y, Index first, Index last) const {
    const Index width = output_width(x, first, last);
    require(y.rows() == x.rows() && y.cols() == width, "predict_into: y is ", y.rows(), "x", y.cols(),
            ", the output is ", x.rows(), "x", width);
    require(!share_elements(x.numbers(), y), "predict_into: x and y share memory, y needs memory of its own");
}

template <class T>
void Prediction<T>::run(const Input<T>& x, MatrixView<T> y, Index first, Index last,
                        PredictionMemory<T>& memory) const {
    if (is_chain(x, first, last))
        return with_team(chain_.work(x.rows()), 1, [&] { run_chain(x.numbers(), y, memory); });
    with_team(model_.parameters.pass_work(x.rows()), 1,
              [&] { run_layers(x, y, first, last, memory.workspace); });
}

template <class T>
void Prediction<T>::run_chain(MatrixView<const T> x, MatrixView<T> y, PredictionMemory<T>& memory) const {
    const Index size = chain_.memory(std::min(chain_.block_rows(), x.rows()));
    if (memory.between.size() < size) memory.between.resize(size);
    chain_.predict(x, y, memory.between.data());
}

template <class T>
void Prediction<T>::run_layers(const Input<T>& x, MatrixView<T> y, Index first, Index last,
                               Workspace<T>& workspace) const {
    const Index bytes_a_row =
        values_at_once * model_.structure.widest(x.cols(), first, last) * Index(sizeof(T));
    const bool one_block = model_.structure.takes_batch_statistics(first, last);
    const Index most = one_block ? x.rows() : rows_of_block(bytes_a_row);
    for (Index r = 0; r < x.rows(); r += most) {  // the layers share each block among the threads
        const Index rows = std::min(most, x.rows() - r);
        y.middle_rows(r, rows).assign(workspace.forward(model_, x.middle_rows(r, rows), first, last, false));
    }
}

template class Prediction<float>;
template class Prediction<double>;

}  // namespace cmlp::inline v0_1::detail
