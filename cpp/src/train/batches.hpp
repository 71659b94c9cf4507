// The batches of a fit: rows in the order of the shuffle, mixed in pairs, with noise on the input.
#pragma once

#include <numeric>

#include "train/gather.hpp"
#include "train/step.hpp"

namespace cmlp::inline v0_1 {

// Whether a layer takes the mean and variance of a batch in training.
bool normalizes_batches(const std::vector<NamedLayer>& layers);

// Batches of an epoch. A single row that is left over joins the batch before it where a batch needs several.
Index batch_count(Index rows, const FitOptions& options, bool statistics);

template <class T>
class Batches {
public:
    // `statistics`: the network takes the variance of a batch, so that none may have a single row.
    Batches(const Data<T>& data, const FitOptions& options, const Hooks& hooks, bool statistics)
        : data_(data),
          options_(options),
          hooks_(hooks),
          order_(static_cast<size_t>(data.rows())),
          rows_(std::min(options.batch_size, data.rows())),
          count_(batch_count(data.rows(), options, statistics)) {
        permuted_ = options.shuffle || hooks.order;
        std::iota(order_.begin(), order_.end(), Index(0));
    }

    Index rows() const { return rows_; }    // of a batch
    Index count() const { return count_; }  // an epoch

    void begin(Index epoch) {
        if (hooks_.order)
            take_order(epoch);
        else if (permuted_)
            permute(order_, options_.seed, static_cast<std::uint64_t>(epoch));
        first_number_ = static_cast<std::uint64_t>(epoch) * static_cast<std::uint64_t>(count());
    }

    // Of batch i, over all epochs from 0: what its random numbers are drawn by.
    std::uint64_t number(Index i) const { return first_number_ + static_cast<std::uint64_t>(i); }

    // Batch i of the epoch; valid until the next.
    Batch<T> operator[](Index i) {
        const Index first = i * rows_;
        const Index rows = i + 1 < count_ || options_.drop_last ? rows_ : data_.rows() - first;
        const bool changed = options_.mixup > 0 || options_.input_noise > 0;
        if (!permuted_ && !changed) return {data_.middle_rows(first, rows)};
        const auto order = std::span<const Index>(order_).subspan(size_t(first), size_t(rows));
        Batch<T> batch{gather_(data_, order)};
        if (options_.mixup > 0) mix(batch, order, number(i));
        if (options_.input_noise > 0)
            add_noise<T>(gather_.x().view(), options_.input_noise, options_.seed, number(i));
        return batch;
    }

private:
    void take_order(Index epoch) {
        hooks_.order(epoch, order_);
        for (const Index row : order_)
            require(row >= 0 && row < data_.rows(), "fit: the order of epoch ", epoch, " has row ", row,
                    ", there are ", data_.rows());
    }

    // x = share * x + (1 - share) * x of the partners (Zhang et al., ICLR 2018).
    void mix(Batch<T>& batch, std::span<const Index> order, std::uint64_t number) {
        Pairs pairs = mixup_pairs(std::ssize(order), options_.mixup, options_.seed, number);
        for (Index& row : pairs.partner) row = order[size_t(row)];
        const Data<T> second = gather_second_(data_, pairs.partner);
        gather_.x().view() *= static_cast<T>(pairs.share);
        gather_.x().view() += static_cast<T>(1 - pairs.share) * second.x.numbers();
        if (!second.target.label.empty())
            batch.second.label = second.target.label;
        else
            batch.second.dense.rebind(second.target.dense);
        batch.second_weight = second.weight;
        batch.share = pairs.share;
    }

    const Data<T>& data_;
    const FitOptions& options_;
    const Hooks& hooks_;
    std::vector<Index> order_;
    Index rows_, count_;
    bool permuted_ = true;
    std::uint64_t first_number_ = 0;
    Gatherer<T> gather_, gather_second_;
};

}  // namespace cmlp::inline v0_1
