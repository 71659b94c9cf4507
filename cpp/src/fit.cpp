// Training in batches: shuffle, gather, step.
#include <cmlp/trainer.hpp>

#include "fit_loop.hpp"

namespace cmlp {
namespace {

// A course must hold a value for every epoch or step to come.
template <class T>
void check_courses(const FitOptions& options, const Optimizer<T>& optimizer, Index steps_an_epoch) {
    const Index epochs = std::max(options.epochs - options.first_epoch, Index(0));
    for (const Course& course : options.courses) {
        optimizer.setting(course.setting, course.group);  // throws where there is none
        const Index needed = course.every_step ? epochs * steps_an_epoch : epochs;
        require(std::ssize(course.values) >= needed, "fit: the course of '", course.setting, "' has ",
                course.values.size(), " values, ", needed, " are needed");
    }
}

template <class T>
class BatchFit : public FitLoop<T> {
public:
    BatchFit(const FitTask<T>& task, Optimizer<T>& optimizer)
        : FitLoop<T>(task), optimizer_(optimizer), order_(static_cast<size_t>(task.data.rows())) {
        batch_rows_ = std::min(task.options.batch_size, task.data.rows());
        steps_ = (task.data.rows() + batch_rows_ - 1) / batch_rows_;
        check_courses(task.options, optimizer, steps_);
    }

private:
    using FitLoop<T>::task_;

    bool train(Index epoch) override {
        const FitOptions& options = task_.options;
        follow_courses(false, epoch - options.first_epoch);
        if (options.shuffle) permute(order_, options.seed, static_cast<std::uint64_t>(epoch));
        for (Index step = 0; step < steps_; ++step) {
            run_batch(step * batch_rows_);
            if (!this->between_steps(epoch, step, steps_)) return false;
        }
        return true;
    }

    double lr() const override { return optimizer_.setting("lr"); }

    void follow_courses(bool every_step, Index at) {
        for (const Course& course : task_.options.courses)
            if (course.every_step == every_step)
                optimizer_.set_setting(course.setting, course.values[size_t(at)], course.group);
    }

    void run_batch(Index first) {
        const Index rows = std::min(batch_rows_, task_.data.rows() - first);
        const Data<T> batch =
            task_.options.shuffle
                ? gather_(task_.data, std::span<const Index>(order_).subspan(size_t(first), size_t(rows)))
                : task_.data.middle_rows(first, rows);
        follow_courses(true, task_.report.steps);
        train_step(task_.network, batch, task_.loss, optimizer_, result_, task_.options.clip_grad_norm,
                   task_.options.clip_grad_value);
        this->seen(result_, batch);
    }

    Optimizer<T>& optimizer_;
    std::vector<Index> order_;
    Index batch_rows_ = 0, steps_ = 0;
    Gatherer<T> gather_;
    LossResult<T> result_;
};

}  // namespace

template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
         const FitOptions& options, FitReport& report, const Data<T>* validation, const Hooks& hooks) {
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
