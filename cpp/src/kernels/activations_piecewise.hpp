// One struct an activation: those made of straight pieces (hardswish: of a parabola).
// An activation has forward(z), backward(what was kept, dy) and a word on which of the two it keeps.
// `p` points at the parameters in the order of its row in activations.def. A NaN passes all of them.
#pragma once

#include "kernels.hpp"
#include "math.hpp"

namespace cmlp::kernels::CMLP_ISA {
namespace {
namespace act {

// select takes its last argument when a comparison is false, as it is with a NaN.
template <class V>
CMLP_INLINE V clamp(V z, V low, V high) {
    return select(z < low, low, select(z > high, high, z));
}

// dy where low < z < high, 0 at and beyond the ends.
template <class V>
CMLP_INLINE V inside(V z, V low, V high, V dy) {
    return select((z <= low) | (z >= high), V(0), dy);
}

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
        Keep::input;  // with a negative slope the output's sign does not determine the input's
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select(z > V(T(0)), z, V(p[0]) * z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        return select(z > V(T(0)), dy, V(p[0]) * dy);
    }
};

struct relu6 {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return clamp(z, V(T(0)), V(T(6)));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T*) {
        return inside(y, V(T(0)), V(T(6)), dy);
    }
};

struct hardtanh {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return clamp(z, V(p[0]), V(p[1]));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T* p) {
        return inside(y, V(p[0]), V(p[1]), dy);
    }
};

struct hardsigmoid {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return clamp(z + V(T(3)), V(T(0)), V(T(6))) / V(T(6));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        return inside(z, V(T(-3)), V(T(3)), dy / V(T(6)));
    }
};

struct hardswish {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        const V middle = z * (z + V(T(3))) / V(T(6));
        return select(z <= V(T(-3)), V(T(0)), select(z >= V(T(3)), z, middle));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T*) {
        const V middle = dy * (z / V(T(3)) + V(T(0.5)));
        return select(z <= V(T(-3)), V(T(0)), select(z >= V(T(3)), dy, middle));
    }
};

struct softshrink {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select((z >= V(-p[0])) & (z <= V(p[0])), V(T(0)), z - copysign(V(p[0]), z));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V y, V dy, const T*) {
        return select(y == V(T(0)), V(T(0)), dy);
    }
};

struct hardshrink {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select((z >= V(-p[0])) & (z <= V(p[0])), V(T(0)), z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        return select((z >= V(-p[0])) & (z <= V(p[0])), V(T(0)), dy);
    }
};

struct threshold {
    static constexpr Keep keep = Keep::input;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T* p) {
        return select(z <= V(p[0]), V(p[1]), z);
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V z, V dy, const T* p) {
        return select(z <= V(p[0]), V(T(0)), dy);
    }
};

struct step {
    static constexpr Keep keep = Keep::output;
    template <class V, class T>
    static CMLP_INLINE V forward(V z, const T*) {
        return select(z > V(T(0)), V(T(1)), select(z <= V(T(0)), V(T(0)), z));
    }
    template <class V, class T>
    static CMLP_INLINE V backward(V, V, const T*) {
        return V(T(0));
    }
};

}  // namespace act
}  // namespace
}  // namespace cmlp::kernels::CMLP_ISA
