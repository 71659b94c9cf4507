// Every allocation of a call fails once, the first, the second, and so on: std::bad_alloc leaves the call, no memory is
// lost, and what the call was about is as before it or as after a number of complete steps.
#include <cmlp/files/serialize.hpp>
#include <cmlp/network/gradcheck.hpp>
#include <cmlp/network/predictor.hpp>
#include <cmlp/train/estimator.hpp>
#include <cmlp/train/full_batch.hpp>
#include <cmlp/train/perceptron.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

#include "allocations.hpp"
#include "trainer_helpers.hpp"

namespace {

using namespace cmlp;
using namespace cmlp::test;
using N = Network<float>;

// What a case leaves of a call that failed.
struct Outcome {
    bool thrown, failed;
};

template <class F>
Outcome with_failing(long n, F f) {
    const FailingAllocation failing(n);
    try {
        f();
    } catch (const std::bad_alloc&) {
        return {true, true};
    }
    return {false, failing.has_failed()};
}

// body(n): a case from its beginning to its end, with the n-th allocation of its call failing. An allocation that fails
// may also be one that a call can do without, as that of a thread.
template <class F>
void each_allocation_fails(const std::string& name, F body) {
    CAPTURE(name);
    body(0);  // what is allocated once in a process
    long thrown = 0;
    for (long n = 1;; ++n) {
        CAPTURE(n);
        const long before = blocks_in_use();
        const Outcome outcome = body(n);
        CHECK(blocks_in_use() == before);
        thrown += outcome.thrown;
        if (!outcome.failed) break;
    }
    CHECK(thrown > 0);
    std::printf("allocations that failed: %ld\n", thrown);
}

const Loss cross_entropy(LossKind::cross_entropy);

// No temporaries with designated members: GCC 12 takes those that an exception leaves for uninitialized.
FitOptions fit_options(Index epochs, Index batch_size = FitOptions().batch_size) {
    FitOptions options;
    options.epochs = epochs;
    options.batch_size = batch_size;
    return options;
}

std::vector<Layer> stack() {
    return {BatchNorm1d{5},  Linear{5, 24},  PReLU{},       Dropout{0.2},  LayerNorm{24},
            ResidualBegin{}, Linear{24, 24}, ResidualEnd{}, Linear{24, 3}, Scale{3}};
}

std::vector<Layer> members() {
    std::vector<Layer> all{EnsembleBegin{}};
    for (const Layer& end : {Layer(EnsembleNext{0.5}), Layer(EnsembleEnd{0.5})}) {
        for (const Layer& layer : {Layer(Linear{5, 16}), Layer(activation("gelu")), Layer(Linear{16, 3})})
            all.push_back(layer);
        all.push_back(end);
    }
    return all;
}

// The network after each number of steps of a fit.
using Snapshots = std::vector<std::vector<float>>;

std::vector<float> values_of(const N& net) { return {net.values().begin(), net.values().end()}; }

bool usable(N& net, const Problem<float>& problem) {
    Optimizer<float> sgd(OptimizerKind::sgd, net, {{"lr", 0.01}});
    const FitReport report = fit<float>(net, problem.data(), cross_entropy, sgd, fit_options(1));
    return report.epochs.size() == 1 && std::isfinite(report.epochs[0].loss);
}

template <class Train>
void check_fit(const std::string& name, const std::vector<Layer>& layers, const FitOptions& options,
               Train train, int counted_late = 0) {
    const Problem<float> problem(48), held_out(20, 2);
    const N initial(layers, 3);
    Snapshots after{values_of(initial)};
    {
        N net = initial;
        Hooks hooks;
        hooks.step_end = [&](const Progress&) { return after.push_back(values_of(net)), true; };
        FitOptions each = options;
        each.every_steps = 1;
        FitReport report;
        train(net, problem.data(), each, report, held_out.data(), hooks);
    }
    each_allocation_fails(name, [&](long n) {
        N net = initial;
        FitReport report;
        const Outcome outcome =
            with_failing(n, [&] { train(net, problem.data(), options, report, held_out.data(), Hooks{}); });
        const auto steps = std::size_t(report.steps),
                   more = std::min(steps + std::size_t(counted_late), after.size() - 1);
        CHECK((values_of(net) == after[steps] || values_of(net) == after[more]));
        if (n % 7 == 0) CHECK(usable(net, problem));
        return outcome;
    });
}

auto by(OptimizerKind kind) {
    return [kind](N& net, const Data<float>& data, const FitOptions& options, FitReport& report,
                  const Data<float>& held_out, const Hooks& hooks) {
        Optimizer<float> optimizer(kind, net, {{"lr", 0.01}});
        fit<float>(net, data, cross_entropy, optimizer, options, report, &held_out, hooks);
    };
}

}  // namespace

