// The team of a call: whose threads, how many, what they take over from the caller, and what is left of them.
#include <cmlp/network/predictor.hpp>
#include <cmlp/train/full_batch.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"
#include "runtime/floating_point.hpp"
#include "runtime/parallel.hpp"
#include "runtime/threads.hpp"

namespace {

using namespace cmlp;

template <class F>
void in_team(int threads, F f) {
    run_with_team(threads, [](void* body) { (*static_cast<F*>(body))(); }, &f);
}

// The threads that ran pieces of so many jobs, in teams of that size.
std::set<std::thread::id> threads_of(int threads, int jobs) {
    std::set<std::thread::id> ids;
    std::mutex mutex;
    in_team(threads, [&] {
        for (int job = 0; job < jobs; ++job)
            parallel_each(4 * threads, threads, [&](Index) {
                std::this_thread::sleep_for(std::chrono::microseconds(200));
                const std::lock_guard lock(mutex);
                ids.insert(std::this_thread::get_id());
            });
    });
    return ids;
}

Index threads_of_process() {
    Index count = 0;
    for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
}

Matrix<float> products() {
    const Matrix<float> a = test::numbers<float>(300, 200, 1), b = test::numbers<float>(200, 150, 2);
    return a * b;
}

bool same(const Matrix<float>& a, const Matrix<float>& b) {
    for (Index i = 0; i < a.rows(); ++i)
        if (std::memcmp(&a(i, 0), &b(i, 0), std::size_t(a.cols()) * sizeof(float)) != 0) return false;
    return true;
}

}  // namespace

TEST_CASE("team: its members take part, and at most the requested number of them") {
    for (const int threads : {2, 3, 8}) {
        const auto ids = threads_of(threads, 50);
        CAPTURE(threads);
        CHECK(ids.size() > 1);
        CHECK(int(ids.size()) <= threads);
    }
}

TEST_CASE("team: a body's exception leaves through the caller, and the next team works") {
    for (const int threads : {1, 2, 4}) {
        CHECK_THROWS_WITH_AS(in_team(threads, [] { throw std::runtime_error("body"); }), "body",
                             std::runtime_error);
        CHECK(team_threads() == 0);
    }
    CHECK(threads_of(2, 100).size() == 2);  // beside other processes too
}

TEST_CASE("team: inside a team or a piece no other one is opened") {
    std::atomic<int> wrong = 0;
    in_team(3, [&] {
        in_team(8, [&] { wrong += team_threads() != 3; });
        parallel_each(6, 3, [&](Index) { in_team(8, [&] { wrong += team_threads() != 1; }); });
        wrong += team_threads() != 3;
    });
    CHECK(wrong == 0);
    in_team(1, [] { CHECK(team_threads() == 1); });
    CHECK(team_threads() == 0);
}

TEST_CASE("team: changing sizes start no new threads") {
    for (int i = 0; i < 3; ++i) threads_of(8, 1), threads_of(2, 1);
    std::set<std::thread::id> ids;
    for (int i = 0; i < 50; ++i)
        for (const int threads : {8, 2}) ids.merge(threads_of(threads, 1));
    if (team_kind() == "OpenMP") CHECK(ids.size() <= 8);
}

TEST_CASE("team: no more threads are started than there are processors") {
    const test::RuntimeScope scope;
    set_num_threads(10000);
    CHECK(num_threads() >= std::min(10000, openmp_limit()));
    CHECK(useful_threads() <= processors_allowed());
}

TEST_CASE("team: an ExecutionScope bounds this thread's calls alone, and ends") {
    const test::RuntimeScope scope;
    set_num_threads(2);
    {
        const ExecutionScope one({1});
        CHECK(num_threads() == 1);
        CHECK(threads_for(1e30) == 1);
        std::thread([] { CHECK(num_threads() == 2); }).join();
        {
            const ExecutionScope three({3});
            CHECK(num_threads() == 3);
            const ExecutionScope none({0});
            CHECK(num_threads() == 3);
        }
        CHECK(num_threads() == 1);
    }
    CHECK(num_threads() == 2);
    set_num_threads(std::nullopt);
    CHECK(num_threads() >= 1);
    CHECK(test::message([] { const ExecutionScope wrong({-1}); }) ==
          "Execution: threads is -1, it must be at least 1, or 0 for the default");
}

