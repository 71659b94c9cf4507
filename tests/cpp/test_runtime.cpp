// Instruction sets by name, the number of threads, and a forked child.
#include <cmlp/base/matrix.hpp>
#include <cmlp/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kernel_helpers.hpp"
#include "matrix_helpers.hpp"

namespace {

using namespace cmlp;
using test::message;

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

TEST_CASE("runtime: instruction sets can be listed, chosen and read") {
    const test::RuntimeScope scope;
    const auto here = isas(), built = built_isas();
    CHECK(here.back() == "scalar");
    CHECK(built.back() == "scalar");
    if (const char* forced = std::getenv("CMLP_ISA"); forced && *forced) CHECK(isa() == forced);
    for (const std::string& name : here) {
        CHECK(std::find(built.begin(), built.end(), name) != built.end());
        set_isa(name);
        CHECK(isa() == name);
        CHECK(kernels::isa() == name);
    }
    for (const char* wrong : {"sse9", "", "AVX2", "scalar "}) {
        CHECK(message([&] { set_isa(wrong); }) == "unknown instruction set '" + std::string(wrong) +
                                                      "'; choose from " + join(here) +
                                                      " (set_isa, CMLP_ISA)");
        CHECK(isa() == here.back());
    }
}

TEST_CASE("runtime: the number of threads is what was set") {
    const test::RuntimeScope scope;
    CHECK(num_threads() >= 1);
    for (const int count : {1, 2, 7}) {
        set_num_threads(count);
        CHECK(num_threads() == count);
    }
    CHECK(message([] { set_num_threads(0); }) == "set_num_threads: count is 0, it must be at least 1");
    CHECK(message([] { set_num_threads(-3); }) == "set_num_threads: count is -3, it must be at least 1");
    CHECK(num_threads() == 7);
}

TEST_CASE("runtime: choosing an instruction set while others compute changes no bit") {
    const test::RuntimeScope scope;
    const Matrix<float> a = test::numbers<float>(40, 30, 1), b = test::numbers<float>(30, 50, 2);
    const Matrix<float> expected = a * b;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const Matrix<float> c = a * b;
                for (Index r = 0; r < c.rows(); ++r)
                    wrong +=
                        std::memcmp(&c(r, 0), &expected(r, 0), std::size_t(c.cols()) * sizeof(float)) != 0;
            }
        });
    for (int i = 0; i < 200; ++i) set_isa(isas()[std::size_t(i) % isas().size()]);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

TEST_CASE("runtime: a forked child computes the same after its parent used threads") {
    const test::RuntimeScope scope;
    set_num_threads(2);
    const Matrix<float> a = test::numbers<float>(200, 200, 1);
    const Matrix<float> expected = a * a;
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);  // a child that hangs is ended
        const Matrix<float> c = a * a;
        bool right = true;
        for (Index r = 0; r < 200; ++r)
            right &= std::memcmp(&c(r, 0), &expected(r, 0), 200 * sizeof(float)) == 0;
        _exit(right ? 0 : 1);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    // 127: an emulator that cannot start threads in a forked child (qemu-user) has ended it
    CHECK((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127));
}
