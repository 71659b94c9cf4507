// Passes and predictions of a network, with the GIL released while the core works or waits.
#pragma once

#include <cmlp/network/network.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "array.hpp"
#include "gil.hpp"
#include "input.hpp"

template <class T>
cmlp::Index end_of(const cmlp::Network<T>& net, cmlp::Index last) {
    return last < 0 ? net.layer_count() : last;
}

/// The right to change the network, waited for without the GIL.
template <class T>
class Exclusively {
public:
    Exclusively(cmlp::Network<T>& net, const char* what) {
        const WithoutGil released;
        only_.emplace(net, what);
    }

private:
    std::optional<typename cmlp::Network<T>::Exclusive> only_;
};

constexpr cmlp::Index brief_work = 20000;  // multiplications: a microsecond or two

/// The GIL released while it lives. Of brief work it is not: letting other threads in costs more.
class ReleasedForWork {
public:
    template <class T>
    ReleasedForWork(const cmlp::Network<T>& net, cmlp::Index rows) {
        if (rows * net.parameter_count() >= brief_work) release_.emplace();
    }

private:
    std::optional<WithoutGil> release_;
};

// In evaluation mode a prediction, of which any number of threads may make one at a time.
template <class T>
Array<T> forward(cmlp::Network<T>& net, const py::object& x, cmlp::Index first, cmlp::Index last) {
    const HeldInput<T> in = input<T>(x, "forward: x");
    last = end_of(net, last);
    if (!net.training()) {
        auto [out, y] = new_matrix<T>(in.view.rows(), net.output_width(in.view, first, last));
        if (in.view.rows() == 0) return out;  // of the right width
        const ReleasedForWork release(net, in.view.rows());
        net.call_into(in.view, y, first, last);
        return out;
    }
    const Exclusively<T> only(net, "forward");
    cmlp::MatrixView<const T> y;
    {
        const WithoutGil released;
        y.rebind(net.forward(net.keep(in.view, first), first, last));
    }
    return copied(y);
}

template <class T>
Array<T> backward(cmlp::Network<T>& net, const py::object& dy, cmlp::Index first, cmlp::Index last) {
    const Rows<T> in = matrix<T>(dy, "backward: dy");
    const Exclusively<T> only(net, "backward");
    cmlp::MatrixView<const T> dx;
    {
        const WithoutGil released;
        dx.rebind(net.backward(in.view, first, end_of(net, last)));
    }
    return copied(dx);
}

template <class T>
Array<T> predict(const cmlp::Network<T>& net, const py::object& x, cmlp::Index first, cmlp::Index last) {
    const HeldInput<T> in = input<T>(x, "predict: x");
    last = end_of(net, last);
    auto [out, y] = new_matrix<T>(in.view.rows(), net.output_width(in.view, first, last));
    if (in.view.rows() == 0) return out;  // of the right width
    const ReleasedForWork release(net, in.view.rows());
    const typename cmlp::Network<T>::Shared reader(net, "predict");
    cmlp::check_x<T>(in.view, "predict");
    net.predict_into(in.view, y, first, last);
    return out;
}

/// An array that takes the matrix's memory, unless its rows are padded.
template <class T>
Array<T> moved(cmlp::Matrix<T>&& x) {
    if (!x.view().is_contiguous()) return copied<T>(x);
    auto* const kept = new cmlp::Matrix<T>(std::move(x));
    const py::capsule owner(kept, [](void* matrix) { delete static_cast<cmlp::Matrix<T>*>(matrix); });
    return shown<T>(kept->view(), false, false, owner);
}

template <class T>
py::list trace(cmlp::Network<T>& net, const py::object& x, cmlp::Index first, cmlp::Index last) {
    const HeldInput<T> in = input<T>(x, "trace: x");
    std::vector<cmlp::Matrix<T>> values;
    {
        const WithoutGil released;
        values = net.trace(in.view, first, end_of(net, last));
    }
    py::list all;
    for (cmlp::Matrix<T>& value : values) all.append(moved<T>(std::move(value)));
    return all;
}

/// A with block that reads or changes the network in several steps.
template <class T>
class Hold {
public:
    Hold(std::shared_ptr<cmlp::Network<T>> net, std::string what, bool changes)
        : net_(std::move(net)), what_(std::move(what)), changes_(changes) {}
    Hold(Hold&&) = default;
    void enter() {
        if (changes_)
            changing_.emplace_back(std::make_unique<Exclusively<T>>(*net_, what_.c_str()));
        else
            reading_.emplace_back(std::make_unique<typename cmlp::Network<T>::Shared>(*net_, what_.c_str()));
    }
    void exit() {
        if (changes_ && !changing_.empty()) changing_.pop_back();
        if (!changes_ && !reading_.empty()) reading_.pop_back();
    }

private:
    std::shared_ptr<cmlp::Network<T>> net_;
    std::string what_;
    bool changes_;
    std::vector<std::unique_ptr<Exclusively<T>>> changing_;
    std::vector<std::unique_ptr<typename cmlp::Network<T>::Shared>> reading_;
};

template <class T>
py::list outputs(cmlp::Network<T>& net, cmlp::Index first, cmlp::Index last) {
    const Exclusively<T> only(net, "outputs");
    net.repeat_calls("outputs");
    py::list all;
    for (const auto& y : net.outputs(first, end_of(net, last))) all.append(copied(y));
    return all;
}
