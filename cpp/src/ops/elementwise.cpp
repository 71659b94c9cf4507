// Shape checks, row blocks and threads around the kernels. Every split keeps the arithmetic of each element as it is.
#include "ops/ops.hpp"

#include <cmlp/ops/functions.hpp>

#include <atomic>
#include <cstring>

#include "kernels/kernels.hpp"
#include "runtime/parallel.hpp"

namespace cmlp::inline v0_1 {
namespace {

constexpr Index column_grain = 64;  // elements that a piece of a flat loop is a multiple of

// f(first row, rows) over blocks of rows; `cost` is the work of one element.
template <class F>
void by_rows(Index rows, Index cols, double cost, F&& f) {
    const int threads = threads_for(double(rows) * double(cols) * cost);
    parallel_for(rows, 1, threads, [&](Index begin, Index end) { f(begin, end - begin); });
}

}  // namespace

namespace ops {

template <class T>
void activation_forward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                        MatrixView<T> y, const T* share) {
    const auto& kernel = kernels::activations<T>().kind[static_cast<int>(activation)];
    by_rows(z.rows(), z.cols(), 8, [&](Index r, Index rows) {
        kernel.forward({rows, z.cols()}, z.data() + r * z.row_stride(), z.row_stride(), share,
                       y.data() + r * y.row_stride(), y.row_stride(), parameters.data());
    });
}

template <class T>
void activation_backward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                         MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dz) {
    const auto& kernel = kernels::activations<T>().kind[static_cast<int>(activation)];
    const MatrixView<const T> kept = kernel.keep == kernels::Keep::input ? z : y;
    by_rows(z.rows(), z.cols(), 8, [&](Index r, Index rows) {
        kernel.backward({{rows, z.cols()},
                         kept.data() + r * kept.row_stride(),
                         kept.row_stride(),
                         dy.data() + r * dy.row_stride(),
                         dy.row_stride(),
                         dz.data() + r * dz.row_stride(),
                         dz.row_stride()},
                        parameters.data());
    });
}

template <class T>
void parametric_backward(Activation activation, std::span<const T> parameters, MatrixView<const T> z,
                         const T* share, MatrixView<const T> dy, T* dshare, bool add, MatrixView<T> dz) {
    const auto& table = kernels::activations<T>();
    const auto backward = table.kind[static_cast<int>(activation)].backward;
    const int threads = threads_for(16.0 * double(z.size()));
    parallel_for(z.cols(), column_grain, threads, [&](Index j, Index end) {
        table.parametric_backward(backward,
                                  {{z.rows(), end - j},
                                   z.data() + j,
                                   z.row_stride(),
                                   dy.data() + j,
                                   dy.row_stride(),
                                   dz.data() + j,
                                   dz.row_stride(),
                                   share + j},
                                  dshare + j, add, parameters.data());
    });
}

template <class T>
void softmax_forward(MatrixView<const T> x, MatrixView<T> y) {
    by_rows(x.rows(), x.cols(), 16, [&](Index r, Index rows) {
        kernels::rows<T>().softmax({rows, x.cols()}, x.data() + r * x.row_stride(), x.row_stride(),
                                   y.data() + r * y.row_stride(), y.row_stride());
    });
}

template <class T>
void softmax_backward(MatrixView<const T> y, MatrixView<const T> dy, MatrixView<T> dx) {
    by_rows(y.rows(), y.cols(), 4, [&](Index r, Index rows) {
        kernels::rows<T>().softmax_backward({rows, y.cols()}, y.data() + r * y.row_stride(), y.row_stride(),
                                            dy.data() + r * dy.row_stride(), dy.row_stride(),
                                            dx.data() + r * dx.row_stride(), dx.row_stride());
    });
}

template <class T>
void dropout(MatrixView<const T> x, const DropoutDraws& draws, KeptBits kept, Index i, Index j,
             MatrixView<T> y) {
    by_rows(x.rows(), x.cols(), 8, [&](Index begin, Index n) {
        for (Index r = begin; r < begin + n; ++r) {
            const auto first = row_name(draws.rows, i + r) * std::uint64_t(draws.cols) + std::uint64_t(j);
            kernels::random<T>().dropout({x.cols(), &x(r, 0), &y(r, 0), draws.p, draws.key, draws.step, first,
                                          kept.data + (i + r) * kept.stride + j / 8});
        }
    });
}

