// The rows of a batch, gathered in the order of the shuffle.
#pragma once

#include <cmlp/train/trainer.hpp>

#include "ops/ops.hpp"

namespace cmlp::inline v0_1 {

template <class T>
class Gatherer {
public:
    Data<T> operator()(const Data<T>& data, std::span<const Index> order) {
        const Index rows = std::ssize(order);
        Data<T> batch{x_of(data.x, order)};
        if (!data.target.label.empty()) {
            label_.resize(rows);
            for (Index r = 0; r < rows; ++r) label_[r] = data.target.label[size_t(order[size_t(r)])];
            batch.target.label = label_.span();
        } else {
            target_.resize(rows, data.target.dense.cols());
            ops::gather_rows<T>(data.target.dense, order, target_);
            batch.target.dense.rebind(target_.view());
        }
        if (!data.weight.empty()) {
            weight_.resize(rows);
            for (Index r = 0; r < rows; ++r) weight_[r] = data.weight[size_t(order[size_t(r)])];
            batch.weight = weight_.span();
        }
        if (!data.name.empty()) {
            name_.resize(rows);
            for (Index r = 0; r < rows; ++r) name_[r] = data.name[size_t(order[size_t(r)])];
            batch.name = name_.span();
        }
        return batch;
    }

    Matrix<T>& x() { return x_; }

private:
    Input<T> x_of(const Input<T>& x, std::span<const Index> order) {
        if (x.is_sparse()) {
            sparse_.assign_rows(x.sparse(), order);
            return sparse_.view();
        }
        x_.resize(std::ssize(order), x.cols());
        ops::gather_rows<T>(x.numbers(), order, x_);
        return x_;
    }

    Matrix<T> x_, target_;
    SparseMatrix<T> sparse_;  // instead of x_
    Buffer<std::int64_t> label_;
    Buffer<T> weight_;
    Buffer<std::uint64_t> name_;
};

}  // namespace cmlp::inline v0_1
