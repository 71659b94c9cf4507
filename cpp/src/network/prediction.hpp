// Prediction: const over a model, with all its memory in its arguments.
#pragma once

#include <array>

#include "network/workspace.hpp"

namespace cmlp::inline v0_1::detail {

/// Memory of predictions, reused from one to the next.
template <class T>
struct PredictionMemory {
    Buffer<T> between;              // of a chain: what lies between its layers
    Workspace<T> workspace{false};  // of any other network

    Index bytes() const { return between.capacity() * Index(sizeof(T)) + workspace.bytes(); }
};

/// Rows of so many bytes of memory that one thread takes through all layers at once, so that what lies
/// between the layers stays in the caches; for a team as many times that.
Index rows_of_block(Index bytes_a_row);

/// A network of linear maps and activations alone: blocks of rows go through all layers in one region over
/// the threads, without the notes that a way back would need.
template <class T>
class Chain {
public:
    /// Empty for layers that are no such chain. The parameters are borrowed.
    Chain(const Structure& structure, const FlatParameters<T>& parameters);
    bool empty() const { return links_.empty(); }
    /// Numbers of memory that so many rows need.
    Index memory(Index rows) const { return 2 * rows * widest_; }
    /// y = the output for x; between holds memory(min(rows, block_rows())) numbers on a 64-byte boundary.
    void predict(MatrixView<const T> x, MatrixView<T> y, T* between) const;
    /// Multiplications or so that the rows take.
    double work(Index rows) const { return double(rows) * weights_; }
    /// Rows that pass through all layers in one block, with the team of this thread.
    Index block_rows() const { return rows_of_block(memory(1) * Index(sizeof(T))); }

private:
    /// A linear layer with the activation behind it.
    struct Link {
        MatrixView<const T> w;  // (in, out)
        const T* bias;          // (out) or null
        T factor;               // of the product
        Activation activation = Activation::identity;
        std::array<T, 4> parameters = {};
        const T* share = nullptr;  // of a ParametricActivation, (out)

        bool is_active() const { return share || activation != Activation::identity; }
    };

    bool add(const Structure& structure, const FlatParameters<T>& parameters, Index at);
    void follow(MatrixView<const T> x, MatrixView<T> y, T* between, Index half) const;

    std::vector<Link> links_;
    Index widest_ = 0;    // row of memory between two layers
    double weights_ = 0;  // numbers of the network: work of a row
};

/// y = the output of layers first ... last - 1 for x in evaluation mode. Throws on shapes that do not fit,
/// and when x and y share elements.
template <class T>
class Prediction {
public:
    Prediction(const Model<T>& model, const Chain<T>& chain) : model_(model), chain_(chain) {}

    /// Whether the chain predicts the complete network for x, without a workspace.
    bool is_chain(const Input<T>& x, Index first, Index last) const;
    void check(const Input<T>& x, MatrixView<T> y, Index first, Index last) const;
    /// Without checks.
    void run(const Input<T>& x, MatrixView<T> y, Index first, Index last, PredictionMemory<T>& memory) const;
    /// Columns of the output; throws when a layer cannot take x.
    Index output_width(const Input<T>& x, Index first, Index last) const;

private:
    void require_sparse_input(Index first, Index last) const;
    void run_chain(MatrixView<const T> x, MatrixView<T> y, PredictionMemory<T>& memory) const;
    void run_layers(const Input<T>& x, MatrixView<T> y, Index first, Index last,
                    Workspace<T>& workspace) const;

    const Model<T>& model_;
    const Chain<T>& chain_;
};

}  // namespace cmlp::inline v0_1::detail