template <class T>
void dropout_backward(MatrixView<const T> dy, double p, KeptBits kept, Index i, Index j, MatrixView<T> dx) {
    by_rows(dy.rows(), dy.cols(), 2, [&](Index begin, Index n) {
        for (Index r = begin; r < begin + n; ++r)
            kernels::random<T>().dropout_backward(dy.cols(), kept.data + (i + r) * kept.stride + j / 8, p,
                                                  &dy(r, 0), &dx(r, 0));
    });
}

template <class T>
void loss(LossKind kind, const LossBatch<T>& batch) {
    const auto at = [](auto view, Index r) {
        return view.empty() ? nullptr : view.data() + r * view.row_stride();
    };
    by_rows(batch.y.rows(), batch.y.cols(), 16, [&](Index r, Index rows) {
        kernels::losses<T>().kind[static_cast<int>(kind)].run(
            {{rows, batch.y.cols()},
             at(batch.y, r),
             batch.y.row_stride(),
             at(batch.target, r),
             batch.target.row_stride(),
             batch.label ? batch.label + r : nullptr,
             batch.row_scale ? batch.row_scale + r : nullptr,
             batch.scale,
             batch.column.data(),
             batch.parameters.data(),
             batch.row_value ? batch.row_value + r : nullptr,
             at(batch.value, r),
             batch.value.row_stride(),
             at(batch.dy, r),
             batch.dy.row_stride(),
             std::ssize(batch.column),
             batch.ignore_index});
    });
}

LossFacts loss_facts(LossKind kind) {
    static_assert(max_loss_parameters == kernels::max_loss_parameters);
    static_assert(int(LossColumn::quantile) == int(kernels::Column::quantile));
    const auto& kernel = kernels::losses<float>().kind[static_cast<int>(kind)];
    return {kernel.elementwise, kernel.takes_labels, kernel.width, kernel.joint,
            static_cast<LossColumn>(kernel.column)};
}

template <class T>
double weighted_sum(std::span<const T> x, const T* weight) {
    return kernels::flat<T>().weighted_sum(std::ssize(x), x.data(), weight);
}

template <class T>
double squared_norm(std::span<const T> x) {
    return kernels::flat<T>().squared_norm(std::ssize(x), x.data());
}

template <class T>
void scale(std::span<T> x, T factor) {
    parallel_for(std::ssize(x), column_grain, threads_for(double(x.size())), [&](Index begin, Index end) {
        kernels::flat<T>().scale(end - begin, x.data() + begin, factor);
    });
}

template <class T>
Index first_nonfinite(MatrixView<const T> x) {
    std::atomic<Index> first = x.size();
    const auto search = [&](const T* from, Index n, Index place) {
        const Index at = place + kernels::flat<T>().first_nonfinite(n, from);
        if (at == place + n) return;
        for (Index found = first; at < found && !first.compare_exchange_weak(found, at);) {
        }
    };
    if (x.is_contiguous())
        parallel_for(x.size(), column_grain, threads_for(double(x.size())),
                     [&](Index begin, Index end) { search(x.data() + begin, end - begin, begin); });
    else
        by_rows(x.rows(), x.cols(), 1, [&](Index begin, Index rows) {
            for (Index r = begin; r < begin + rows; ++r)
                search(x.data() + r * x.row_stride(), x.cols(), r * x.cols());
        });
    return first < x.size() ? Index(first) : -1;
}

template <class T>
bool is_within(std::span<const T> x, T limit) {
    const Index size = std::ssize(x);
    const int threads = threads_for(double(size));
    if (threads == 1) return kernels::flat<T>().is_within(size, x.data(), limit);
    std::atomic<bool> within = true;
    parallel_for(size, column_grain, threads, [&](Index begin, Index end) {
        if (!kernels::flat<T>().is_within(end - begin, x.data() + begin, limit)) within = false;
    });
    return within;
}

