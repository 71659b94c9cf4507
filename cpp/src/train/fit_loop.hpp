// The frame of every fit: epochs and their records, validation, hooks, reasons to stop. How an epoch is trained is what
// varies.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <chrono>

#include "train/fit_parts.hpp"

namespace cmlp::inline v0_1 {

// What a fit is given, whatever the rule.
template <class T>
struct FitTask {
    Network<T>& network;
    const Data<T>& data;
    const Loss& loss;
    const FitOptions& options;
    FitReport& report;
    const Data<T>* validation;  // null: none
    const Hooks& hooks;

    // Throws unless options, data and loss go together.
    void check() const;
};

template <class T>
class FitLoop {
public:
    explicit FitLoop(const FitTask<T>& task);
    virtual ~FitLoop() = default;
    FitLoop(const FitLoop&) = delete;

    void run();

protected:
    // Trains for one epoch, with seen() for each pass that counts; false when training is over in the middle of it.
    virtual bool train(Index epoch) = 0;
    virtual double lr() const = 0;
    // Whether no epoch can lead any further.
    virtual bool converged() const { return false; }

    // Takes the loss and the metrics of the last forward pass into the epoch's.
    void seen(const LossResult<T>& result, const Data<T>& rows);
    // The two parts of it: a mean loss with the weight it has in the epoch's, and the rows for the metrics.
    void count(double loss, double weight);
    void met(const Data<T>& rows);
    // Counts a step; whether between_steps has to come before the next one.
    bool step_done();
    // What there is to do between two steps; false when training is over. No team is open then: a hook may fork.
    bool between_steps(Index epoch, Index step, Index steps_an_epoch);
    // Polls when it is time to.
    void poll(const Progress& progress);
    bool out_of_time() const;
    double loss_so_far() const { return sum_ / weight_; }

    const FitTask<T> task_;

private:
    bool run_epoch(Index epoch);
    bool step_end_is_due() const;
    bool poll_is_due() const;
    bool end_epoch(const EpochRecord& record);
    bool stop(Stop reason);

    using Clock = std::chrono::steady_clock;
    Monitor<T> monitor_;
    std::vector<Metric> metrics_;
    double sum_ = 0, weight_ = 0;  // of the epoch's loss
    Clock::time_point started_ = Clock::now(), polled_ = started_;
};

}  // namespace cmlp::inline v0_1
