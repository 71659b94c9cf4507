// A training by scikit-learn's rules as an object: made, run alone or beside others with the GIL released, read.
#include <cmlp/train/estimator.hpp>

#include <atomic>
#include <exception>
#include <future>

#include "bind_optimizer.hpp"
#include "options.hpp"
#include "training.hpp"

namespace {

using namespace cmlp;
using Poll = std::function<void(const Progress&)>;

// What a BitGenerator of NumPy has in its capsule (numpy/random/bitgen.h).
struct BitGenerator {
    void* state;
    std::uint64_t (*next_uint64)(void*);
    std::uint32_t (*next_uint32)(void*);
    double (*next_double)(void*);
    std::uint64_t (*next_raw)(void*);
};

// The orders of rows, each a shuffle of the one before, drawn from NumPy's generator where it is.
struct Orders {
    Array<std::int64_t> rows;  // the order there is, shuffled in place
    py::capsule generator;
    py::object lock;  // held for a draw; none: the generator is nobody else's

    void next(std::span<Index> out) const {
        auto* bits = generator.get_pointer<BitGenerator>();
        const std::span<Index> own(const_cast<Index*>(rows.data()), out.size());
        shuffle(own, {bits->state, bits->next_uint32});
        std::copy(own.begin(), own.end(), out.begin());
    }
    void next_locked(std::span<Index> out) const {
        const WithGil gil;
        lock.attr("acquire")();
        next(out);
        lock.attr("release")();
    }
};

struct Calls {
    py::object epoch_end, score, poll;
    std::optional<Orders> orders;

    EstimatorHooks hooks(Poll polled) const {
        EstimatorHooks hooks;
        hooks.poll = std::move(polled);
        if (orders && orders->lock.is_none())
            hooks.order = [this](Index, std::span<Index> rows) { orders->next(rows); };
        else if (orders)
            hooks.order = [this](Index, std::span<Index> rows) { orders->next_locked(rows); };
        if (!epoch_end.is_none())
            hooks.epoch_end = [this](const EstimatorEpoch& epoch) { return deliver(epoch); };
        if (!score.is_none())
            hooks.score = [this] {
                const WithGil gil;
                return py::cast<double>(score());
            };
        return hooks;
    }
    bool deliver(const EstimatorEpoch& epoch) const {
        const WithGil gil;
        py::dict fields;
        fields["loss"] = epoch.loss;
        fields["val_loss"] = epoch.val_loss;
        fields["val_score"] = epoch.val_score;
        fields["lr"] = epoch.lr;
        fields["seconds"] = epoch.seconds;
        fields["plateau"] = epoch.plateau;
        return continues(epoch_end, fields);
    }
    void poll_python(const Progress& progress) const {
        const WithGil gil;
        check_signals();
        if (!poll.is_none()) poll(progress_of(progress));
    }
};

EstimatorRules rules_from(const py::dict& o) {
    EstimatorRules rules;
    OptionReader reader(o);
    reader.read("tol", rules.tol);
    reader.read("n_iter_no_change", rules.n_iter_no_change);
    reader.read("early_stopping", rules.early_stopping);
    reader.read("learning_rate_init", rules.learning_rate_init);
    reader.read("power_t", rules.power_t);
    reader.read_or_off("max_steps", rules.max_steps);
    reader.read("constant", rules.constant);
    reader.read("val_constant", rules.val_constant);
    std::string learning_rate = "constant", metric;
    reader.read("learning_rate", learning_rate);
    rules.learning_rate = parse_rate_rule(learning_rate);
    reader.read_or_off("metric", metric);
    if (!metric.empty()) rules.metric = parse<MetricKind>(metric);
    reader.refuse_others();
    return rules;
}

// One training of either precision.
class PyEstimatorFit {
public:
    EstimatorReport report;
    Calls calls;

    explicit PyEstimatorFit(Calls all) : calls(std::move(all)) {}
    virtual ~PyEstimatorFit() = default;

    // Without the GIL; what ends it is kept.
    void run(const Poll& poll) noexcept {
        try {
            require(!used_.exchange(true), "EstimatorFit: it has run; a training runs once");
            train(calls.hooks(poll));
        } catch (...) {
            error_ = std::current_exception();
        }
    }
    void run_alone() {
        {
            const WithoutGil released;
            run([this](const Progress& progress) { calls.poll_python(progress); });
        }
        check();
    }
    // Releases the functions, which may hold this object, and raises what ended the training.
    void check() {
        release();
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

    // Releases the functions; without them it does not run.
    void release() {
        used_ = true;
        calls = {};
    }

protected:
    virtual void train(const EstimatorHooks& hooks) = 0;

private:
    std::exception_ptr error_;
    std::atomic<bool> used_ = false;
};

using OrderArrays = std::tuple<py::object, py::object, py::object>;

template <class T>
class EstimatorFitOf : public PyEstimatorFit {
public:
    EstimatorFitOf(std::shared_ptr<Network<T>> network, FitRows<T> rows, const py::object& loss,
                   const py::object& optimizer, const py::dict& options, const EstimatorRules& rules,
                   FitRows<T> held_out, Calls calls)
        : PyEstimatorFit(std::move(calls)),
          network_(std::move(network)),
          owners_{loss, optimizer},
          loss_(py::cast<const PyLoss&>(loss)),
          optimizer_(py::cast<PyOptimizer<T>&>(optimizer)),
          options_(options_from(options)),
          rules_(rules),
          rows_(std::move(rows)),
          held_out_(std::move(held_out)) {}

private:
    void train(const EstimatorHooks& hooks) override {
        const Data<T> validation = held_out_ ? held_out_->data() : Data<T>{};
        fit_estimator<T>(*network_, rows_->data(), loss_.loss, optimizer_.optimizer, options_, rules_, report,
                         held_out_ ? &validation : nullptr, hooks);
    }

