// Who may use a network: one thread that changes it, or many that read it; and that a call leaves no view of
// its caller's memory.
#include <cmlp/network/gradcheck.hpp>
#include <cmlp/train/estimator.hpp>
#include <cmlp/train/full_batch.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <limits>
#include <optional>
#include <thread>

#include "trainer_helpers.hpp"

using namespace cmlp;
using namespace cmlp::test;

namespace {

using N = Network<double>;

N three_layers() { return N({Linear{5, 8}, activation("tanh"), Linear{8, 3}}, 3); }

// Rows in memory that is gone after the call.
struct Rows {
    Matrix<double> x, y;
    explicit Rows(double last) : x(numbers<double>(40, 5, 1)), y(numbers<double>(40, 3, 2)) {
        y(39, 2) = last;
    }
    Data<double> data() const { return {x, targets(y)}; }
};

struct Stopped {};

using Entry = void (*)(N&, const Rows&, const Hooks&);

const Loss mse(LossKind::mse);

// Batches of all rows: the loss is that of the last row, too.
const std::pair<const char*, Entry> entries[] = {
    {"train_step",
     [](N& net, const Rows& rows, const Hooks&) {
         Optimizer<double> sgd(OptimizerKind::sgd, net);
         LossResult<double> result;
         train_step(net, rows.data(), mse, sgd, result);
     }},
    {"fit",
     [](N& net, const Rows& rows, const Hooks& hooks) {
         Optimizer<double> sgd(OptimizerKind::sgd, net);
         (void)fit(net, rows.data(), mse, sgd, {.batch_size = 40, .every_steps = 1}, nullptr, hooks);
     }},
    {"fit by L-BFGS",
     [](N& net, const Rows& rows, const Hooks& hooks) {
         LbfgsRule<double> rule(net.parameters());
         (void)fit(net, rows.data(), mse, rule, {.batch_size = 40}, nullptr, hooks);
     }},
    {"fit_estimator",
     [](N& net, const Rows& rows, const Hooks& hooks) {
         Optimizer<double> sgd(OptimizerKind::sgd, net);
         EstimatorHooks own;
         if (hooks.epoch_end) own.epoch_end = [](const EstimatorEpoch&) -> bool { throw Stopped(); };
         (void)fit_estimator<double>(net, rows.data(), mse, sgd, {.batch_size = 40}, {}, {}, nullptr, own);
     }},
    {"gradcheck", [](N& net, const Rows& rows, const Hooks&) { (void)gradcheck(net, rows.data(), mse); }},
    {"initialize_from",
     [](N& net, const Rows& rows, const Hooks&) { net.initialize_from(rows.x, 1, 0, net.layer_count()); }},
};

// Whether the network throws rather than look at what it was given.
bool looks_at_nothing(N& net) {
    const Matrix<double> dy(40, 3);
    return message([&] { net.backward(dy); }) == "backward: there is no forward pass to go back from";
}

}  // namespace

TEST_CASE("access: a call that ends leaves no view of its caller's memory") {
    for (const auto& [name, entry] : entries) {
        CAPTURE(name);
        N net = three_layers();
        entry(net, Rows(0), {});
        CHECK(looks_at_nothing(net));
    }
}

TEST_CASE("access: a call that throws leaves no view of its caller's memory") {
    Hooks stop;
    stop.epoch_end = [](const EpochRecord&) -> bool { throw Stopped(); };
    for (const auto& [name, entry] : entries)
        for (const double last : {0.0, 1e200, std::numeric_limits<double>::infinity()})
            for (const bool wrong : {false, true}) {
                CAPTURE(name);
                CAPTURE(last);
                N net = wrong ? N({Linear{5, 8}, Linear{8, 4}}, 1) : three_layers();
                try {
                    entry(net, Rows(last), stop);
                } catch (const std::exception&) {
                } catch (const Stopped&) {
                }
                CHECK(message([&] { net.backward(Matrix<double>(40, wrong ? 4 : 3)); }) ==
                      "backward: there is no forward pass to go back from");
            }
}

TEST_CASE("access: a pass that a layer refuses leaves none of the layers before it a pass") {
    N net({Linear{2, 2}, Embedding{3, 2}, Linear{4, 1}}, 1);  // its codes are not integers
    {
        const Matrix<double> x = numbers<double>(4, 2, 1);
        CHECK_THROWS_AS(net.forward(x), std::invalid_argument);
    }
    CHECK(message([&] { net.backward(Matrix<double>(4, 2), 0, 1); }) ==
          "backward: there is no forward pass to go back from");
}

