// Speed of products, activations, losses, update rules, training steps, blocks and predictions for each instruction
// set, as a table and as JSON:
//
//   cmlp_bench [--json FILE] [--threads N] [--isa NAME] [--only GROUP] [--seconds OF_ONE_MEASUREMENT] [--smoke]
//
// Products are compared with the measured peak of fused multiply-adds, elementwise work with a copy of as many bytes.
#include <cmlp/cmlp.hpp>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "blocks.hpp"
#include "elementwise.hpp"
#include "ops/sparse.hpp"
#include "peaks.hpp"

namespace {

using namespace cmlp;
using namespace bench;

struct Options {
    std::string json, isa, only;
    int threads = 1, most = num_threads();
    bool smoke = false;  // one small shape of each
} options;

void products(Index batch, Index width) {
    const Matrix<T> x = filled(batch, width), w = filled(width, width);
    Matrix<T> y(batch, width), dw(width, width), scratch;
    Buffer<T> bias(width);
    const double flops = 2.0 * double(batch) * double(width) * double(width);
    const auto one = [&](std::string_view name, auto&& f) {
        const double speed = flops / best_time(f) / 1e9;
        add("product", name, text(batch, width), speed, "GFLOP/s", peak > 0 ? speed / peak : 0);
    };
    one("forward", [&] { ops::linear_forward<T>(x.view(), w.view(), bias.data(), y.view()); });
    one("dX", [&] { ops::linear_backward_input<T>(x.view(), w.view(), scratch, y.view()); });
    one("dW", [&] { ops::linear_backward_weight<T>(x.view(), x.view(), dw.view(), false); });
}

/// Products of a first layer whose input has one element in a hundred; beside them the dense time over the sparse one.
void sparse_products(Index batch, Index in, Index out) {
    Matrix<T> x = filled(batch, in);
    for (Index i = 0; i < batch; ++i)
        for (Index j = 0; j < in; ++j)
            if ((i * 37 + j * 11) % 100 != 0) x(i, j) = 0;
    SparseMatrix<T> sparse, scratch;
    sparse.assign(x.view());
    const Matrix<T> w = filled(in, out), dy = filled(batch, out);
    Matrix<T> y(batch, out), dw(in, out);
    const double flops = 2.0 * double(sparse.view().entries()) * double(out);
    const std::string shape = std::to_string(batch) + "x" + std::to_string(in) + "," + std::to_string(out);
    const auto one = [&](std::string_view name, auto&& f, auto&& dense) {
        const double seconds = best_time(f), dense_seconds = best_time(dense);
        add("sparse", name, shape, flops / seconds / 1e9, "GFLOP/s", 0);
        add("sparse", std::string(name) + ", gain", shape, dense_seconds / seconds, "x dense", 0);
    };
    one(
        "forward", [&] { ops::sparse_forward<T>(sparse.view(), w.view(), nullptr, y.view()); },
        [&] { ops::linear_forward<T>(x.view(), w.view(), nullptr, y.view()); });
    one(
        "dW", [&] { ops::sparse_backward_weight<T>(sparse.view(), dy.view(), scratch, dw.view(), false); },
        [&] { ops::linear_backward_weight<T>(x.view(), dy.view(), dw.view(), false); });
}

Network<T> network(const std::vector<Index>& widths) {
    std::vector<Layer> layers;
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
        if (i > 0) layers.push_back(activation("relu"));
        layers.push_back(Linear{widths[i], widths[i + 1]});
    }
    return Network<T>(std::move(layers), 1);
}

std::string text(const std::vector<Index>& widths, Index rows) {
    std::string all;
    for (const Index width : widths) {
        if (!all.empty()) all += '-';
        all += std::to_string(width);
    }
    return all + "," + std::to_string(rows);
}

