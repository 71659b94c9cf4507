// The frame of every fit: epochs and their records, validation, hooks, reasons to stop. How an epoch is trained is what
// varies.
#pragma once

#include <cmlp/train/trainer.hpp>

#include <chrono>

#include "train/monitor.hpp"
#include "train/training_mode.hpp"

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

    // Throws unless options, data and loss match.
    void check() const;
};

// Throws std::invalid_argument unless the rows match the network and the loss; `what` begins the message.
template <class T>
void check_rows(const Network<T>& network, const Loss& loss, const Data<T>& rows, const char* what);

template <class T>
class FitLoop {
public:
    explicit FitLoop(const FitTask<T>& task);
    virtual ~FitLoop() = default;
    FitLoop(const FitLoop&) = delete;

    void run();

protected:
    // Trains for one epoch, with count() and measure() for each pass that counts; false when training is over in the
    // middle of it.
    virtual bool train(Index epoch) = 0;
    virtual double lr() const = 0;
    // Whether another epoch would change nothing.
    virtual bool converged() const { return false; }

    // Adds a loss, of this weight in the epoch's mean (1 where it is a sum).
    void count(double loss, double weight);
    // Adds rows, whose outputs are those of the last forward pass, to the epoch's metrics.
    void measure(const Data<T>& rows);
    // Counts a step; whether between_steps has to come before the next one.
    bool step_done(Index epoch, Index step, Index steps_an_epoch);
    // What there is to do between two steps; false when training ends in mid-epoch. No team is open: a hook may fork.
    bool between_steps();
    // Polls when it is time to.
    void poll(const Progress& progress);
    bool out_of_time() const;
    // The mean over the rows so far, or their sum where the loss is one; 0 where no row counts.
    double loss_so_far() const { return sums_ ? sum_ : weight_ > 0 ? sum_ / weight_ : 0; }

    const FitTask<T> task_;
    TrainingMode<T> mode_;

private:
    void run_epoch(Index epoch);
    bool step_end_is_due() const;
    bool poll_is_due() const;
    void end_epoch(EpochRecord& record);
    std::optional<Stop> reason_to_end(Index epoch, bool patient) const;
    void stop(Stop reason);  // the first reason counts

    using Clock = std::chrono::steady_clock;
    Monitor<T> monitor_;
    std::vector<Metric> metrics_;
    const bool sums_;              // the loss is a sum over rows
    double sum_ = 0, weight_ = 0;  // of the epoch's loss
    bool stopped_ = false;
    Clock::time_point started_ = Clock::now(), polled_ = started_;
};

}  // namespace cmlp::inline v0_1
