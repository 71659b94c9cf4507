// Training: one step, epochs, evaluation.
#pragma once

#include <cmlp/losses/metrics.hpp>
#include <cmlp/network/data.hpp>
#include <cmlp/network/network.hpp>
#include <cmlp/optim/optimizer.hpp>
#include <cmlp/runtime/rng.hpp>

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace cmlp::inline v0_1 {

/// Why fit returned.
enum class Stop { completed, early_stopping, time_limit, callback, converged };

/// Where a fit stands between two steps.
struct Progress {
    Index epoch, step, steps_an_epoch;
    double loss;  ///< of the epoch so far: mean over its rows, or their sum where the loss is one
};

/// One epoch as it went.
struct EpochRecord {
    Index epoch = 0;  ///< from 0
    double loss = 0, val_loss = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> metrics, val_metrics;  ///< in the order of the argument
    double lr = 0;
    double seconds = 0;  ///< this epoch's
    std::optional<Stop> ends =
        {};  ///< why it is the last epoch, unless a call of Hooks::epoch_end stops the fit
};

/// What a fit did.
struct FitReport {
    std::vector<EpochRecord> epochs;
    Index best_epoch = -1;  ///< of the monitored value
    double best_value = std::numeric_limits<double>::quiet_NaN();
    Index steps = 0;
    Stop stop = Stop::completed;
    std::optional<Progress> unfinished;  ///< the last step of an epoch that a stop or an exception cut short
};

/// Calls out of the training loop; any may be empty. They may throw: the network is then as after its last step, or as
/// after its best epoch (restore_best).
struct Hooks {
    std::function<bool(const EpochRecord&)> epoch_end;  ///< false stops
    std::function<bool(const Progress&)> step_end;      ///< every `every_steps` steps; false stops
    std::function<void(const Progress&)> poll;          ///< about every 50 ms
    /// A value to monitor in place of FitOptions::monitor's, better in the direction of that one: smaller, where it is
    /// a loss or empty. Called before epoch_end.
    std::function<double(const EpochRecord&)> monitored;
    /// Writes the rows of an epoch in the order to meet them; empty: as FitOptions::shuffle says.
    std::function<void(Index epoch, std::span<Index>)> order;
};

/// The values that a setting of one group of the optimizer, or "dropout" (Network::set_dropout), takes, epoch
/// by epoch or step by step; Schedule::table makes them.
struct SettingSchedule {
    std::string setting;  ///< "lr", "weight_decay" ...
    Index group = 0;
    std::vector<double> values;
    bool every_step = false;
};

/// Where an earlier fit was between two epochs. A fit that starts there, with the network and the optimizer as
/// they were and FitOptions::first_epoch, continues it bit for bit.
struct FitStart {
    Index steps = 0;
    Index best_epoch = -1;  ///< of the monitored value, -1: none
    double best_value = std::numeric_limits<double>::quiet_NaN();
    std::vector<double>
        best_weights;  ///< Network::state() of that epoch, where restore_best is to end with it
};

/// What a step does beside following the gradient of the loss; 0 everywhere: nothing.
struct StepOptions {
    double clip_grad_norm = 0;
    double clip_grad_value = 0;  ///< largest magnitude of a gradient's element
    double l1 = 0,
           l2 = 0;  ///< the loss has l1 * sum of |w| + l2 / 2 * sum of w^2 over the weights of linear layers
    double max_norm =
        0;  ///< after the step, largest 2-norm of the weights that come into a unit of a linear layer
    bool penalty_per_row = false;  ///< l1 and l2 are divided by the weight of the step's rows
};

struct FitOptions {
    Index epochs = 1;
    Index first_epoch = 0;  ///< a resumed run counts on, so that its shuffles follow
    FitStart start = {};    ///< of a resumed run
    Index batch_size = 32;
    bool shuffle = true;
    bool drop_last =
        false;      ///< leaves out the last batch of an epoch where it has fewer rows than batch_size
    Seed seed = 0;  ///< of shuffles, dropout, mixup and noise
    /// Dropout draws by both seeds and the number of the batch over all epochs; false: network's seed and pass count.
    bool own_draws = true;
    Index accumulate_steps = 1;  ///< batches whose joint mean a step follows
    StepOptions step = {};
    double mixup = 0;        ///< alpha: rows are mixed in pairs with a share from Beta(alpha, alpha), 0: off
    double input_noise = 0;  ///< standard deviation of what is added to x in training
    double time_limit = 0;   ///< seconds, 0: none
    std::vector<MetricKind> metrics = {};
    Index patience = 0;    ///< epochs without improvement before it stops, 0: never
    double min_delta = 0;  ///< what counts as an improvement
    std::string monitor =
        "";  ///< "loss", "val_loss", a metric or "val_" + metric; "": val_loss where there is one
    bool restore_best = false;     ///< ends with the weights of the best epoch, also by an exception
    Index every_steps = 0;         ///< 0: step_end is never called
    bool batches_by_rows = false;  ///< an epoch's loss weighs each batch by its rows, not by their weights
    std::vector<SettingSchedule> schedules = {};
};

/// Forward, loss, backward, penalties, clip (to the norm, then each element), update, max_norm: the loss
/// before the step, penalties included. Throws NonFiniteError, weights untouched, when the loss or a gradient
/// is not finite.
template <class T>
double train_step(Network<T>& network, const Data<T>& batch, const Loss& loss, Optimizer<T>& optimizer,
                  LossResult<T>& result, const StepOptions& options = {}, Execution execution = {});

/// Trains for a number of epochs in the calling thread, with a report that starts empty and is filled as the
/// fit goes, so that it stands even where this throws: std::invalid_argument on options or shapes that do not
/// fit, NonFiniteError on numbers that are not finite, std::runtime_error while another thread trains the
/// network, and what hooks throw.
template <class T>
void fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
         const FitOptions& options, FitReport& report, const Data<T>* validation = nullptr,
         const Hooks& hooks = {}, Execution execution = {});