TEST_CASE("failing allocations: a fit is as after its last complete step") {
    const RuntimeScope scope;
    for (const int threads : {1, 2}) {
        set_num_threads(threads);
        FitOptions options = fit_options(2, 16);
        options.metrics = {MetricKind::accuracy};
        for (const Row& row : rows<OptimizerKind>())
            check_fit(std::string(row.name), {Linear{5, 8}, activation("relu"), Linear{8, 3}}, options,
                      by(parse<OptimizerKind>(row.name)));
        FitOptions more = options;
        more.mixup = 0.2, more.input_noise = 0.1, more.accumulate_steps = 2, more.step.clip_grad_norm = 1;
        more.step.l2 = 0.1, more.step.max_norm = 1;
        check_fit("layers", stack(), options, by(OptimizerKind::adam));
        check_fit("options", {Linear{5, 8}, Linear{8, 3}}, more, by(OptimizerKind::rmsprop));
        check_fit("ensemble", members(), options, by(OptimizerKind::sgd));
        FitOptions complete = options;
        complete.batch_size = 48;
        complete.metrics = {};
        check_fit(
            "lbfgs", {Linear{5, 8}, activation("tanh"), Linear{8, 3}}, complete,
            [](N& net, const Data<float>& data, const FitOptions& given, FitReport& report,
               const Data<float>&, const Hooks& hooks) {
                LbfgsRule<float> rule(net.parameters());
                rule.limits.max_iter = 1;
                fit<float>(net, data, cross_entropy, rule, given, report, nullptr, hooks);
            },
            1);  // an iteration may be complete and its epoch not
    }
}

TEST_CASE("failing allocations: a fit with teams, and the best weights") {
    const RuntimeScope scope;
    set_num_threads(2);
    const Matrix<float> x = numbers<float>(256, 64, 1), target = numbers<float>(256, 3, 2);
    const N initial({Linear{64, 128}, activation("relu"), Linear{128, 3}}, 3);
    const auto train = [&](N& net) {
        Optimizer<float> adam(OptimizerKind::adam, net);
        const Data<float> data{x, targets(target)};
        FitOptions options = fit_options(2, 128);
        options.patience = 5;
        options.restore_best = true;
        return fit<float>(net, data, Loss(LossKind::mse), adam, options);
    };
    N expected = initial;
    train(expected);
    each_allocation_fails("fit", [&](long n) {
        N net = initial;
        const Outcome outcome = with_failing(n, [&] { train(net); });
        if (!outcome.thrown) CHECK(same_values(net, expected));
        return outcome;
    });
}

TEST_CASE("failing allocations: trainings by scikit-learn's rules, several at a time") {
    const RuntimeScope scope;
    set_num_threads(2);
    const Problem<float> problem(48), held_out(20, 2);
    each_allocation_fails("run_jobs", [&](long n) {
        std::vector<N> nets(3, network<float>(0.1));
        return with_failing(n, [&] {
            run_jobs(3, 2, [&](Index i) {
                N& net = nets[std::size_t(i)];
                Optimizer<float> sgd(OptimizerKind::sgd, net, {{"lr", 0.1}, {"momentum", 0.9}});
                EstimatorRules rules;
                rules.early_stopping = true, rules.metric = MetricKind::accuracy;
                const Data<float> validation = held_out.data();
                fit_estimator<float>(net, problem.data(), cross_entropy, sgd, fit_options(2, 16), rules, {},
                                     &validation);
            });
        });
    });
    const Matrix<double> x = numbers<double>(20, 3, 1);
    std::vector<double> sides(20, 1);
    for (std::size_t i = 0; i < 10; ++i) sides[i] = -1;
    each_allocation_fails("perceptron", [&](long n) {
        Perceptron perceptron({.epochs = 5, .shuffle = true, .path = PathOf::update});
        return with_failing(n, [&] { perceptron.fit(x, sides); });
    });
}

TEST_CASE("failing allocations: predictions, passes, evaluation, copies") {
    const RuntimeScope scope;
    const Problem<float> problem(600);
    for (const auto& layers : {stack(), members()}) {
        const N net(layers, 1);
        const Matrix<float> expected = net.predict(problem.x);
        const auto is_expected = [&](const Matrix<float>& y) {
            for (Index i = 0; i < y.rows(); ++i)
                if (first_difference(&y(i, 0), &expected(i, 0), y.cols()) != -1) return false;
            return y.rows() == expected.rows();
        };
        for (const int threads : {1, 2}) {
            set_num_threads(threads);
            each_allocation_fails("predict", [&](long n) {
                const N own = net;  // its memory is not there yet
                Matrix<float> y;
                const Outcome outcome = with_failing(n, [&] { y = own.predict(problem.x); });
                CHECK((outcome.thrown || is_expected(y)));
                CHECK(is_expected(own.predict(problem.x)));
                return outcome;
            });
            each_allocation_fails("Predictor", [&](long n) {
                const N own = net;
                Matrix<float> y(problem.x.rows(), 3);
                return with_failing(n, [&] {
                    Predictor<float> predictor(own);
                    predictor.reserve(problem.x.rows());
                    predictor.predict_into(problem.x, y);
                });
            });
            each_allocation_fails("passes", [&](long n) {
                N own = net;
                const auto pass = [&] {
                    own.forward(problem.x);
                    return Matrix<float>(own.backward(expected));
                };
                const Outcome outcome = with_failing(n, [&] { pass(); });
                CHECK(pass().rows() == expected.rows());
                return outcome;
            });
            each_allocation_fails("calls", [&](long n) {
                N own = net;
                own.set_training(false);
                const auto call = [&] {
                    Matrix<float> y(problem.x.rows(), 3);
                    own.call_into(problem.x, y, 0, own.layer_count());
                    (void)own.backward(y);
                    return own.trace(problem.x, 0, own.layer_count()).size();
                };
                const Outcome outcome = with_failing(n, [&] { call(); });
                CHECK(Index(call()) == own.layer_count() + 1);
                return outcome;
            });
            each_allocation_fails("evaluate", [&](long n) {
                return with_failing(
                    n, [&] { (void)evaluate(net, problem.data(), cross_entropy, {MetricKind::accuracy}); });
            });
        }
        each_allocation_fails("copies", [&](long n) {
            N own = net;
            const Outcome outcome = with_failing(n, [&] {
                N other = own;
                const Network<double> wide(other);
                other = N(wide);
                own = other;
            });
            CHECK(is_expected(own.predict(problem.x)));
            return outcome;
        });
    }
}

