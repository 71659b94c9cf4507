// Memory: calls in their steady state take none from the heap, by operator new or from glibc in another way.
#include <cmlp/network/predictor.hpp>
#include <cmlp/train/trainer.hpp>

#include <doctest/doctest.h>

#include <malloc.h>

#include <thread>

#include "allocations.hpp"
#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using test::allocations;

template <class F>
long allocations_of(F f) {
    f(), f();
    const long before = allocations();
    for (int i = 0; i < 5; ++i) f();
    return allocations() - before;
}

// A team of std::thread starts new threads for each call.
const int most_threads = team_kind() == "OpenMP" ? 2 : 1;

std::vector<Layer> layers() {
    return {Linear{30, 200}, activation("relu"), Dropout{0.5}, Linear{200, 10}, Softmax{}};
}

std::vector<Layer> with_norm() {
    std::vector<Layer> all = layers();
    all.insert(all.begin(), LayerNorm{30});
    return all;
}

std::vector<Layer> ensemble() {
    std::vector<Layer> all{EnsembleBegin{}};
    for (const Layer& end : {Layer(EnsembleNext{0.25}), Layer(EnsembleNext{0.5}), Layer(EnsembleEnd{0.25})}) {
        for (const Layer& layer : layers()) all.push_back(layer);
        all.push_back(end);
    }
    return all;
}

}  // namespace

TEST_CASE_TEMPLATE("allocation: predict_into takes no memory in its steady state", T, float, double) {
    const test::RuntimeScope scope;
    const Network<T> net(layers(), 1);
    const Matrix<T> x = test::numbers<T>(1500, 30, 1);
    Matrix<T> y(1500, 10);
    for (const int threads : {1, most_threads}) {
        set_num_threads(threads);
        CHECK(allocations_of([&] { net.predict_into(x, y); }) == 0);
        CHECK(allocations_of([&] { net.predict_into(x.top_rows(1), y.top_rows(1)); }) == 0);
    }
}

TEST_CASE_TEMPLATE("allocation: a Predictor takes no memory once it is reserved, from the first call on", T,
                   float, double) {
    const test::RuntimeScope scope;
    set_num_threads(1);
    const Matrix<T> x = test::numbers<T>(300, 30, 1);
    Matrix<T> y(300, 10), one(1, 10);
    for (const auto& stack : {layers(), with_norm(), ensemble()}) {
        const Network<T> net(stack, 1);
        Predictor<T> predictor(net);
        predictor.reserve(300);
        const long before = allocations();
        const auto in_use = mallinfo2().uordblks;
        predictor.predict_into(x, y);
        predictor.predict_into(x.top_rows(1), one);
        CHECK(allocations() == before);
        CHECK(mallinfo2().uordblks == in_use);
    }
    const Network<T> chain({Linear{30, 16}, activation("relu"), Linear{16, 10}}, 1);
    const long before = allocations();
    chain.predict_into(x.top_rows(4), y.top_rows(4));  // small: even without a Predictor
    CHECK(allocations() == before);
}

TEST_CASE_TEMPLATE("allocation: a training step takes no memory in its steady state", T, float, double) {
    const test::RuntimeScope scope;
    set_num_threads(most_threads);
    for (const auto& stack : {layers(), ensemble()}) {
        Network<T> net(stack, 1);
        const Matrix<T> x = test::numbers<T>(64, 30, 1);
        const Matrix<T> target(64, 10);
        Optimizer<T> adam(OptimizerKind::adam, net);
        const Loss loss(LossKind::mse);
        LossResult<T> result;
        const Data<T> batch{x, {target, {}}, {}};
        CHECK(allocations_of([&] { train_step(net, batch, loss, adam, result, {1.0}); }) == 0);
        CHECK(allocations_of([&] { net.forward(x), net.backward(net.output()); }) == 0);
        if constexpr (std::is_same_v<T, float>) {
            net.set_precision(Precision::bf16);
            CHECK(allocations_of([&] { train_step(net, batch, loss, adam, result, {1.0}); }) == 0);
            net.set_precision(Precision::own);
        }
        SparseMatrix<T> sparse;
        sparse.assign(x);
        const Data<T> thin{sparse.view(), batch.target, {}};
        CHECK(allocations_of([&] { train_step(net, thin, loss, adam, result, {1.0}); }) == 0);
    }
}

TEST_CASE_TEMPLATE("allocation: a step that can be undone takes no memory in its steady state", T, float,
                   double) {
    const test::RuntimeScope scope;
    set_num_threads(most_threads);
    Network<T> net(layers(), 1);
    const Matrix<T> x = test::numbers<T>(64, 30, 1), target(64, 10);
    Optimizer<T> rmsprop(OptimizerKind::rmsprop, net, {{"centered", 1}});
    const Loss loss(LossKind::mse);
    LossResult<T> result;
    CHECK(allocations_of([&] { train_step(net, {x, {target, {}}, {}}, loss, rmsprop, result); }) == 0);
}

TEST_CASE("allocation: the threads that call a network leave nothing in it") {
    const test::RuntimeScope scope;
    set_num_threads(1);
    Network<float> net({Linear{30, 10}}, 1);
    net.set_training(false);
    const Matrix<float> x = test::numbers<float>(4, 30, 1);
    Matrix<float> y(4, 10);
    const auto call = [&] { std::thread([&] { net.call_into(x, y, 0, 1); }).join(); };
    const auto in_use_after = [&](int calls) {
        for (int i = 0; i < calls; ++i) call();
        return mallinfo2().uordblks;
    };
    const auto before = in_use_after(10);
    CHECK(in_use_after(1000) <= before + 1000);
}
