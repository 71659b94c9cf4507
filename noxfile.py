"""The developer's commands, one session each; `nox -l` lists them and `.ci/run` calls them."""

import os
import re
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml("pyproject.toml")["project"]
SMALLEST_PROGRAM = 2_000_000  # bytes that a stripped program which only predicts may have
CPP_SUFFIXES = {".hpp", ".cpp"}

nox.options.sessions = ["lint", "types", "tests", "cpp"]
nox.options.reuse_existing_virtualenvs = True


def requirements(*extras: str) -> list[str]:
    """List what the package and its extras need, without the package itself (so that nothing is compiled)."""
    found = list(PROJECT["dependencies"])
    for extra in extras:
        for requirement in PROJECT["optional-dependencies"][extra]:
            own = re.fullmatch(r"cmlp\[(.*)\]", requirement)
            found += requirements(*own[1].split(",")) if own else [requirement]
    return found


def tool(name: str) -> str:
    """Return the pinned requirement of one tool of the dev extra."""
    return next(r for r in PROJECT["optional-dependencies"]["dev"] if re.match(rf"{name}\b", r))


def cpp_files() -> list[str]:
    """List every C++ file of the project."""
    folders = ("cpp", "python/bindings", "tests/cpp", "examples", "bench")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(str(path.relative_to(ROOT)) for path in files if path.suffix in CPP_SUFFIXES)