template <class T>
void gather_rows(MatrixView<const T> x, std::span<const Index> order, MatrixView<T> out) {
    by_rows(out.rows(), out.cols(), 1, [&](Index begin, Index rows) {
        for (Index r = begin; r < begin + rows; ++r)
            std::memcpy(out.data() + r * out.row_stride(),
                        x.data() + order[static_cast<size_t>(r)] * x.row_stride(),
                        static_cast<size_t>(x.cols()) * sizeof(T));
    });
}

int update_slots(OptimizerKind kind, std::span<const double> settings) {
    return kernels::updates<float>().kind[static_cast<int>(kind)].slots(settings.data());
}

template <class T>
void update_prepare(OptimizerKind kind, std::span<const double> settings, std::int64_t step,
                    std::span<double> memory, std::span<T> coefficients) {
    static_assert(max_coefficients == kernels::max_coefficients && max_memory == kernels::max_memory);
    kernels::updates<T>().kind[static_cast<int>(kind)].prepare(settings.data(), step, memory.data(),
                                                               coefficients.data());
}

template <class T>
void update(OptimizerKind kind, std::span<T> w, const T* g, std::span<T* const> state,
            std::span<const T> coefficients) {
    const auto& kernel = kernels::updates<T>().kind[static_cast<int>(kind)];
    const auto slots = static_cast<int>(state.size());
    const double cost = 4 + 8 * slots;
    parallel_for(std::ssize(w), column_grain, threads_for(cost * double(w.size())),
                 [&](Index begin, Index end) {
                     T* at[kernels::max_slots] = {};
                     for (int s = 0; s < slots; ++s) at[s] = state[static_cast<size_t>(s)] + begin;
                     kernel.update(slots, end - begin, w.data() + begin, g + begin, at, coefficients.data());
                 });
}

}  // namespace ops

template <class T>
void apply(Function f, std::span<const T> x, std::span<T> y) {
    require(x.size() == y.size(), "apply: x has ", x.size(), " elements, y ", y.size());
    kernels::functions<T>().kind[static_cast<int>(f)](std::ssize(x), x.data(), y.data());
}

#define CMLP_OPS(T)                                                                                          \
    template void apply<T>(Function, std::span<const T>, std::span<T>);                                      \
    namespace ops {                                                                                          \
    template void activation_forward<T>(Activation, std::span<const T>, MatrixView<const T>, MatrixView<T>,  \
                                        const T*);                                                           \
    template void activation_backward<T>(Activation, std::span<const T>, MatrixView<const T>,                \
                                         MatrixView<const T>, MatrixView<const T>, MatrixView<T>);           \
    template void parametric_backward<T>(Activation, std::span<const T>, MatrixView<const T>, const T*,      \
                                         MatrixView<const T>, T*, bool, MatrixView<T>);                      \
    template void softmax_forward<T>(MatrixView<const T>, MatrixView<T>);                                    \
    template void softmax_backward<T>(MatrixView<const T>, MatrixView<const T>, MatrixView<T>);              \
    template void dropout<T>(MatrixView<const T>, const DropoutDraws&, KeptBits, Index, Index,               \
                             MatrixView<T>);                                                                 \
    template void dropout_backward<T>(MatrixView<const T>, double, KeptBits, Index, Index, MatrixView<T>);   \
    template void loss<T>(LossKind, const LossBatch<T>&);                                                    \
    template double weighted_sum<T>(std::span<const T>, const T*);                                           \
    template double squared_norm<T>(std::span<const T>);                                                     \
    template void scale<T>(std::span<T>, T);                                                                 \
    template Index first_nonfinite<T>(MatrixView<const T>);                                                  \
    template bool is_within<T>(std::span<const T>, T);                                                       \
    template void gather_rows<T>(MatrixView<const T>, std::span<const Index>, MatrixView<T>);                \
    template void update_prepare<T>(OptimizerKind, std::span<const double>, std::int64_t, std::span<double>, \
                                    std::span<T>);                                                           \
    template void update<T>(OptimizerKind, std::span<T>, const T*, std::span<T* const>, std::span<const T>); \
    }
CMLP_OPS(float)
CMLP_OPS(double)
#undef CMLP_OPS

}  // namespace cmlp::inline v0_1