    std::shared_ptr<Network<T>> network_;
    const std::array<py::object, 2> owners_;
    const PyLoss& loss_;
    PyOptimizer<T>& optimizer_;
    const FitOptions options_;
    const EstimatorRules rules_;
    const FitRows<T> rows_, held_out_;  // held_out_: null where there are none
};

// Runs all of them, each on one of the threads. The calling thread checks for signals; one ends them all.
void run_fits(const std::vector<PyEstimatorFit*>& fits, int threads) {
    for (const PyEstimatorFit* fit : fits) require(fit, "run_fits: one of the fits is None");
    struct Cancelled {};
    std::atomic<bool> cancelled = false;
    const Poll poll = [&](const Progress&) {
        if (cancelled) throw Cancelled{};
    };
    std::exception_ptr signal;
    {
        const WithoutGil released;
        const auto done = std::async(std::launch::async, [&] {
            run_jobs(std::ssize(fits), threads, [&](Index i) {
                if (!cancelled) fits[size_t(i)]->run(poll);
            });
        });
        while (done.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
            const WithGil gil;
            if (!cancelled && PyErr_CheckSignals() != 0) {
                cancelled = true;
                signal = std::make_exception_ptr(py::error_already_set());
            }
        }
    }
    if (!signal) return;
    for (PyEstimatorFit* fit : fits) fit->release();  // check() is not called for them
    std::rethrow_exception(signal);
}

template <class T>
std::unique_ptr<PyEstimatorFit> make(std::shared_ptr<Network<T>> network, FitRows<T> rows,
                                     const py::object& loss, const py::object& optimizer,
                                     const py::dict& options, const py::dict& rules, FitRows<T> held_out,
                                     const std::optional<OrderArrays>& orders, const py::object& epoch_end,
                                     const py::object& score, const py::object& poll) {
    Calls calls{epoch_end, score, poll, {}};
    if (orders) {
        const auto& [order, generator, lock] = *orders;
        calls.orders.emplace(Orders{Array<std::int64_t>(order), py::capsule(generator), lock});
    }
    return std::make_unique<EstimatorFitOf<T>>(std::move(network), std::move(rows), loss, optimizer, options,
                                               rules_from(rules), std::move(held_out), std::move(calls));
}

// Losses of the epochs, validation losses and scores of the complete ones, from `first` on.
py::tuple epochs(const PyEstimatorFit& self, size_t first) {
    py::list loss, val_loss, val_score;
    for (size_t i = first; i < self.report.epochs.size(); ++i) {
        const EstimatorEpoch& epoch = self.report.epochs[i];
        loss.append(epoch.loss);
        if (epoch.complete) val_loss.append(epoch.val_loss), val_score.append(epoch.val_score);
    }
    return py::make_tuple(loss, val_loss, val_score);
}

using State = std::tuple<double, double, Index, Index>;  // of the best loss and score, the counts

}  // namespace

void bind_estimator(py::module_& m) {
    using F = PyEstimatorFit;
    auto cls = py::class_<F>(m, "EstimatorFit", "A training by scikit-learn's rules, of one network.");
    const auto add_init = [&cls](auto make) {
        cls.def(py::init(make), py::arg("network").none(false), py::arg("rows").none(false), py::arg("loss"),
                py::arg("optimizer"), py::arg("options"), py::arg("rules"), py::arg("held_out"),
                py::arg("orders"), py::arg("epoch_end"), py::arg("score"), py::arg("poll"),
                "rows, held_out: FitRows; orders: (order, capsule of the generator, its lock).");
    };
    add_init(&make<float>);
    add_init(&make<double>);
    cls.def("run", &F::run_alone, "Trains in the calling thread; raises what ended it.")
        .def("check", &F::check, "Raises what ended it, once.")
        .def("epochs", &epochs, py::arg("first"),
             "Losses, validation losses and scores of the epochs from `first` on.")
        .def_property(
            "state",
            [](const F& f) {
                const EstimatorState& s = f.report.state;
                return State(s.best_loss, s.best_score, s.no_improvement, s.rows_counted);
            },
            [](F& f, const State& given) {
                auto& s = f.report.state;
                std::tie(s.best_loss, s.best_score, s.no_improvement, s.rows_counted) = given;
            },
            "Best loss, best score, epochs without improvement, rows counted.")
        .def_property_readonly("stop", [](const F& f) { return name_of(f.report.stop); })
        .def_property_readonly("ended", [](const F& f) { return f.report.ended; })
        .def_property_readonly("best_kept", [](const F& f) { return f.report.best_kept; })
        .def_property_readonly("steps", [](const F& f) { return f.report.steps; })
        .def_property_readonly("seconds", [](const F& f) { return f.report.seconds; });
    m.def("run_fits", &run_fits, py::arg("fits"), py::arg("threads"),
          "Runs trainings side by side, each on one thread; what ended one is kept for its check().");
}
