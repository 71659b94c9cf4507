// One struct an activation: those made from exponentials.
// An activation has forward(z), backward(what was kept, dy) and a word on which of the two it keeps.
// `p` points at the parameters in the order of its row in activations.def. A NaN passes all of them.
#pragma once

#include "kernels.hpp"
#include "math.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace act {

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

struct silu {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::silu(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return dy * math::silu_derivative(z);
    }
};

struct mish {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::mish(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return dy * math::mish_derivative(z);
    }
};

struct elu {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select(z > V(T(0)), z, V(p[0]) * math::expm1(z));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        return select(z > V(T(0)), dy, dy * (V(p[0]) * math::exp(z)));
    }
};

struct celu {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select(z > V(T(0)), z, V(p[0]) * math::expm1(z / V(p[0])));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        const V alpha(p[0]), x = z / alpha;
        return select(z > V(T(0)), dy, dy * math::exp(x, math::rest_of(x, fnma(x, alpha, z) / alpha)));
    }
};

// With these two, mean 0 and variance 1 are a fixed point of the layer: Klambauer et al., equation 14.
struct selu {
    static constexpr Keep keep = Keep::input;
    static constexpr double alpha = 1.6732632423543772848170429916717;
    static constexpr double scale = 1.0507009873554804934193349852946;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return select(z > V(T(0)), V(T(scale)) * z, V(T(scale * alpha)) * math::expm1(z));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return select(z > V(T(0)), V(T(scale)) * dy, dy * (V(T(scale * alpha)) * math::exp(z)));
    }
};

struct softplus {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        const V beta(p[0]);
        return select(beta * z > V(p[1]), z, math::softplus(z, beta));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        const V beta(p[0]);
        return select(beta * z > V(p[1]), dy, dy * math::sigmoid(z, beta));
    }
};

struct softsign {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        const V size = abs(z);
        return select(size == V(T(__builtin_inf())), copysign(V(T(1)), z), z / (V(T(1)) + size));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        const V inverse = V(T(1)) / (V(T(1)) + abs(z));
        return dy * (inverse * inverse);
    }
};

struct log_sigmoid {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::log_sigmoid(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return dy * math::sigmoid(-z);
    }
};

struct tanhshrink {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return math::tanhshrink(z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        const V y = math::tanh(z);
        return dy * (y * y);
    }
};

}  // namespace act
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