def workflow(session: nox.Session, preset: str) -> None:
    """Configure, build and test one preset of CMakePresets.json."""
    session.install(tool("cmake"), tool("ninja"))
    jobs = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count())}
    session.run("cmake", "--workflow", "--fresh", "--preset", preset, env=jobs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style of Python and C++ (ruff, clang-format), and the checks of tests/repo/checks."""
    session.install(tool("ruff"), tool("clang-format"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tests/repo/checks")
    session.run("clang-format", "--dry-run", "-Werror", *cpp_files(), silent=False)


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """Format Python and C++ as lint expects."""
    session.install(tool("ruff"), tool("clang-format"))
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")
    session.run("clang-format", "-i", *cpp_files())


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over the package and a user's program; pyright over the same and the public names."""
    session.install(tool("mypy"), tool("pyright"), *requirements("test"))
    session.run("mypy", *session.posargs)
    session.run("python", "tests/repo/typing_checks.py")


@nox.session
def tests(session: nox.Session) -> None:
    """The Python tests against an installed package; arguments after -- go to pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The Python tests that take more than a few seconds."""
    session.install(".[test]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def trust(session: nox.Session) -> None:
    """Every test of a promise in full length; renews docs/trust.md. Arguments after -- go to pytest."""
    session.install(".[test]", tool("nox"), tool("cmake"), tool("ninja"))
    results = Path("build/trust/results.xml").absolute()
    everything = ("-m", "slow or not slow", f"--junitxml={results}", "--timeout=7200")
    session.run("pytest", *everything, *session.posargs, success_codes=[0, 1])
    session.run("python", "tests/trust/trust_page.py", str(results))


@nox.session
def comparisons(session: nox.Session) -> None:
    """Compare an installed package with PyTorch and scikit-learn.

    The session installs the package, or adds PyTorch to the one of the Python interpreter named after --.
    """
    python = session.posargs[0] if session.posargs else "python"
    if session.posargs:
        session.run(python, "-m", "pip", "install", *requirements("comparisons"), external=True)
    else:
        session.install(".[test,comparisons]")
    session.run(python, "-m", "pytest", "tests/comparisons", external=True)


@nox.session
def cpp(session: nox.Session) -> None:
    """The C++ tests once per instruction set, and every public header compiled alone."""
    workflow(session, "cpp")


@nox.session
def clang(session: nox.Session) -> None:
    """The same with Clang, without AVX-512, with teams of std::thread; skipped if Clang is not installed."""
    if not shutil.which("clang++-19"):
        session.skip("clang++-19 is not installed (Debian: clang-19)")
    workflow(session, "clang")


@nox.session
@nox.parametrize("preset", ["sanitize", "threads", "memcheck"])
def sanitize(session: nox.Session, preset: str) -> None:
    """The C++ tests under AddressSanitizer with UndefinedBehaviorSanitizer, ThreadSanitizer, Valgrind."""
    workflow(session, preset)


@nox.session
def aarch64(session: nox.Session) -> None:
    """The C++ tests cross-compiled for 64-bit Arm and run under qemu; skipped if one of them is missing."""
    for program in ("aarch64-linux-gnu-g++", "qemu-aarch64"):
        if not shutil.which(program):
            session.skip(f"{program} is not installed (Debian: g++-aarch64-linux-gnu, qemu-user)")
    workflow(session, "aarch64")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the loader (libFuzzer) and the Python surface (atheris): `nox -s fuzz -- 600`, seconds each."""
    seconds = session.posargs[0] if session.posargs else "60"
    if shutil.which("clang++-19"):
        session.install(tool("cmake"), tool("ninja"))
        session.run("cmake", "--fresh", "--preset", "fuzz")
        session.run("cmake", "--build", "--preset", "fuzz", "--target", "cmlp_fuzz_load")
        found = session.create_tmp() + "/found"
        Path(found).mkdir(exist_ok=True)
        limits = (f"-max_total_time={seconds}", "-timeout=1", "-max_len=32768", "-rss_limit_mb=2048")
        session.run(
            "build/fuzz/tests/fuzz/cmlp_fuzz_load", *limits, found, "tests/fuzz/models", external=True
        )
    else:
        session.warn(
            "clang++-19 is not installed (Debian: clang-19, libclang-rt-19-dev): the loader is not fuzzed"
        )
    session.install(".[cli]", "atheris>=3")
    for target in ("load", "table"):
        session.run(
            "python", "tests/fuzz/fuzz_python.py", target, f"-max_total_time={seconds}", "-timeout=20"
        )


@nox.session
def mutants(session: nox.Session) -> None:
    """Run the C++ tests against mutants of the core: `nox -s mutants -- --count 200`."""
    session.install(tool("cmake"), tool("ninja"))
    session.run("python", "tests/mutants", *session.posargs)


@nox.session
def stubs(session: nox.Session) -> None:
    """Generate the type stubs and the documentation pages again; commit the result."""
    session.install(".", *requirements("test"))
    session.run("python", "tests/repo/stubs.py", "python/cmlp")
    session.run("python", "tests/repo/pages.py", "docs")


@nox.session
def docs(session: nox.Session) -> None:
    """The API reference as HTML in docs/_build."""
    session.install(".[docs,cli]")
    session.run("pdoc", "--docformat", "numpy", "--math", "--output-directory", "docs/_build", "cmlp")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the kernels, then cmlp beside other packages; results in build/bench.

    Arguments after -- go to bench/compare: `nox -s bench -- --rounds 5 --peer torch`, or `--docs docs` to
    update docs/performance.md and its picture.
    """
    session.install(".[bench]", tool("cmake"), tool("ninja"))
    build, out = Path("build/bench"), "build/bench/bench.json"
    options = ("-DCMLP_DEVELOPER=OFF", "-DCMLP_BENCH=ON")
    session.run("cmake", "-S", ".", "-B", str(build), "-G", "Ninja", *options)
    session.run("cmake", "--build", str(build), "--target", "cmlp_bench")
    session.run(str(build / "bench/cmlp_bench"), "--json", str(build / "kernels.json"), external=True)
    compare = ("bench/compare", "--kernels", str(build / "kernels.json"), "--out", out)
    counts = range(1, min(2, os.cpu_count() or 1) + 1)
    given = any(argument.startswith("--threads") for argument in session.posargs)
    chosen = [] if given else [f"--threads={count}" for count in counts]
    session.run("python", *compare, *chosen, *session.posargs)


@nox.session
def accuracy(session: nox.Session) -> None:
    """Compare the tabular estimators with other packages on real tables; results in build/bench.

    Arguments after -- go to bench/accuracy: `nox -s accuracy -- --sets penguins`, or `--docs docs` to update
    docs/accuracy-tables.md and its picture.
    """
    session.install(".[tabular]", "-r", "bench/accuracy/requirements.txt")
    session.run("python", "-m", "bench.accuracy", *session.posargs)


@nox.session
def consumer(session: nox.Session) -> None:
    """Build examples/cpp with find_package(cmlp) against the wheel and against cmake --install.

    The session builds the wheel, or uses the one installed for the Python interpreter named after --.
    """
    session.install(tool("cmake"), tool("ninja"), *([] if session.posargs else ["."]))
    python = session.posargs[0] if session.posargs else "python"
    wheel_dir = session.run(python, "-m", "cmlp", "--cmake-dir", silent=True, external=True).strip()
    prefix = session.create_tmp() + "/prefix"
    session.run("cmake", "--fresh", "--preset", "cpp")
    session.run("cmake", "--build", "--preset", "cpp", "--target", "cmlp")
    session.run("cmake", "--install", "build/cpp", "--prefix", prefix)
    for name, where in (("wheel", f"-Dcmlp_DIR={wheel_dir}"), ("install", f"-DCMAKE_PREFIX_PATH={prefix}")):
        build = session.create_tmp() + f"/{name}"
        session.run("cmake", "-S", "examples/cpp", "-B", build, "-G", "Ninja", where)
        session.run("cmake", "--build", build)
        with session.chdir(build):
            session.run("./cmlp_example", external=True)
            session.run("./cmlp_predict", "moons.safetensors", "0", "1", external=True)
        if (size := Path(build, "cmlp_predict").stat().st_size) > SMALLEST_PROGRAM:
            session.error(f"cmlp_predict has {size} bytes, more than {SMALLEST_PROGRAM}")