/// The same for whoever needs the report of a fit that ended without an exception.
template <class T>
FitReport fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
              const FitOptions& options = {}, const std::type_identity_t<Data<T>>* validation = nullptr,
              const Hooks& hooks = {}, Execution execution = {}) {
    FitReport report;
    fit<T>(network, data, loss, optimizer, options, report, validation, hooks, execution);
    return report;
}
template <class T>
FitReport fit(Network<T>& network, const Data<T>& data, const Loss& loss, Optimizer<T>& optimizer,
              const FitOptions& options, Execution execution) {
    return fit<T>(network, data, loss, optimizer, options, nullptr, {}, execution);
}

/// Updates of an epoch over that many rows. Throws std::invalid_argument on options that leave no batch.
template <class T>
Index steps_an_epoch(const Network<T>& network, Index rows, const FitOptions& options);

/// Partner of each row of a batch, and the share of the row itself.
struct Pairs {
    std::vector<Index> partner;
    double share;
};

/// The pairs that fit mixes in its batch `number`, counted over all epochs from 0.
Pairs mixup_pairs(Index rows, double alpha, Seed seed, std::uint64_t number);

/// Adds what fit adds to batch `number`: deviation * N(0, 1) for every element, row by row.
template <class T>
void add_noise(MatrixView<T> x, double deviation, Seed seed, std::uint64_t number);

/// The loss, then the metrics, in evaluation mode.
template <class T>
std::vector<double> evaluate(const Network<T>& network, const Data<T>& data, const Loss& loss,
                             const std::vector<MetricKind>& metrics = {}, Execution execution = {});

/// Throws std::invalid_argument unless the optimizer's weights are the network's.
template <class T>
void check_optimizer(const Optimizer<T>& optimizer, const Network<T>& network, std::string_view what);

}  // namespace cmlp::inline v0_1
