// One struct an activation: forward(z), backward(what was kept, dy) and which of the two it keeps.
// `p` points at the parameters in the order of its row in activations.def.
#pragma once

#include "map.hpp"
#include "math.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace act {

struct identity {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return z;
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V, V dy, const T*) {
        return dy;
    }
};

struct sigmoid {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::sigmoid(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T*) {
        return dy * (y * (V(T(1)) - y));
    }
};

struct tanh {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::tanh(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T*) {
        return dy * fnma(y, y, V(T(1)));
    }
};

// A NaN passes: select takes z when the comparison is false.
struct relu {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return select(z <= V(T(0)), V(T(0)), z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T*) {
        return select(y <= V(T(0)), V(T(0)), dy);
    }
};

struct leaky_relu {
    static constexpr Keep keep =
        Keep::input;  // with a negative slope the output's sign does not tell the input's
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select(z > V(T(0)), z, V(p[0]) * z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        return select(z > V(T(0)), dy, V(p[0]) * dy);
    }
};

struct gelu {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::gelu(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return dy * math::gelu_derivative(z);
    }
};

struct gelu_tanh {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::gelu_tanh(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return dy * math::gelu_tanh_derivative(z);
    }
};

}  // namespace act

template <class A, class T>
void activation_forward(Shape shape, const T* z, ptrdiff_t z_row, T* y, ptrdiff_t y_row, const T* p) {
    using V = Vec<T>;
    const auto row = [&](ptrdiff_t r, ptrdiff_t cols) {
        const T* in = z + r * z_row;
        T* out = y + r * y_row;
        sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
            A::forward(V::load_n(in + j, left), p).store_n(out + j, left);
        });
    };
    by_row(shape, row, z_row, y_row);
}

template <class A, class T>
void activation_backward(Shape shape, const T* kept, ptrdiff_t kept_row, const T* dy, ptrdiff_t dy_row, T* dz,
                         ptrdiff_t dz_row, const T* p) {
    using V = Vec<T>;
    const auto row = [&](ptrdiff_t r, ptrdiff_t cols) {
        const T *in = kept + r * kept_row, *d = dy + r * dy_row;
        T* out = dz + r * dz_row;
        sweep<T>(cols, [&](ptrdiff_t j, ptrdiff_t left) {
            A::backward(V::load_n(in + j, left), V::load_n(d + j, left), p).store_n(out + j, left);
        });
    };
    by_row(shape, row, kept_row, dy_row, dz_row);
}

// e = exp(x - max) of one row, e null: only the sum, over 16 lanes joined in a fixed tree.
template <class T>
CMLP_INLINE T exponentials(const T* x, ptrdiff_t n, T largest, T* e) {
    using V = Vec<T>;
    Lanes<T> lanes(T(0));
    lanes.fold(n, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
        const V value = math::exp(V::load_n(x + j, left) - V(largest));
        if (e) value.store_n(e + j, left);
        return lane + value;
    });
    return lanes.sum();
}

template <class T>
void softmax(Shape shape, const T* x, ptrdiff_t x_row, T* y, ptrdiff_t y_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T* in = x + r * x_row;
        T* out = y + r * y_row;
        const V sum(exponentials(in, shape.cols, row_max(in, shape.cols), out));
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            (V::load_n(out + j, left) / sum).store_n(out + j, left);
        });
    }
}

// dx = y * (dy - sum_j y_j dy_j)
template <class T>
void softmax_backward(Shape shape, const T* y, ptrdiff_t y_row, const T* dy, ptrdiff_t dy_row, T* dx,
                      ptrdiff_t dx_row) {
    using V = Vec<T>;
    for (ptrdiff_t r = 0; r < shape.rows; ++r) {
        const T *out = y + r * y_row, *d = dy + r * dy_row;
        Lanes<T> lanes(T(0));
        lanes.fold(shape.cols, [&](V lane, ptrdiff_t j, ptrdiff_t left) {
            return fma(V::load_n(out + j, left), V::load_n(d + j, left), lane);
        });
        const V dot(lanes.sum());
        T* in = dx + r * dx_row;
        sweep<T>(shape.cols, [&](ptrdiff_t j, ptrdiff_t left) {
            (V::load_n(out + j, left) * (V::load_n(d + j, left) - dot)).store_n(in + j, left);
        });
    }
}

}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