TEST_CASE("team: the last argument of a call is its limit") {
    const test::RuntimeScope scope;
    set_num_threads(2);
    Network<float> net({Linear{64, 96}, activation("relu"), Linear{96, 3}}, 1);
    const Matrix<float> x = test::numbers<float>(600, 64, 1), target(600, 3);
    const Data<float> data{x, targets(target)};
    const Loss loss(LossKind::mse);
    const Matrix<float> expected = net.predict(x);
    const double value = evaluate(net, data, loss)[0];
    int used = 0;
    Hooks hooks;
    hooks.epoch_end = [&](const EpochRecord&) { return used = num_threads(), true; };
    for (const int threads : {1, 2, 3}) {
        const Execution execution{threads};
        CHECK(same(net.predict(x, execution), expected));
        Matrix<float> y(600, 3);
        net.predict_into(x, y, execution);
        CHECK(same(y, expected));
        CHECK(same(Predictor<float>(net).predict(x, execution), expected));
        CHECK(same(Matrix<float>(net.forward(x, execution)), expected));
        (void)net.backward(y, execution);
        CHECK(evaluate(net, data, loss, {}, execution)[0] == value);
        Network<float> copy = net;
        Optimizer<float> adam(OptimizerKind::adam, copy);
        LossResult<float> result;
        train_step(copy, data, loss, adam, result, {}, execution);
        (void)fit(copy, data, loss, adam, {.epochs = 1}, nullptr, hooks, execution);
        CHECK(used == threads);
        (void)fit(copy, data, loss, adam, {.epochs = 1}, execution);
        LbfgsRule<float> lbfgs(copy.parameters());
        (void)fit(copy, data, loss, lbfgs, {.batch_size = 600}, execution);
        CHECK(num_threads() == 2);
    }
    CHECK_THROWS_AS((void)net.predict(x, Execution{-1}), std::invalid_argument);
}

#if defined(__x86_64__)
TEST_CASE("team: members flush subnormal numbers where the caller does, and keep their own mode") {
    const auto own = FloatingPointMode::current();
    for (const unsigned flush : {0x8040u, 0u}) {
        FloatingPointMode{own.bits | flush}.set();
        std::atomic<int> wrong = 0;
        in_team(4, [&] {
            parallel_each(64, 4, [&](Index) {
                volatile float tiny = 1e-40f;
                wrong += (tiny * 1.0f == 0.0f) != (flush != 0);
            });
        });
        own.set();
        CHECK(wrong == 0);
    }
}
#endif

TEST_CASE("team: a forked child beside an open team computes, and ends") {
    const Matrix<float> expected = products();
    std::atomic<bool> stop = false;
    std::thread busy([&] {
        while (!stop) threads_of(2, 1);
    });
    for (int i = 0; i < 5; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            bool right = false;
            in_team(2, [&] { right = same(products(), expected); });
            _exit(right ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    stop = true;
    busy.join();
}

TEST_CASE("team: shutdown ends the threads that are kept for this thread") {
    std::thread([] {
        const Index before = threads_of_process();
        threads_of(3, 1);
        shutdown();
        for (int i = 0; i < 100 && threads_of_process() > before; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK(threads_of_process() <= before);
        CHECK(threads_of(2, 100).size() == 2);  // beside other processes too
        in_team(2, [] { shutdown(); });
    }).join();
}

TEST_CASE("team: hooks of a fit are called between teams") {
    const test::RuntimeScope scope;
    set_num_threads(2);
    Network<float> net({Linear{64, 256}, activation("relu"), Linear{256, 3}}, 1);
    const Matrix<float> x = test::numbers<float>(512, 64, 1), target(512, 3);
    Optimizer<float> adam(OptimizerKind::adam, net);
    FitOptions options;
    options.epochs = 3, options.batch_size = 128, options.every_steps = 2;
    int calls = 0;
    const auto outside = [&calls] {
        ++calls;
        CHECK(team_threads() == 0);
    };
    Hooks hooks;
    hooks.epoch_end = [&](const EpochRecord&) { return outside(), true; };
    hooks.step_end = [&](const Progress&) { return outside(), true; };
    FitReport report;
    fit<float>(net, {x, {target, {}}}, Loss(LossKind::mse), adam, options, report, nullptr, hooks);
    CHECK(calls == 3 + 6);
}
