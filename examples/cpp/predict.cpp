// Loads a network and prints its outputs for one row of numbers: cmlp_predict model.safetensors 0 1
#include <cmlp/cmlp.hpp>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    if (argc < 3) return std::puts("usage: cmlp_predict MODEL NUMBER..."), 1;
    const auto net = cmlp::load<float>(argv[1]);
    cmlp::Matrix<float> x(1, argc - 2);
    for (int i = 2; i < argc; ++i) x(0, i - 2) = std::strtof(argv[i], nullptr);
    const cmlp::Matrix<float> y = net.predict(x);
    for (cmlp::Index i = 0; i < y.cols(); ++i) std::printf("%g\n", double(y(0, i)));
}
