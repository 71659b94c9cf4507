// One struct an initialiser, each a fill of a (out, in) matrix in double; p are the parameters of its row.
#include <cmlp/layers/initializers.hpp>

#include <algorithm>
#include <cmath>

namespace cmlp::inline v0_1 {
namespace {

using Weights = MatrixView<double>;  // (out, in)
using Parameters = std::vector<double>;

template <class Draw>
void fill_each(Weights w, Draw draw) {
    for (Index i = 0; i < w.rows(); ++i)
        for (Index j = 0; j < w.cols(); ++j) w(i, j) = draw();
}
void fill_uniform(Weights w, double low, double high, Rng& rng) {
    fill_each(w, [&] { return low + (high - low) * rng.uniform(); });
}
void fill_normal(Weights w, double mean, double std, Rng& rng) {
    fill_each(w, [&] { return mean + std * rng.normal(); });
}
double fan(Weights w, double out) { return double(out != 0 ? w.rows() : w.cols()); }
double fan_sum(Weights w) { return double(w.cols() + w.rows()); }

namespace init {

struct zeros {
    static void fill(Weights w, const Parameters&, Rng&) { w.set_zero(); }
};
struct constant {
    static void fill(Weights w, const Parameters& p, Rng&) { w.set_constant(p[0]); }
};
struct normal {
    static void fill(Weights w, const Parameters& p, Rng& rng) { fill_normal(w, p[0], p[1], rng); }
};
struct uniform {
    static void fill(Weights w, const Parameters& p, Rng& rng) { fill_uniform(w, p[0], p[1], rng); }
};
struct xavier_uniform {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        const double bound = p[0] * std::sqrt(6 / fan_sum(w));
        fill_uniform(w, -bound, bound, rng);
    }
};
struct xavier_normal {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        fill_normal(w, 0, p[0] * std::sqrt(2 / fan_sum(w)), rng);
    }
};
struct kaiming_uniform {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        const double bound = p[0] * std::sqrt(3 / fan(w, p[1]));
        fill_uniform(w, -bound, bound, rng);
    }
};
struct kaiming_normal {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        fill_normal(w, 0, p[0] / std::sqrt(fan(w, p[1])), rng);
    }
};
struct lecun_uniform {
    static void fill(Weights w, const Parameters&, Rng& rng) { kaiming_uniform::fill(w, {1.0, 0.0}, rng); }
};
struct lecun_normal {
    static void fill(Weights w, const Parameters&, Rng& rng) { kaiming_normal::fill(w, {1.0, 0.0}, rng); }
};

struct torch {
    static void fill(Weights w, const Parameters&, Rng& rng) {
        kaiming_uniform::fill(w, {std::sqrt(1.0 / 3), 0.0}, rng);
    }
};

// Gram-Schmidt on normal rows, twice for accuracy: rows (or columns, where there are fewer) become orthonormal.
struct orthogonal {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        const bool wide = w.rows() <= w.cols();
        Matrix<double> q(wide ? w.rows() : w.cols(), wide ? w.cols() : w.rows());
        fill_normal(q, 0, 1, rng);
        for (Index i = 0; i < q.rows(); ++i) {
            for (int pass = 0; pass < 2; ++pass)
                for (Index j = 0; j < i; ++j) {
                    const double along = q.row(i).cwise_product(q.row(j)).sum();
                    q.row(i) -= q.row(j) * along;
                }
            q.row(i) *= 1 / q.row(i).norm();
        }
        if (wide)
            w.assign(q * p[0]);
        else
            w.assign(q.transpose() * p[0]);
    }
};

struct ones {
    static void fill(Weights w, const Parameters&, Rng&) { w.set_constant(1); }
};
struct eye {
    static void fill(Weights w, const Parameters&, Rng&) {
        w.set_zero();
        for (Index i = 0; i < std::min(w.rows(), w.cols()); ++i) w(i, i) = 1;
    }
};

// Rejection: of normal draws where [low, high] holds a good part of them, else of uniform ones weighed by the density
// (Robert, 1995).
struct trunc_normal {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        const double mean = p[0], std = p[1];
        if (std == 0) return w.set_constant(std::clamp(mean, p[2], p[3]));
        const double low = (p[2] - mean) / std, high = (p[3] - mean) / std;
        fill_each(w, [&] { return std::clamp(mean + std * draw(low, high, rng), p[2], p[3]); });
    }
    static double draw(double low, double high, Rng& rng) {
        if (low < 0.5 && high > -0.5 && high - low > 1)
            for (;;)
                if (const double z = rng.normal(); low <= z && z <= high) return z;
        const double nearest = std::clamp(0.0, low, high);                 // the most probable point
        high = std::min(high, nearest > 1 ? nearest + 40 / nearest : 40);  // what lies beyond is never drawn
        low = std::max(low, nearest < -1 ? nearest + 40 / nearest : -40);
        for (;;) {
            const double z = low + (high - low) * rng.uniform();
            if (rng.uniform() <= std::exp((nearest - z) * (nearest + z) / 2)) return z;
        }
    }
};
struct sparse {
    static void fill(Weights w, const Parameters& p, Rng& rng) {
        fill_normal(w, 0, p[1], rng);
        const Index zeros = Index(std::ceil(p[0] * double(w.rows())));
        for (Index j = 0; j < w.cols(); ++j)
            for (Index i = 0, left = zeros; i < w.rows(); ++i)  // selection sampling: all sets equally likely
                if (rng.uniform() * double(w.rows() - i) < double(left)) w(i, j) = 0, --left;
    }
};

}  // namespace init

using Fill = void (*)(Weights, const Parameters&, Rng&);
constexpr Fill fills[] = {
#define CMLP_INITIALIZER(name, ...) init::name::fill,
#include <cmlp/lists/initializers.def>
};

Matrix<double> drawn(Index rows, Index cols, Initializer initializer, const Settings& settings, Rng& rng) {
    Matrix<double> w(rows, cols);
    fills[static_cast<int>(initializer)](w, resolve(initializer, settings), rng);
    return w;
}

}  // namespace

template <class T>
void initialize(MatrixView<T> w, Initializer initializer, const Settings& settings, Rng& rng) {
    const Matrix<double> values = drawn(w.rows(), w.cols(), initializer, settings, rng);
    for (Index i = 0; i < w.rows(); ++i)
        for (Index j = 0; j < w.cols(); ++j) w(i, j) = static_cast<T>(values(i, j));
}

template <class T>
void initialize_transposed(MatrixView<T> w, Initializer initializer, const Settings& settings, Rng& rng) {
    const Matrix<double> values = drawn(w.cols(), w.rows(), initializer, settings, rng);
    for (Index i = 0; i < w.rows(); ++i)
        for (Index j = 0; j < w.cols(); ++j) w(i, j) = static_cast<T>(values(j, i));
}

template void initialize<float>(MatrixView<float>, Initializer, const Settings&, Rng&);
template void initialize<double>(MatrixView<double>, Initializer, const Settings&, Rng&);
template void initialize_transposed<float>(MatrixView<float>, Initializer, const Settings&, Rng&);
template void initialize_transposed<double>(MatrixView<double>, Initializer, const Settings&, Rng&);

}  // namespace cmlp::inline v0_1