/// Seconds of forward, cross-entropy, backward and Adam, an epoch of eight batches at a time.
double step_seconds(const std::vector<Index>& widths, Index batch, Precision precision) {
    Network<T> net = network(widths);
    net.set_precision(precision);
    const Index batches = 8;
    Matrix<T> x = filled(batch * batches, widths.front());
    for (Index i = 0; i < x.rows(); ++i)
        for (Index j = 0; j < x.cols(); ++j) x(i, j) -= T(0.5);  // both signs, or units die
    std::vector<std::int64_t> label(static_cast<size_t>(x.rows()));
    for (size_t i = 0; i < label.size(); ++i) label[i] = std::int64_t(i * 7 % size_t(widths.back()));
    Optimizer<T> adam(OptimizerKind::adam, net);
    const Loss loss(LossKind::cross_entropy);
    const Data<T> data{x.view(), {{}, label}, {}};
    FitOptions fit_options;
    fit_options.batch_size = batch;
    fit_options.shuffle = false;
    fit_options.epochs = batch < 100 ? 100 : 1;
    const double steps = double(batches * fit_options.epochs);
    return best_time(
               [&] {
                   FitReport done;
                   fit<T>(net, data, loss, adam, fit_options, done);
               },
               4 * budget) /
           steps;
}

void training_step(const std::vector<Index>& widths, Index batch) {
    double flops = 0;  // the first layer has no dX
    for (size_t i = 0; i + 1 < widths.size(); ++i)
        flops += (i ? 6.0 : 4.0) * double(widths[i]) * double(widths[i + 1]) * double(batch);
    const double seconds = step_seconds(widths, batch, Precision::own);
    add("step", "time", text(widths, batch), seconds * 1e6, "us", 0);
    add("step", "speed", text(widths, batch), flops / seconds / 1e9, "GFLOP/s",
        peak > 0 ? flops / seconds / 1e9 / peak : 0);
}

/// The step in bfloat16, and how many times as fast as that in float32 it is.
void bf16_step(const std::vector<Index>& widths, Index batch) {
    const double full = step_seconds(widths, batch, Precision::own);
    const double seconds = step_seconds(widths, batch, Precision::bf16);
    add("bf16", "time", text(widths, batch), seconds * 1e6, "us", 0);
    add("bf16", "float32's time over it", text(widths, batch), full / seconds, "x", 0);
}

void prediction(const std::vector<Index>& widths, Index rows) {
    const Network<T> net = network(widths);
    const Matrix<T> x = filled(rows, widths.front());
    Matrix<T> y(rows, widths.back());
    const double seconds = best_time([&] { net.predict_into(x.view(), y.view()); });
    add("predict", "predict_into", text(widths, rows), seconds * 1e9, "ns", 0);
}

/// Time of a step with all threads allowed over that with the best fixed number: what a wrong model of the work costs.
void thread_choice(Index width, Index batch) {
    Network<T> net = network({width, width, 10});
    const Matrix<T> x = filled(batch, width);
    const std::vector<std::int64_t> label(static_cast<size_t>(batch), 1);
    Optimizer<T> sgd(OptimizerKind::sgd, net, {{"lr", 0.0}});
    const Loss loss(LossKind::cross_entropy);
    LossResult<T> result;
    const Data<T> data{x.view(), {{}, label}, {}};
    std::vector<double> best(static_cast<size_t>(options.most), 1e30);
    for (int turn = 0; turn < 4; ++turn)
        for (int threads = 1; threads <= options.most; ++threads) {
            set_num_threads(threads);
            double& time = best[size_t(threads - 1)];
            time =
                std::min(time, best_time([&] { train_step<T>(net, data, loss, sgd, result); }, budget / 4));
        }
    set_num_threads(options.threads);
    const double ratio = best.back() / *std::min_element(best.begin(), best.end());
    add("threads", std::to_string(width) + " wide", std::to_string(batch), ratio, "x best", 0);
}

