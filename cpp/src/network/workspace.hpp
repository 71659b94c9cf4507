// The passes of a network, forward and backward, with the memory they reuse from one to the next.
#pragma once

#include "layers/call.hpp"
#include "network/model.hpp"

namespace cmlp::inline v0_1::detail {

template <class T>
class Workspace {
public:
    /// keeps: what backward needs; otherwise memory is taken for the outputs that are still to be read, and reused.
    explicit Workspace(bool keeps = true) : keeps_(keeps) {}

    /// Output of layers first ... last - 1; x is borrowed until backward.
    MatrixView<const T> forward(const Model<T>& model, const Input<T>& x, Index first, Index last,
                                bool training);
    /// Gradient of the input from dy, that of the output. Throws unless the last passes of these layers were
    /// of one batch.
    MatrixView<const T> backward(const Model<T>& model, MatrixView<const T> dy, Index first, Index last,
                                 bool accumulate, bool input_gradient);
    /// Input of layer first in its last forward, then the outputs from there to layer last - 1.
    std::vector<MatrixView<const T>> outputs(Index first, Index last) const;
    MatrixView<const T> output() const;
    /// Drops the passes of the layers from that one on: their input may be gone.
    void forget_from(Index layer);
    /// Names of the rows that the next passes draw by, borrowed.
    void name_rows(std::span<const std::uint64_t> names) { row_names_ = names; }
    /// Bytes of memory that passes forward have taken.
    Index bytes() const;

private:
    /// What backward needs of one layer's last forward.
    struct Kept {
        MatrixView<const T> in, out;  // in: of a sparse one its numbers()
        SparseView<T> sparse;         // without rows where the input was dense
        std::uint64_t step = 0;       // of the random numbers drawn
        Index rows = 0;               // of the batch; 0: there was no pass
        bool training = false;
        // of a bracket
        Matrix<T>* sum = nullptr;  // of the group that begins here: what its members are added up in
        size_t held = 0;           // values that were held before it began
        MatrixView<const T> dy;    // gradient that came to it on the way back
    };

    void resize(size_t layers);
    void begin(const Model<T>& model, Index layer, MatrixView<const T> x, bool training);
    void end(Index layer, MatrixView<const T> out, Index rows);
    Index join_behind(const Model<T>& model, Index layer, Index last, Index rows, Matrix<T>& out,
                      JoinedLayers<T>& joined);
    Index join_front(const Model<T>& model, Index first, Index layer, bool input_gradient,
                     JoinedLayers<T>& joined);
    Matrix<T>& memory_for(std::vector<Matrix<T>>& all, Index layer, MatrixView<const T> x);
    Matrix<T>& output_memory(const Bracket& bracket, Index layer, MatrixView<const T> x);
    void hold(const Bracket& bracket, Index layer, MatrixView<const T> x);
    LayerCall<T> call(const Model<T>& model, Index layer, bool accumulate);
    std::span<const MatrixView<const T>> other_gradients(const Structure& structure, Index layer);
    void require_passes(MatrixView<const T> dy, Index first, Index last) const;
    MatrixView<const T> walk_back(const Model<T>& model, MatrixView<const T> dy, Index first, Index last,
                                  bool accumulate, bool input_gradient);
    void close_gradients(double enough);

    const bool keeps_;
    std::vector<Matrix<T>> memory_;            // output of each layer, or outputs still to be read
    std::vector<Matrix<T>> own_;               // what a layer itself keeps from forward to backward
    std::vector<MatrixView<const T>> held_;    // without backward: inputs and sums of groups that have begun
    std::vector<Kept> kept_;                   // one a layer
    std::vector<Matrix<T>> gradient_;          // of each layer's input
    std::vector<MatrixView<const T>> others_;  // input gradients of members of an ensemble
    std::vector<WeightGradient<T>> open_;      // of linear maps the last way back has passed
    Matrix<T> scratch_;
    SparseMatrix<T> columns_;  // of the rows of a sparse input
    std::span<const std::uint64_t> row_names_;
    Bf16Pairs pairs_;
};

}  // namespace cmlp::inline v0_1::detail