TEST_CASE("access: one thread changes a network, or many read it") {
    N net = three_layers();
    const auto elsewhere = [](auto call) { return std::async(std::launch::async, call).get(); };
    const auto refused = [&](auto call) {
        return elsewhere([&]() -> std::string {
            try {
                call();
            } catch (const std::runtime_error& error) {
                return error.what();
            }
            return "";
        });
    };
    const std::string why = ": another thread is training this network";
    {
        const N::Exclusive only(net, "test");
        const N::Exclusive again(net, "test");
        const N::Shared too(net, "test");
        CHECK(refused([&] { const N::Exclusive second(net, "second"); }) == "second" + why);
        CHECK(refused([&] { const N::Shared reader(net, "reader"); }) == "reader" + why);
    }
    std::atomic<bool> entered = false;
    std::thread writer;
    {
        const N::Shared reader(net, "test");
        CHECK(refused([&] { const N::Shared second(net, "second"); }) == "");
        writer = std::thread([&] {
            const N::Exclusive only(net, "writer");
            entered = true;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        CHECK_FALSE(entered);
    }
    writer.join();
    CHECK(entered);
}

namespace {

// The status of a forked child that runs f; 14: it has hung.
template <class F>
int in_child(F f) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        f();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

}  // namespace

TEST_CASE("access: a forked child does not wait for the threads of its parent") {
    N net = three_layers();
    for (const bool trains : {false, true}) {
        std::promise<void> entered, leave;
        std::thread other([&] {
            std::optional<N::Exclusive> writer;
            std::optional<N::Shared> reader;
            trains ? (void)writer.emplace(net, "test") : (void)reader.emplace(net, "test");
            entered.set_value();
            leave.get_future().wait();
        });
        entered.get_future().wait();
        CHECK(in_child([&] { const N::Exclusive only(net, "child"); }) == 0);
        leave.set_value();
        other.join();
    }
}

TEST_CASE("access: what the forking thread held it has in the child, and returns there") {
    N net = three_layers();
    const auto readers_are_waited_for = [&] {
        std::atomic<bool> entered = false;
        std::optional<N::Shared> reader(std::in_place, net, "child");
        std::thread writer([&] {
            const N::Exclusive only(net, "writer");
            entered = true;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (entered) _exit(1);
        reader.reset();
        writer.join();
    };
    {
        std::optional<N::Shared> reader(std::in_place, net, "test");
        CHECK(in_child([&] { reader.reset(), readers_are_waited_for(); }) == 0);
    }
    std::optional<N::Exclusive> writer(std::in_place, net, "test");
    CHECK(in_child([&] {
              const N::Exclusive again(net, "child");
              writer.reset();
              readers_are_waited_for();
          }) == 0);
}

TEST_CASE(
    "access: a child that is forked beside calls of other threads calls, and goes back through its own "
    "pass") {
    N net = three_layers();
    net.set_training(false);
    const Matrix<double> x = numbers<double>(40, 5, 1), dy(40, 3);
    std::atomic<bool> stop = false;
    std::vector<std::thread> callers;
    for (int i = 0; i < 2; ++i)
        callers.emplace_back([&] {
            Matrix<double> y(40, 3);
            while (!stop) net.call_into(x, y, 0, 3);
        });
    int failed = 0;
    for (int i = 0; i < 100; ++i)
        failed += in_child([&] {
                      Matrix<double> y(40, 3);
                      net.call_into(x, y, 0, 3);
                      (void)net.backward(dy);
                  }) != 0;
    stop = true;
    for (std::thread& caller : callers) caller.join();
    CHECK(failed == 0);
    Matrix<double> y(40, 3);
    net.call_into(x, y, 0, 3);
    CHECK(in_child([&] { (void)net.backward(dy); }) == 0);
}

TEST_CASE("access: a thread a call neither fills the memory nor refuses later threads") {
    N net = three_layers();
    net.set_training(false);
    const Matrix<double> x = numbers<double>(4, 5, 1), dy(4, 3);
    Matrix<double> y(4, 3);
    net.call_into(x, y, 0, 3);
    std::string refused;
    for (int i = 0; i < 50; ++i) std::thread([&] { net.call_into(x, y, 0, 3); }).join();
    try {
        (void)net.backward(dy);
    } catch (const std::runtime_error& error) {
        refused = error.what();
    }
    CHECK(refused.starts_with("backward: another thread has called this network"));
    for (int i = 0; i < 50; ++i)  // some with the number of an earlier thread in the system
        std::thread([&] { CHECK_NOTHROW(net.repeat_calls("outputs")); }).join();
}

TEST_CASE("access: ranges of layers that are not there are refused") {
    N net = three_layers();
    const Matrix<double> x = numbers<double>(2, 5, 1);
    Matrix<double> y(2, 3);
    (void)net.forward(x);
    constexpr Index most = std::numeric_limits<Index>::max();
    for (const auto& [first, last] :
         {std::pair<Index, Index>{-1, 3}, {0, 4}, {3, 3}, {2, 1}, {100000, -1}, {0, most}}) {
        CHECK_THROWS_AS(net.forward(x, first, last), std::invalid_argument);
        CHECK_THROWS_AS(net.backward(y, first, last), std::invalid_argument);
        CHECK_THROWS_AS((void)net.outputs(first, last), std::invalid_argument);
        CHECK_THROWS_AS((void)net.trace(x, first, last), std::invalid_argument);
        CHECK_THROWS_AS((void)net.output_width(5, first, last), std::invalid_argument);
        CHECK_THROWS_AS(net.predict_into(x, y, first, last), std::invalid_argument);
        CHECK_THROWS_AS(net.call_into(x, y, first, last), std::invalid_argument);
        CHECK_THROWS_AS(net.initialize_from(x, 1, first, last), std::invalid_argument);
    }
}