void measure_group(const std::string& group) {
    const bool smoke = options.smoke;
    using Sizes = std::vector<Index>;
    const auto planes = smoke ? Sizes{16} : Sizes{128, 2048};  // in the cache; in memory
    if (group == "product")
        for (const Index batch : smoke ? Sizes{32} : Sizes{32, 64, 128, 256, 1024})
            for (const Index width : smoke ? Sizes{16} : Sizes{16, 32, 64, 128, 256, 512, 1024, 2048})
                products(batch, width);
    if (group == "sparse") sparse_products(256, smoke ? 200 : 10000, 128);
    for (const Index n : planes) {
        if (group == "activation") activations(n, n);
        if (group == "loss") losses(n, n);
        if (group == "optimizer") optimizers(n, n);
    }
    const std::vector<std::pair<Sizes, Index>> steps = {{{4, 16, 3}, 32},
                                                        {{20, 64, 64, 2}, 32},
                                                        {{64, 128, 128, 10}, 128},
                                                        {{100, 256, 256, 256, 10}, 256},
                                                        {{784, 512, 512, 10}, 128},
                                                        {{784, 512, 512, 10}, 1024},
                                                        {{784, 2048, 2048, 10}, 256}};
    if (group == "step")
        for (const auto& [widths, batch] : smoke ? decltype(steps){steps[0]} : steps)
            training_step(widths, batch);
    if (group == "blocks") smoke ? block_costs(16, 4, 8) : block_costs(256, 64, 256);
    if (group == "bf16" && current_isa == isas().front())
        for (const Index batch : smoke ? Sizes{32} : Sizes{128, 1024})
            for (const Index width : smoke ? Sizes{16} : Sizes{256, 512, 1024, 2048})
                bf16_step({784, width, width, 10}, batch);
    if (group == "round trip" && current_isa == isas().front() && options.most > 1)
        add("round trip", "two threads", "", round_trip_time(), "ns", 0);
    if (group == "threads" && current_isa == isas().front())
        for (const Index batch : smoke ? Sizes{1} : Sizes{1, 8, 32, 128, 512, 2048})
            for (const Index width : smoke ? Sizes{8} : Sizes{8, 16, 32, 64, 128, 256, 512})
                thread_choice(width, batch);
    if (group == "predict")
        for (const Sizes& widths : {Sizes{4, 16, 3}, Sizes{20, 64, 64, 2}}) prediction(widths, 1);
}

void measure_isa(const std::string& isa) {
    set_isa(isa);
    current_isa = isa;
    const double one_core = fma_peak(isa);
    peak = one_core * options.threads;
    if (one_core > 0) add("peak", "fma, one core", "", one_core, "GFLOP/s", 0);
    for (const std::string group : {"product", "sparse", "step", "blocks", "bf16", "predict", "activation",
                                    "loss", "optimizer", "round trip", "threads"})
        if (options.only.empty() || options.only == group) measure_group(group);
}

void read_options(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--smoke") {
            options.smoke = true, budget = 1e-3;
            continue;
        }
        require(i + 1 < argc, option, ": unknown, or its value is missing");
        const std::string value = argv[++i];
        if (option == "--json")
            options.json = value;
        else if (option == "--isa")
            options.isa = value;
        else if (option == "--only")
            options.only = value;
        else if (option == "--threads")
            options.threads = std::stoi(value);
        else if (option == "--seconds")
            budget = std::stod(value);
        else
            require(false, option, ": unknown");
    }
}

}  // namespace

int main(int argc, char** argv) try {
    read_options(argc, argv);
    set_num_threads(options.threads);
    for (const std::string& isa : isas())
        if (options.isa.empty() ? isa != "scalar" || isas().size() == 1 : isa == options.isa)
            measure_isa(isa);
    if (!options.json.empty()) report.write_json(options.json, options.threads);
} catch (const std::exception& error) {
    std::cerr << "cmlp_bench: " << error.what() << "\n";
    return 1;
}
