// The threads: every piece of work runs once, from any caller and after any earlier work.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "kernel_helpers.hpp"
#include "runtime/parallel.hpp"
#include "runtime/threads.hpp"

namespace {

using namespace cmlp;

// How often each piece has run.
struct Count {
    std::array<std::atomic<int>, 64> times{};

    static void run(void* context, Index piece) {
        static_cast<Count*>(context)->times[std::size_t(piece)].fetch_add(1, std::memory_order_relaxed);
    }
    // Pieces that have not run exactly once, others that have run at all.
    int wrong(Index pieces) const {
        int count = 0;
        for (Index i = 0; i < std::ssize(times); ++i) count += times[std::size_t(i)] != (i < pieces);
        return count;
    }
};

// Jobs in quick succession whose numbers of pieces differ, for a while: those that went wrong.
int failed_jobs(int threads, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    int failed = 0;
    while (std::chrono::steady_clock::now() < end)
        for (int job = 0; job < 1000; ++job) {
            Count count;
            const Index pieces = job % 2 ? 2 : 16;
            run_pieces(pieces, threads, Count::run, &count);
            failed += count.wrong(pieces) != 0;
        }
    return failed;
}

}  // namespace

TEST_CASE("parallel: every piece of a job runs once, job after job") {
    for (const int threads : {1, 2, 3, 8}) {
        CAPTURE(threads);
        CHECK(failed_jobs(threads, std::chrono::milliseconds(500)) == 0);
    }
}

TEST_CASE("parallel: callers on several threads get all of their work done") {
    std::atomic<int> failed = 0;
    std::vector<std::thread> callers;
    for (int c = 0; c < 4; ++c)
        callers.emplace_back([&] { failed += failed_jobs(3, std::chrono::milliseconds(300)); });
    for (std::thread& caller : callers) caller.join();
    CHECK(failed == 0);
}

TEST_CASE("parallel: parallel_for covers 0 .. n once, in pieces that begin at multiples of the grain") {
    const test::RuntimeScope scope;
    for (const Index n : {0, 1, 5, 6, 7, 63, 64, 65, 1000})
        for (const Index grain : {1, 6, 64})
            for (const int threads : {1, 2, 4, 7}) {
                std::vector<std::atomic<int>> runs(std::size_t(n) + 1);
                std::atomic<bool> aligned = true;
                parallel_for(n, grain, threads, [&](Index begin, Index end) {
                    if (begin % grain != 0 || (end % grain != 0 && end != n) || begin >= end) aligned = false;
                    for (Index i = begin; i < end; ++i) ++runs[std::size_t(i)];
                });
                bool once = runs[std::size_t(n)] == 0;
                for (Index i = 0; i < n; ++i) once &= runs[std::size_t(i)] == 1;
                CAPTURE(n);
                CAPTURE(grain);
                CAPTURE(threads);
                CHECK(once);
                CHECK(aligned);
            }
}

TEST_CASE("parallel: parallel_each runs every number once, also where there are more than pieces") {
    const test::RuntimeScope scope;
    for (const Index n : {0, 1, 2, 7, 1023, 1024, 5000})
        for (const int threads : {1, 2, 4}) {
            std::vector<std::atomic<int>> runs(std::size_t(n) + 1);
            parallel_each(n, threads, [&](Index i) { ++runs[std::size_t(i)]; });
            bool once = runs[std::size_t(n)] == 0;
            for (Index i = 0; i < n; ++i) once &= runs[std::size_t(i)] == 1;
            CAPTURE(n);
            CAPTURE(threads);
            CHECK(once);
        }
}

TEST_CASE("parallel: small work stays on one thread, large work never takes more than the limit") {
    const test::RuntimeScope scope;
    set_num_threads(3);
    CHECK(threads_for(0) == 1);
    CHECK(threads_for(work_a_thread) == 1);
    CHECK(threads_for(1e30) == std::min(3, processors_allowed()));
    const auto in_team_of_three = [](void*) {
        CHECK(threads_for(2 * work_a_thread) == 2);
        CHECK(threads_for(1e30) == 3);
    };
    run_with_team(3, in_team_of_three, nullptr);
    set_num_threads(1);
    CHECK(threads_for(1e30) == 1);
}
