// A network: layers in order, their numbers in one flat buffer (what is trained first) and the gradients in another.
#pragma once

#include <cmlp/layers/layers.hpp>

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace cmlp {

/// A layer with the name its parameters carry: "0", "encoder.1".
struct NamedLayer {
    std::string name;
    Layer layer;
};

/// "0.weight": the layer's name and the parameter's; a layer without a name adds none.
inline std::string parameter_name(const NamedLayer& layer, const ParameterSpec& spec) {
    return layer.name.empty() ? spec.name : layer.name + "." + spec.name;
}

/// One parameter: where it lies in the flat buffers and how it is shown.
template <class T>
struct Parameter {
    std::string name;  ///< "0.weight"
    Index layer;       ///< index of its layer
    ParameterSpec spec;
    Index offset;         ///< of its first element in the flat buffers
    MatrixView<T> value;  // as stored, rows padded
    MatrixView<T> grad;   // empty for a buffer
};

/// What backward needs of one layer's last forward.
template <class T>
struct Kept {
    MatrixView<const T> in, out;  // in: of a sparse one its numbers()
    SparseView<T> sparse;         // without rows where the input was dense
    std::uint64_t step = 0;       ///< of the random numbers drawn
    bool training = false;
};

/// Memory of the passes, reused from one to the next.
template <class T>
struct Workspace {
    std::vector<Matrix<T>> memory;        // output of each layer
    std::vector<Matrix<T>> own;           // what a layer itself keeps from forward to backward
    std::vector<Kept<T>> kept;            // one a layer
    std::vector<Matrix<T>> gradient;      // of each layer's input
    std::vector<WeightGradient<T>> open;  // of linear maps the last way back has passed
    Matrix<T> scratch;
    SparseMatrix<T> columns;  // of the rows of a sparse input
    std::span<const std::uint64_t> row_names;
    Bf16Pairs pairs;
};

/// Layers in order. Copies are deep. predict is const and safe from many threads; all else is for one at a time.
template <class T>
class Network {
public:
    /// Draws the parameters from the seed, or leaves them 0; throws std::invalid_argument when sizes do not fit.
    explicit Network(std::vector<NamedLayer> layers, std::uint64_t seed = 0, bool draw = true);
    /// The same with layers named "0", "1", ...
    explicit Network(std::vector<Layer> layers, std::uint64_t seed = 0);
    Network(const Network& other);
    Network& operator=(const Network&) = delete;
    /// The same network in the other precision, parameters rounded.
    template <class U>
    explicit Network(const Network<U>& other);

    /// Output, keeping what backward needs; x is borrowed until then. The view is valid until the next pass. Throws on a
    /// sparse x unless the first layer is a Linear.
    MatrixView<const T> forward(const Input<T>& x) { return forward(x, 0, size()); }
    /// The same for layers first ... last - 1 alone.
    MatrixView<const T> forward(const Input<T>& x, Index first, Index last);
    /// Gradient of the input from dy, that of the output; the parameters' gradients are added to, or set.
    MatrixView<const T> backward(MatrixView<const T> dy) { return backward(dy, 0, size()); }
    MatrixView<const T> backward(MatrixView<const T> dy, Index first, Index last, bool accumulate = true,
                                 bool input_gradient = true);
    /// A copy of x in the network's own memory, for callers whose x may be gone before backward.
    Input<T> keep(const Input<T>& x, Index first = 0);
    /// Input of layer first in its last forward (of a sparse one its numbers()), then the outputs from there to layer last - 1.
    std::vector<MatrixView<const T>> outputs(Index first, Index last) const;
    /// Output of the last forward.
    MatrixView<const T> output() const;
    /// Lets go of the passes so far: backward throws until the next.
    void forget();

    /// y = the output for x in evaluation mode, layers first ... last; const and lock-free. Throws on a wrong shape.
    void predict_into(const Input<T>& x, MatrixView<T> y) const { predict_into(x, y, 0, size()); }
    void predict_into(const Input<T>& x, MatrixView<T> y, Index first, Index last) const;
    /// Columns of the output for an input with `in` columns; throws when a layer cannot take its input.
    Index output_width(Index in, Index first, Index last) const;
    /// The same for x; throws when it is sparse and layer first no Linear.
    Index output_width(const Input<T>& x, Index first, Index last) const;
    /// Columns the network insists on, 0 when its layers take any.
    Index input_width() const;

    const std::vector<NamedLayer>& layers() const { return layers_; }
    Index size() const { return static_cast<Index>(layers_.size()); }
    const std::vector<Parameter<T>>& parameters() const { return parameters_; }
    /// Numbers that layers keep beside their parameters, such as running means: saved, never trained.
    const std::vector<Parameter<T>>& buffers() const { return buffers_; }
    /// All parameters, and their gradients, as the optimizers see them.
    std::span<T> values() { return state().first(static_cast<size_t>(grads_.size())); }
    std::span<T> grads() { return grads_.span(); }
    std::span<const T> values() const { return state().first(static_cast<size_t>(grads_.size())); }
    std::span<const T> grads() const { return grads_.span(); }
    /// All parameters, then all buffers: what a checkpoint holds.
    std::span<T> state() { return values_.span(); }
    std::span<const T> state() const { return values_.span(); }
    /// Multiplications or so of the largest layer's pass over that many rows.
    double pass_work(Index rows) const { return double(rows) * double(largest_layer_); }
    /// Number of parameters, padding not counted.
    Index parameter_count() const;
    void zero_grad();
    /// Draws the parameters anew.
    void reset_parameters(std::uint64_t seed);
    /// Draws the linear layers first ... last - 1 anew by the rows of x, the input of layer first, one after the other:
    /// each output has standard deviation 1 before its bias, which puts 0 amid the rows. Buffers and gradients stay.
    /// Throws std::invalid_argument when x has no rows, another width or an element that is not finite.
    void initialize_from(MatrixView<const T> x, std::uint64_t seed, Index first, Index last);

    bool training() const { return training_; }
    void train(bool on = true) { training_ = on; }
    std::uint64_t seed() const { return seed_; }
    /// Counts the forward passes in training mode: the random numbers of the next one follow from it.
    std::uint64_t step() const { return step_; }
    void set_step(std::uint64_t step) { step_ = step; }

    /// How linear layers multiply; throws on bf16 unless T is float. Saved.
    Precision precision() const { return precision_; }
    void set_precision(Precision precision);
    /// Names of the rows that the next passes draw dropout by, borrowed until forget(); empty: their places in the batch.
    void name_rows(std::span<const std::uint64_t> names) { workspace_.row_names = names; }
    /// Factor of p of every dropout layer, at first 1: what a schedule moves; throws outside [0, 1]. Not saved.
    double dropout() const { return dropout_; }
    void set_dropout(double factor);

    /// Text kept with the model when it is saved.
    std::map<std::string, std::string> metadata;

    /// Held by the thread that changes the network (again by its own callbacks); throws std::runtime_error while
    /// another thread holds it.
    class Exclusive {
    public:
        Exclusive(Network& network, const char* what);
        ~Exclusive();
        Exclusive(const Exclusive&) = delete;

    private:
        Network& network_;
        bool nested_;
    };

private:
    // A linear layer with the activation behind it.
    struct Link {
        MatrixView<const T> w;  // (in, out)
        const T* bias;          // (out) or null
        Activation activation = Activation::identity;
        std::array<T, 4> parameters = {};
    };

    std::vector<Link> find_chain() const;
    void follow_chain(MatrixView<const T> x, MatrixView<T> y, T* between, Index half) const;
    void predict_chain(MatrixView<const T> x, MatrixView<T> y) const;
    void forget(size_t layer);
    bool is_joined(Index layer) const;
    const ActivationLayer* activation_at(Index layer) const;
    void require_range(const char* what, Index first, Index last) const;
    void allocate();
    Index place(std::vector<Parameter<T>>& all, bool trainable, Index offset);
    void match_residuals();
    LayerCall<T> call(Index layer, Workspace<T>& workspace, bool accumulate) const;
    MatrixView<const T> run_back(MatrixView<const T> dy, Index first, Index last, bool accumulate,
                                 bool input_gradient);
    void close_gradients(double enough);
    MatrixView<const T> run(Workspace<T>& workspace, const Input<T>& input, Index first, Index last,
                            bool training) const;

    std::vector<NamedLayer> layers_;
    std::vector<Parameter<T>> parameters_, buffers_;
    std::vector<Index> partner_;    // the other end of a residual, by layer; -1: none
    std::vector<Link> chain_;       // the whole network, where it is linear layers with activations alone
    Index largest_layer_ = 0;       // parameters of it, padding counted
    Index input_ = 0, output_ = 0;  // widths of the whole, 0: not known beforehand
    std::vector<std::vector<MatrixView<T>>> layer_values_, layer_grads_;  // views by layer
    Buffer<T> values_, grads_;  // parameters then buffers; parameters alone
    std::uint64_t seed_ = 0, step_ = 0;
    bool training_ = true;
    double dropout_ = 1;
    Precision precision_ = Precision::own;
    Workspace<T> workspace_;
    std::vector<Matrix<T>> inputs_;  // what keep() was given, by layer
    std::vector<SparseMatrix<T>> sparse_inputs_;
    std::atomic<std::thread::id> owner_{};
};

}  // namespace cmlp
