// Threads that predict, train, copy, save and change the number of threads at the same time: what ThreadSanitizer is to
// see (preset "threads"). All results are those of one thread.
#include <cmlp/files/serialize.hpp>
#include <cmlp/network/predictor.hpp>
#include <cmlp/train/estimator.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;
using N = Network<float>;

const Loss mse(LossKind::mse);

struct Work {
    Matrix<float> x = numbers<float>(384, 48, 1), target = numbers<float>(384, 3, 2);
    Data<float> data() const { return {x, targets(target)}; }
    N network() const { return N({Linear{48, 96}, activation("relu"), Dropout{0.1}, Linear{96, 3}}, 5); }
    N trained() const {
        N net = network();
        Optimizer<float> adam(OptimizerKind::adam, net);
        (void)fit<float>(net, data(), mse, adam, {.epochs = 2, .batch_size = 128});
        return net;
    }
};

bool equal(const Matrix<float>& a, const Matrix<float>& b) {
    for (Index i = 0; i < a.rows(); ++i)
        if (first_difference(&a(i, 0), &b(i, 0), a.cols()) != -1) return false;
    return a.rows() == b.rows();
}

// Calls each function again and again on a thread of its own, until each has been called so many times.
void at_once(int times, const std::vector<std::function<void()>>& functions) {
    std::vector<std::thread> threads;
    for (const auto& function : functions)
        threads.emplace_back([&function, times] {
            for (int i = 0; i < times; ++i) function();
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("concurrent: predictions of one network, trainings, copies and changes of the number of threads") {
    const RuntimeScope scope;
    set_num_threads(2);
    const Work work;
    const N net = work.network();
    const Matrix<float> expected = net.predict(work.x);
    const N fitted = work.trained();
    const std::string bytes = to_bytes(net);
    std::atomic<int> wrong = 0, count = 0;
    const auto predicts = [&] { wrong += !equal(net.predict(work.x), expected); };
    const auto by_predictor = [&] { wrong += !equal(Predictor<float>(net).predict(work.x), expected); };
    const auto trains = [&] { wrong += !same_values(work.trained(), fitted); };
    at_once(20, {predicts, predicts, by_predictor, trains, trains,
                 [&] { wrong += !same_values(N(net), net) || to_bytes(net) != bytes; },
                 [&] { (void)evaluate(net, work.data(), mse, {MetricKind::mae}); },
                 [&] { set_num_threads(1 + count++ % 4); },
                 [&] { wrong += !equal(net.predict(work.x, Execution{1 + count++ % 3}), expected); }});
    CHECK(wrong == 0);
}

TEST_CASE("concurrent: trainings of one network, of which one at a time is let in") {
    const RuntimeScope scope;
    set_num_threads(2);
    const Work work;
    N net = work.network();
    std::atomic<int> refused = 0, done = 0;
    const auto attempt = [&](auto call) {
        return [&, call] {
            try {
                call();
                ++done;
            } catch (const std::runtime_error&) {
                ++refused;
            }
        };
    };
    const auto train = attempt([&] {
        const N::Exclusive only(net, "test");
        Optimizer<float> sgd(OptimizerKind::sgd, net, {{"lr", 0.001}});
        (void)fit<float>(net, work.data(), mse, sgd, {.epochs = 1, .batch_size = 128});
    });
    const auto read = attempt([&] {
        const N::Shared reader(net, "test");
        (void)net.predict(work.x);
        (void)N(net);
    });
    const auto step = attempt([&] {
        Optimizer<float> sgd(OptimizerKind::sgd, net, {{"lr", 0.001}});
        LossResult<float> result;
        (void)train_step(net, work.data(), mse, sgd, result);
    });
    at_once(20, {train, train, step, read, read, read});
    CHECK(done > 0);
    CHECK(done + refused == 120);
}

TEST_CASE("concurrent: calls of one network in evaluation mode, and passes back through them") {
    const RuntimeScope scope;
    set_num_threads(2);
    const Work work;
    N net = work.network();
    net.set_training(false);
    const Matrix<float> expected = net.predict(work.x);
    std::atomic<int> wrong = 0;
    const auto calls = [&] {
        Matrix<float> y(work.x.rows(), 3);
        net.call_into(work.x, y, 0, net.layer_count());
        wrong += !equal(y, expected);
    };
    at_once(20, {calls, calls, calls, [&] { (void)net.trace(work.x, 0, net.layer_count()); }});
    calls();
    (void)net.backward(expected);
    CHECK(wrong == 0);
}

TEST_CASE("concurrent: many trainings by run_jobs, from several threads") {
    const RuntimeScope scope;
    set_num_threads(3);
    const Work work;
    const N fitted = work.trained();
    std::atomic<int> wrong = 0;
    const auto jobs = [&] { run_jobs(4, 3, [&](Index) { wrong += !same_values(work.trained(), fitted); }); };
    at_once(3, {jobs, jobs, [&] { (void)work.trained(); }});
    CHECK(wrong == 0);
}