TEST_CASE("failing allocations: bfloat16, sparse input, initialisation, gradients by differences") {
    const RuntimeScope scope;
    set_num_threads(1);
    const Problem<float> problem(48);
    SparseMatrix<float> sparse;
    sparse.assign(problem.x);
    const Data<float> thin{sparse.view(), problem.data().target, {}};
    each_allocation_fails("bf16", [&](long n) {
        N net = network<float>();
        net.set_precision(Precision::bf16);
        return with_failing(n, [&] { (void)usable(net, problem); });
    });
    each_allocation_fails("sparse", [&](long n) {
        N net = network<float>();
        return with_failing(n, [&] {
            Optimizer<float> adam(OptimizerKind::adam, net);
            (void)fit<float>(net, thin, cross_entropy, adam, fit_options(1));
            (void)net.predict(sparse.view());
        });
    });
    each_allocation_fails("initialize_from", [&](long n) {
        N net = network<float>();
        return with_failing(n, [&] { net.initialize_from(problem.x, 1, 0, net.layer_count()); });
    });
    each_allocation_fails("gradcheck", [&](long n) {
        Network<double> net = network<double>();
        const Problem<double> wide(8);
        return with_failing(n, [&] { (void)gradcheck(net, wide.data(), cross_entropy); });
    });
}

TEST_CASE("failing allocations: an optimizer takes on groups and settings completely or not at all") {
    const N initial = network<float>();
    for (const Row& row : rows<OptimizerKind>()) {
        const OptimizerKind kind = parse<OptimizerKind>(row.name);
        each_allocation_fails(std::string(row.name), [&](long n) {
            N net = initial, other = initial;
            Optimizer<float> optimizer(kind, net);
            optimizer.step();
            const Outcome outcome = with_failing(n, [&] {
                Optimizer<float> another(kind, other);
                optimizer.add_group({another.groups()[0].segments, another.groups()[0].settings});
                if (kind == OptimizerKind::sgd) optimizer.set_setting("momentum", 0.5, 0);
            });
            Index size = 0;
            for (const auto& group : optimizer.groups())
                for (const auto& segment : group.segments) size += std::ssize(segment.value);
            for (const auto& slot : optimizer.state()) CHECK(slot.size() == size);
            optimizer.step();
            return outcome;
        });
    }
    N net = initial;
    for (float& grad : net.grads()) grad = 0.01f;
    for (const bool tries : {false, true})
        each_allocation_fails("a step of Muon", [&](long n) {
            N own = initial;
            std::ranges::copy(net.grads(), own.grads().begin());
            Optimizer<float> muon(OptimizerKind::muon, own);
            const Outcome outcome = with_failing(n, [&] { tries ? (void)muon.try_step(true) : muon.step(); });
            CHECK(muon.steps() == (outcome.thrown ? 0 : 1));
            CHECK(same_values(own, initial) == outcome.thrown);
            return outcome;
        });
}

namespace {

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("failing allocations: files are loaded completely and written completely, or not") {
    const N net(stack(), 1), older(stack(), 2);
    const std::string bytes = to_bytes(net), older_bytes = to_bytes(older);
    each_allocation_fails("to_bytes", [&](long n) { return with_failing(n, [&] { (void)to_bytes(net); }); });
    each_allocation_fails("from_bytes",
                          [&](long n) { return with_failing(n, [&] { (void)from_bytes(bytes); }); });
    const auto folder = std::filesystem::temp_directory_path() / ("cmlp" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto path = folder / "model.safetensors";
    each_allocation_fails("save", [&](long n) {
        save(older, path);
        const Outcome outcome = with_failing(n, [&] { save(net, path); });
        CHECK(content(path) == (outcome.thrown ? older_bytes : bytes));
        CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
        return outcome;
    });
    save(net, path);
    each_allocation_fails("load", [&](long n) { return with_failing(n, [&] { (void)load<float>(path); }); });
    std::filesystem::remove_all(folder);
}
