// Two loops: the layers forwards, the layers backwards; and what is kept between them.
#include "network/workspace.hpp"

#include <algorithm>
#include <functional>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1::detail {
namespace {

// Multiplications of weight gradients that are worth a region over the threads of their own.
constexpr double large_work = 1 << 23;

}  // namespace

template <class T>
void Workspace<T>::resize(size_t layers) {
    if (kept_.size() >= layers) return;
    memory_.resize(layers);
    own_.resize(layers);
    kept_.resize(layers);  // the last, since it says that all are there
}

// The layer's own, or the first that holds nothing which is still to be read.
template <class T>
Matrix<T>& Workspace<T>::memory_for(std::vector<Matrix<T>>& all, Index layer, MatrixView<const T> x) {
    if (keeps_) return all[static_cast<size_t>(layer)];
    const std::less<const T*> before;
    const auto free = [&](const Matrix<T>& memory) {
        const auto holds = [&](MatrixView<const T> value) {
            return !before(value.data(), memory.data()) &&
                   before(value.data(), memory.data() + memory.capacity());
        };
        return !holds(x) && std::ranges::none_of(held_, holds);
    };
    return *std::ranges::find_if(all, free);
}

// All members of a group are added up in one memory, that of its end.
template <class T>
Matrix<T>& Workspace<T>::output_memory(const Bracket& bracket, Index layer, MatrixView<const T> x) {
    if (bracket.member < 0) return memory_for(memory_, layer, x);
    Kept& begin = kept_[static_cast<size_t>(bracket.begin)];
    if (bracket.member == 0) begin.sum = &memory_for(memory_, bracket.end, x);
    return *begin.sum;
}

// Where outputs are not kept: from its beginning to its end a group's input is still to be read, and its sum from the
// first member on. x is the input of the bracket, which has passed.
template <class T>
void Workspace<T>::hold(const Bracket& bracket, Index layer, MatrixView<const T> x) {
    if (keeps_ || bracket.begin < 0) return;
    Kept& begin = kept_[static_cast<size_t>(bracket.begin)];
    if (layer == bracket.begin) {
        begin.held = held_.size();
        held_.push_back(x);
    } else if (layer == bracket.end) {
        while (held_.size() > begin.held) held_.pop_back();
    } else if (bracket.member == 0) {
        held_.push_back(begin.sum->view());
    }
}

template <class T>
Index Workspace<T>::bytes() const {
    Index numbers = scratch_.capacity();
    for (const auto* all : {&memory_, &own_})
        for (const Matrix<T>& memory : *all) numbers += memory.capacity();
    const Index pairs = pairs_.left.capacity() + pairs_.right.capacity() + pairs_.turned.capacity();
    return numbers * Index(sizeof(T)) + pairs * Index(sizeof(float));
}

template <class T>
LayerCall<T> Workspace<T>::call(const Model<T>& model, Index layer, bool accumulate) {
    const auto l = static_cast<size_t>(layer);
    const Kept& kept = kept_[l];
    LayerCall<T> call{model.parameters.values_of(layer), model.parameters.grads_of(layer), &scratch_,
                      kept.training, accumulate};
    call.draws = {model.draws().seed + 0x9E3779B97F4A7C15u * std::uint64_t(layer), kept.step, row_names_,
                  model.dropout};
    call.kept = &own_[l];
    if (model.precision == Precision::bf16) call.linear.pairs = &pairs_;
    if (kept.sparse.rows() > 0) call.linear.sparse = &kept.sparse, call.linear.columns = &columns_;
    if (const Bracket& bracket = model.structure.bracket(layer); bracket.begin >= 0) {
        call.group.input.rebind(kept_[static_cast<size_t>(bracket.begin)].in);
        call.group.dy.rebind(kept_[static_cast<size_t>(bracket.end)].dy);
        call.group.first = bracket.member == 0;
    }
    return call;
}

template <class T>
void Workspace<T>::begin(const Model<T>& model, Index layer, MatrixView<const T> x, bool training) {
    Kept& kept = kept_[static_cast<size_t>(layer)];
    kept.in.rebind(x);
    kept.rows = 0;  // until the layer has not thrown
    kept.step = model.draws().step;
    kept.training = training;
    if (kept.sparse.rows() > 0) kept.sparse = {};
}

template <class T>
void Workspace<T>::end(Index layer, MatrixView<const T> out, Index rows) {
    Kept& kept = kept_[static_cast<size_t>(layer)];
    kept.out.rebind(out);
    kept.rows = rows;
}

