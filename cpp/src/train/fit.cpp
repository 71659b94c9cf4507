// Training in batches: shuffle, gather, step.
#include <cmlp/base/sizes.hpp>
#include <cmlp/train/trainer.hpp>

#include "runtime/parallel.hpp"
#include "train/batches.hpp"
#include "train/fit_loop.hpp"

namespace cmlp::inline v0_1 {
namespace {

const std::string dropout = "dropout";

// A schedule must hold a value for every epoch or step to come.
template <class T>
void check_schedules(const FitOptions& options, const Optimizer<T>& optimizer, Index steps_an_epoch) {
    const Index epochs = std::max(options.epochs - options.first_epoch, Index(0));
    for (const SettingSchedule& schedule : options.schedules) {
        if (schedule.setting != dropout)
            optimizer.setting(schedule.setting, schedule.group);  // throws where there is none
        const Index needed = schedule.every_step
                                 ? size_product("fit: the steps of a schedule", epochs, steps_an_epoch)
                                 : epochs;
        require(std::ssize(schedule.values) >= needed, "fit: the schedule of '", schedule.setting, "' has ",
                schedule.values.size(), " values, ", needed, " are needed");
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
          batches_(task.data, task.options, task.hooks, normalizes_batches(task.network.layers())),
          step_(task.network, task.loss, optimizer, task.options.step, result_) {
        steps_ = (batches_.count() - 1) / task.options.accumulate_steps + 1;
        check_schedules(task.options, optimizer, steps_);
        check_codes(task.options, task.network);
        check_sparse(task.options, task.data);
    }

private:
    using FitLoop<T>::task_;

    bool train(Index epoch) override {
        follow_schedules(false, epoch - task_.options.first_epoch);
        batches_.begin(epoch);
        for (Index step = 0; step < steps_;) {
            with_team(step_work(task_.network, batches_.rows()), double(steps_ - step),
                      [&] { step = run_steps(epoch, step); });
            if (!this->between_steps()) return false;
        }
        return true;
    }

    // Steps from this one on, up to one that something has to follow; the number of the next.
    Index run_steps(Index epoch, Index step) {
        optimizer_.expect_other_weights();  // of the hooks
        for (bool due = false; step < steps_ && !due; ++step) {
            follow_schedules(true, task_.report.steps - task_.options.start.steps);
            run_step(step);
            due = this->step_done(epoch, step, steps_);
        }
        return step;
    }

    double lr() const override { return optimizer_.setting("lr"); }

    void follow_schedules(bool every_step, Index at) {
        for (const SettingSchedule& schedule : task_.options.schedules) {
            if (schedule.every_step != every_step) continue;
            const double value = schedule.values[size_t(at)];
            if (schedule.setting == dropout)
                task_.network.set_dropout(value);
            else
                optimizer_.set_setting(schedule.setting, value, schedule.group);
        }
    }

    void run_step(Index step) {
        const Index accumulated = std::min(task_.options.accumulate_steps, batches_.count());
        const Index first = step * accumulated, last = std::min(first + accumulated, batches_.count());
        Index rows = 0;
        for (Index i = first; i < last; ++i) {
            this->mode_.set_pass(batches_.number(i));
            const Batch<T> batch = batches_[i];
            step_.add(batch, last - first > 1);
            this->measure(batch.data);
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
Index steps_an_epoch(const Network<T>& network, Index rows, const FitOptions& options) {
    for (const auto& [name, value] : {std::pair{"the number of rows", rows},
                                      {"batch_size", options.batch_size},
                                      {"accumulate_steps", options.accumulate_steps}})
        require(value >= 1, "fit: ", name, " is ", value, ", it must be at least 1");
    return (batch_count(rows, options, normalizes_batches(network.layers())) - 1) / options.accumulate_steps +
           1;
}

template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
         const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks,
         Execution execution) {
    const ExecutionScope limit(execution);
    report = {};
    const typename Network<T>::Exclusive only(network, "fit");
    const FitTask<T> task{network, data, loss, options, report, validation, hooks};
    task.check();
    check_optimizer(optimizer, network, "fit");
    BatchFit<T>(task, optimizer).run();
}

template Index steps_an_epoch<float>(const Network<float>&, Index, const FitOptions&);
template Index steps_an_epoch<double>(const Network<double>&, Index, const FitOptions&);
template void fit<float>(Network<float>&, const Data<float>&, const Loss&, Optimizer<float>&,
                         const FitOptions&, FitReport&, const Data<float>*, const Hooks&, Execution);
template void fit<double>(Network<double>&, const Data<double>&, const Loss&, Optimizer<double>&,
                          const FitOptions&, FitReport&, const Data<double>*, const Hooks&, Execution);

}  // namespace cmlp::inline v0_1
