// Training in batches: shuffle, gather, step.
#include <cmlp/train/trainer.hpp>

#include "runtime/parallel.hpp"
#include "train/batches.hpp"
#include "train/fit_loop.hpp"

namespace cmlp {
namespace {

const std::string dropout = "dropout";

// A course must hold a value for every epoch or step to come.
template <class T>
void check_courses(const FitOptions& options, const Optimizer<T>& optimizer, Index steps_an_epoch) {
    const Index epochs = std::max(options.epochs - options.first_epoch, Index(0));
    for (const Course& course : options.courses) {
        if (course.setting != dropout)
            optimizer.setting(course.setting, course.group);  // throws where there is none
        const Index needed = course.every_step ? epochs * steps_an_epoch : epochs;
        require(std::ssize(course.values) >= needed, "fit: the course of '", course.setting, "' has ",
                course.values.size(), " values, ", needed, " are needed");
    }
}

// A change of x would fill all of it.
template <class T>
void check_sparse(const FitOptions& options, const Data<T>& data) {
    require(!data.x.is_sparse() || (options.mixup == 0 && options.input_noise == 0),
            "fit: x is sparse and takes no ", options.mixup > 0 ? "mixup" : "input_noise");
}

// Codes are no numbers that one could add to.
template <class T>
void check_codes(const FitOptions& options, const Network<T>& network) {
    for (const NamedLayer& layer : network.layers())
        require(!std::holds_alternative<Embedding>(layer.layer) ||
                    (options.mixup == 0 && options.input_noise == 0),
                "fit: ", options.mixup > 0 ? "mixup" : "input_noise",
                " would change the codes that Embedding layer '", layer.name, "' looks up");
}

template <class T>
class BatchFit : public FitLoop<T> {
public:
    BatchFit(const FitTask<T>& task, Optimizer<T>& optimizer)
        : FitLoop<T>(task),
          optimizer_(optimizer),
          batches_(task.data, task.options, task.hooks),
          step_(task.network, task.loss, optimizer, task.options.step, result_) {
        const Index together = task.options.accumulate_steps;
        steps_ = (batches_.count() - 1) / together + 1;
        check_courses(task.options, optimizer, steps_);
        check_codes(task.options, task.network);
        check_sparse(task.options, task.data);
    }

private:
    using FitLoop<T>::task_;

    bool train(Index epoch) override {
        follow_courses(false, epoch - task_.options.first_epoch);
        batches_.begin(epoch);
        for (Index step = 0; step < steps_;) {
            with_team(step_work(task_.network, batches_.rows()), double(steps_ - step),
                      [&] { step = run_steps(step); });
            if (!this->between_steps(epoch, step - 1, steps_)) return false;
        }
        return true;
    }

    // Steps from this one on, up to one that something has to follow; the number of the next.
    Index run_steps(Index step) {
        for (bool due = false; step < steps_ && !due; ++step) {
            follow_courses(true, task_.report.steps);
            run_step(step);
            due = this->step_done();
        }
        return step;
    }

    double lr() const override { return optimizer_.setting("lr"); }

    void follow_courses(bool every_step, Index at) {
        for (const Course& course : task_.options.courses) {
            if (course.every_step != every_step) continue;
            const double value = course.values[size_t(at)];
            if (course.setting == dropout)
                task_.network.set_dropout(value);
            else
                optimizer_.set_setting(course.setting, value, course.group);
        }
    }

    void run_step(Index step) {
        const Index together = std::min(task_.options.accumulate_steps, batches_.count());
        const Index first = step * together, last = std::min(first + together, batches_.count());
        Index rows = 0;
        for (Index i = first; i < last; ++i) {
            const Batch<T> batch = batches_[i];
            step_.add(batch, last - first > 1);
            this->met(batch.data);
            rows += batch.data.rows();
        }
        const auto value = step_.update();
        const bool by_rows = task_.options.batches_by_rows && task_.loss.reduction() != Reduction::sum;
        this->count(value.loss, by_rows && value.weight > 0 ? double(rows) : value.weight);
    }

    Optimizer<T>& optimizer_;
    Batches<T> batches_;
    LossResult<T> result_;
    Step<T> step_;
    Index steps_ = 0;
};

}  // namespace

template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
         const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks) {
    report = {};
    const typename Network<T>::Exclusive only(network, "fit");
    const FitTask<T> task{network, data, loss, options, report, validation, hooks};
    task.check();
    check_optimizer(optimizer, network, "fit");
    BatchFit<T>(task, optimizer).run();
}

template void fit<float>(Network<float>&, const Data<float>&, const Loss&, Optimizer<float>&,
                         const FitOptions&, FitReport&, const Data<float>*, const Hooks&);
template void fit<double>(Network<double>&, const Data<double>&, const Loss&, Optimizer<double>&,
                          const FitOptions&, FitReport&, const Data<double>*, const Hooks&);

}  // namespace cmlp