template <class T>
MatrixView<const T> Workspace<T>::forward(const Model<T>& model, const Input<T>& input, Index first,
                                          Index last, bool training) {
    resize(model.structure.layers().size());
    MatrixView<const T> x = input.numbers();
    held_.clear();
    for (Index l = first, next; l < last; l = next) {
        const auto i = static_cast<size_t>(l);
        begin(model, l, x, training);
        if (input.is_sparse() && model.structure.gets_input(l, first)) kept_[i].sparse = input.sparse();
        const Bracket& bracket = model.structure.bracket(l);
        LayerCall<T> layer = call(model, l, false);
        Matrix<T>& out = output_memory(bracket, l, x);
        layer.kept = &memory_for(own_, l, x);
        JoinedLayers<T> joined;
        next = join_behind(model, l, last, input.rows(), out, joined);
        if (!joined.empty()) layer.linear.joined = &joined;
        const auto y = cmlp::forward<T>(model.structure[l].layer, layer, x, out);
        hold(bracket, l, x);
        end(l, y, input.rows());
        for (Index j = l + 1; j < next; ++j) {
            begin(model, j, kept_[static_cast<size_t>(j - 1)].out, training);
            end(j, keeps_ ? memory_[static_cast<size_t>(j)] : out, input.rows());
        }
        x.rebind(kept_[static_cast<size_t>(next - 1)].out);
    }
    return x;
}

template <class T>
void Workspace<T>::require_passes(MatrixView<const T> dy, Index first, Index last) const {
    for (Index l = last - 1; l >= first; --l)
        require(!kept_.empty() && kept_[size_t(l)].rows > 0,
                "backward: there is no forward pass to go back from");
    const Kept& end = kept_[static_cast<size_t>(last - 1)];
    require(dy.rows() == end.out.rows() && dy.cols() == end.out.cols(), "backward: dy is ", dy.rows(), "x",
            dy.cols(), ", the last output ", end.out.rows(), "x", end.out.cols());
    for (Index l = last - 2; l >= first; --l)
        require(kept_[size_t(l)].rows == end.rows, "backward: the layers' last passes had ",
                kept_[size_t(l)].rows, " and ", end.rows, " rows");
}

template <class T>
MatrixView<const T> Workspace<T>::backward(const Model<T>& model, MatrixView<const T> dy, Index first,
                                           Index last, bool accumulate, bool input_gradient) {
    require_passes(dy, first, last);
    gradient_.resize(kept_.size());
    open_.clear();
    return walk_back(model, dy, first, last, accumulate, input_gradient);
}

template <class T>
MatrixView<const T> Workspace<T>::walk_back(const Model<T>& model, MatrixView<const T> dy, Index first,
                                            Index last, bool accumulate, bool input_gradient) {
    const Structure& structure = model.structure;
    const auto is_wanted = [&](Index l) { return input_gradient || !structure.gets_input(l, first); };
    for (Index l = last - 1; l >= first; --l) {
        const auto i = static_cast<size_t>(l);
        kept_[i].dy.rebind(dy);
        LayerCall<T> layer = call(model, l, accumulate);
        layer.linear.open = &open_;
        layer.group.gradients = other_gradients(structure, l);
        JoinedLayers<T> joined;
        const Index lowest = structure.is_linear(l) ? join_front(model, first, l, input_gradient, joined) : l;
        if (!joined.empty()) layer.linear.joined = &joined;
        dy.rebind(cmlp::backward<T>(structure[l].layer, layer, kept_[i].in, kept_[i].out, dy,
                                    is_wanted(l) ? &gradient_[i] : nullptr));
        l = lowest;
        close_gradients(large_work);
    }
    close_gradients(0);
    return dy;
}

// Gradients of the inputs of all members but the first, of the ensemble that begins at the layer; each was the dy of
// the bracket before the member.
template <class T>
std::span<const MatrixView<const T>> Workspace<T>::other_gradients(const Structure& structure, Index layer) {
    others_.clear();
    const Bracket& group = structure.bracket(layer);
    if (group.begin != layer) return {};
    for (Index l = group.next; l != group.end; l = structure.bracket(l).next)
        others_.push_back(kept_[static_cast<size_t>(l)].dy);
    return others_;
}

// Gradients of small layers wait for each other, so that they share a region over the threads; those of large
// ones, worth at least `enough` multiplications, find what they read in the caches.
template <class T>
void Workspace<T>::close_gradients(double enough) {
    double work = 0;
    for (const auto& g : open_) work += g.work();
    if (work < enough || open_.empty()) return;
    ops::weight_gradients<T>(open_);
    open_.clear();
}

template <class T>
std::vector<MatrixView<const T>> Workspace<T>::outputs(Index first, Index last) const {
    std::vector<MatrixView<const T>> all;
    if (kept_.empty()) return all;
    all.push_back(kept_[static_cast<size_t>(first)].in);
    for (Index l = first; l < last; ++l) all.push_back(kept_[static_cast<size_t>(l)].out);
    return all;
}

template <class T>
MatrixView<const T> Workspace<T>::output() const {
    require(!kept_.empty(), "output: there was no forward pass");
    return kept_.back().out;
}

template <class T>
void Workspace<T>::forget_from(Index layer) {
    for (size_t l = static_cast<size_t>(layer); l < kept_.size(); ++l) {
        kept_[l].in.rebind({});
        kept_[l].out.rebind({});
        kept_[l].rows = 0;
        kept_[l].sparse = {};
    }
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace cmlp::inline v0_1::detail
